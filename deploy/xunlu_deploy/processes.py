"""What runs on one machine: programs, environments, ports. Read it like a table."""

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
            **self._service_environment("XUNLU_PLATFORM_", "platform"),
            "XUNLU_PLATFORM_TENANT": self.settings.tenant,
            "XUNLU_PLATFORM_DATABASE_HOST": self.where.database_host,
            "XUNLU_PLATFORM_DATABASE_PORT": str(self.where.database_port),
            "XUNLU_PLATFORM_MAP": str(self.state.map),
            "XUNLU_PLATFORM_TILE_CACHE": str(self.state.tiles),
            "XUNLU_PLATFORM_HEALTH_PORT": str(health_port),
        }

    def _service_environment(self, prefix: str, listener: str) -> dict[str, str]:
        port = self.settings.port_of("platform" if listener == "platform" else "streaming")
        values: Mapping[str, object] = {
            "HOST": self.settings.host,
            "PORT": port,
            "SECRETS": self.state.secrets,
            "BROKER_HOST": self.where.broker_host,
            "BROKER_PORT": self.where.broker_port,
            "BROKER_CA_FILE": self.where.broker_ca_file,
            "TLS_CERTIFICATE": self.settings.tls_certificate,
            "TLS_KEY": self.settings.tls_key,
            "LOG_FORMAT": self.settings.log_format,
        }
        return {prefix + name: str(value) for name, value in values.items() if value is not None}

    def servers(self) -> list[Process]:
        """What serves people and devices."""
        return [self._api(), *map(self._ingest, range(self.settings.workers)), self._jobs(), self._streaming()]

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

    def _streaming(self) -> Process:
        settings = self.settings
        return Process(
            name="streaming",
            argv=command([program("xunlu-streaming")]),
            environment=self._service_environment("XUNLU_STREAMING_", "streaming"),
            ready=http_ready(settings.host, settings.port_of("streaming"), tls=settings.scheme == "https"),
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
        """Every port of the block that we listen on, with its purpose."""
        settings = self.settings
        ports = {settings.port_of("platform"): "console", settings.port_of("streaming"): "streaming"}
        if settings.broker_host is None:
            ports |= {settings.port_of("mqtt_tls"): "MQTT over TLS", settings.port_of("mqtt_plain"): "MQTT, loopback"}
        if settings.database_host is None:
            ports[settings.port_of("database")] = "database"
        ports[settings.port_of("jobs")] = "health page of jobs"
        ports |= {settings.port_of("ingest", n): f"health page of ingest-{n + 1}" for n in range(settings.workers)}
        return ports
