"""What runs on one machine: programs, environments, ports. Read it like a table."""

import socket
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xunlu_deploy.broker import HOST
from xunlu_deploy.health import always, http_ready
from xunlu_deploy.privilege import command
from xunlu_deploy.process import Process
from xunlu_deploy.settings import DeploySettings
from xunlu_deploy.state import State
from xunlu_deploy.tls import own_addresses


def program(name: str) -> Path:
    """One of our programs, beside the Python that runs us."""
    return Path(sysconfig.get_path("scripts")) / name


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoints:
    """Where database and broker are, ours or others'.

    Attributes:
        device_ca_file: what devices trust at the broker's public listener.
    """

    database_host: str
    database_port: int
    broker_host: str
    broker_port: int
    broker_ca_file: Path | None
    device_host: str
    device_port: int
    device_ca_file: Path | None


def endpoints(settings: DeploySettings, authority: Path) -> Endpoints:
    """Where the services are that the settings describe."""
    own_broker = settings.broker_host is None
    return Endpoints(
        database_host=settings.database_host or HOST,
        database_port=settings.database_port if settings.database_host else settings.port_of("database"),
        broker_host=settings.broker_host or HOST,
        broker_port=settings.port_of("mqtt_plain") if own_broker else settings.broker_port,
        broker_ca_file=None if own_broker else settings.broker_ca_file,
        device_host=settings.public_host if own_broker else str(settings.broker_host),
        device_port=settings.port_of("mqtt_tls") if own_broker else settings.broker_port,
        device_ca_file=authority if own_broker else settings.broker_ca_file,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The processes of one installation."""

    settings: DeploySettings
    state: State
    where: Endpoints

    def platform_environment(self, health_port: int = 0) -> dict[str, str]:
        """Environment of every `xunlu-platform …`."""
        return {
            **self._common("XUNLU_PLATFORM_"),
            **self._listener("XUNLU_PLATFORM_", self.settings.port_of("platform")),
            "XUNLU_PLATFORM_DATABASE_HOST": self.where.database_host,
            "XUNLU_PLATFORM_DATABASE_PORT": str(self.where.database_port),
            "XUNLU_PLATFORM_MAP": str(self.state.map),
            "XUNLU_PLATFORM_TILE_CACHE": str(self.state.tiles),
            "XUNLU_PLATFORM_STREAMING_URLS": self._relay_urls(),
            "XUNLU_PLATFORM_TALK_URL": self._url(self.settings.port_of("talk")),
            "XUNLU_PLATFORM_RECORDER_URL": self._url(self.settings.port_of("platform")),
            "XUNLU_PLATFORM_RECORDINGS": str(self.state.recordings),
            "XUNLU_PLATFORM_EXPORTS": str(self.state.exports),
            "XUNLU_PLATFORM_HEALTH_PORT": str(health_port),
        }

    def _streaming_environment(self) -> dict[str, str]:
        """Environment of every `xunlu-streaming …`."""
        return {**self._common("XUNLU_STREAMING_"), "XUNLU_STREAMING_RUN": str(self.state.run)}

    def _relay_urls(self) -> str:
        """Base URL of every relay: the same list for platform and relays, because it decides who serves whom."""
        return ",".join(self._url(self.settings.relay_port(number)) for number in range(self.settings.relays))

    def _url(self, port: int) -> str:
        """Address of one of our listeners, as others reach it."""
        settings = self.settings
        host = f"[{settings.public_host}]" if ":" in settings.public_host else settings.public_host
        return f"{settings.scheme}://{host}:{port}"

    def _media_hosts(self) -> str:
        return ",".join(self.settings.media_hosts or addresses(self.settings.public_host))

    def _common(self, prefix: str) -> dict[str, str]:
        return _variables(
            prefix,
            {
                "TENANT": self.settings.tenant,
                "SECRETS": self.state.secrets,
                "BROKER_HOST": self.where.broker_host,
                "BROKER_PORT": self.where.broker_port,
                "BROKER_CA_FILE": self.where.broker_ca_file,
                "LOG_FORMAT": self.settings.log_format,
            },
        )

    def _listener(self, prefix: str, port: int) -> dict[str, str]:
        return _variables(
            prefix,
            {
                "HOST": self.settings.host,
                "PORT": port,
                "TLS_CERTIFICATE": self.settings.tls_certificate,
                "TLS_KEY": self.settings.tls_key,
            },
        )

    def servers(self) -> list[Process]:
        """What serves people and devices."""
        settings = self.settings
        return [
            self._api(),
            *map(self._ingest, range(settings.workers)),
            self._jobs(),
            *map(self._relay, range(settings.relays)),
            self._ptt(),
            self._record(),
        ]

    def _api(self) -> Process:
        settings = self.settings
        return Process(
            name="api",
            argv=command([program("xunlu-platform"), "api"]),
            environment=self.platform_environment(),
            ready=http_ready(settings.host, settings.port_of("platform"), tls=settings.scheme == "https"),
        )

    def _ingest(self, number: int) -> Process:
        port = self.settings.port_of("ingest", number)
        name = f"ingest-{number + 1}"
        return Process(
            name=name,
            argv=command([program("xunlu-platform"), "ingest", "--name", name]),
            environment=self.platform_environment(port),
            ready=http_ready(HOST, port),
        )

    def _jobs(self) -> Process:
        port = self.settings.port_of("jobs")
        return Process(
            name="jobs",
            argv=command([program("xunlu-platform"), "jobs"]),
            environment=self.platform_environment(port),
            ready=http_ready(HOST, port),
        )

    def _relay(self, number: int) -> Process:
        settings = self.settings
        port = settings.relay_port(number)
        environment = {
            **self._streaming_environment(),
            **self._listener("XUNLU_STREAMING_", port),
            "XUNLU_STREAMING_WORKERS": self._relay_urls(),
            "XUNLU_STREAMING_NUMBER": str(number + 1),
            "XUNLU_STREAMING_MEDIA_PORT": str(settings.port_of("media", number)),
            "XUNLU_STREAMING_MEDIA_HOSTS": self._media_hosts(),
        }
        return Process(
            name=f"relay-{number + 1}",
            argv=command([program("xunlu-streaming"), "relay"]),
            environment=environment,
            ready=http_ready(settings.host, port, tls=settings.scheme == "https"),
        )

    def _ptt(self) -> Process:
        settings = self.settings
        port = settings.port_of("talk")
        talk = {
            "TALK_HOST": settings.host,
            "TALK_PORT": port,
            "TALK_MEDIA_PORT": settings.port_of("talk_media"),
            "MEDIA_HOSTS": self._media_hosts(),
            "TLS_CERTIFICATE": settings.tls_certificate,
            "TLS_KEY": settings.tls_key,
        }
        return Process(
            name="ptt",
            argv=command([program("xunlu-streaming"), "ptt"]),
            environment={**self._streaming_environment(), **_variables("XUNLU_STREAMING_", talk)},
            ready=http_ready(settings.host, port, tls=settings.scheme == "https"),
        )

    def _record(self) -> Process:
        port = self.settings.port_of("record")
        environment = {
            **self._streaming_environment(),
            "XUNLU_STREAMING_RECORDINGS": str(self.state.recordings),
            "XUNLU_STREAMING_RECORD_HEALTH_PORT": str(port),
        }
        return Process(
            name="record",
            argv=command([program("xunlu-streaming"), "record"]),
            environment=environment,
            ready=http_ready(HOST, port),
        )

    def fleet(self) -> Process:
        """Simulated recorders on patrol: real agents at the public listener, over TLS."""
        arguments: dict[str, object] = {
            "--recorders": self.settings.recorders,
            "--broker": f"{self.where.device_host}:{self.where.device_port}",
            "--claim-file": self.state.secrets / "mqtt-claim",
            "--map": self.state.map,
            "--state": self.state.agents,
        }
        if self.where.device_ca_file:
            arguments["--ca"] = self.where.device_ca_file
        words = [str(word) for pair in arguments.items() for word in pair]
        return Process(name="fleet", argv=command([program("xunlu-sim"), "patrol", *words]), ready=always)

    def ports(self) -> dict[int, str]:
        """Every TCP port of the block that we listen on, with its purpose."""
        settings = self.settings
        ports = {settings.port_of("platform"): "console", settings.port_of("record"): "health page of the recorder"}
        ports |= {settings.relay_port(n): f"relay-{n + 1}" for n in range(settings.relays)}
        if settings.broker_host is None:
            ports |= {settings.port_of("mqtt_tls"): "MQTT over TLS", settings.port_of("mqtt_plain"): "MQTT, loopback"}
        if settings.database_host is None:
            ports[settings.port_of("database")] = "database"
        ports[settings.port_of("jobs")] = "health page of jobs"
        ports[settings.port_of("talk")] = "talk server"
        ports |= {settings.port_of("ingest", n): f"health page of ingest-{n + 1}" for n in range(settings.workers)}
        return ports

    def media_ports(self) -> dict[int, str]:
        """Every UDP port of the block."""
        settings = self.settings
        ports = {settings.port_of("media", n): f"media of relay-{n + 1}" for n in range(settings.relays)}
        return ports | {settings.port_of("talk_media"): "media of the talk server"}


def _variables(prefix: str, values: Mapping[str, object]) -> dict[str, str]:
    return {prefix + name: str(value) for name, value in values.items() if value is not None}


def addresses(host: str) -> list[str]:
    """The IP addresses of a name; those of this machine where nobody here knows the name."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        found = own_addresses()
    return sorted(address.partition("%")[0] for address in found) or [HOST]
