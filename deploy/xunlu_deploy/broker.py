"""Mosquitto on this machine: its configuration, its accounts, its two listeners.

Devices come over TLS to the public listener; our own processes use a plain one on loopback.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from xunlu_deploy.dynamic_security import with_accounts
from xunlu_deploy.errors import DeployError
from xunlu_deploy.privilege import command, give
from xunlu_deploy.process import Process
from xunlu_deploy.runtime import Runtime
from xunlu_deploy.state import Secret, State, write_private

HOST = "127.0.0.1"
SECRETS: dict[str, Secret] = {
    "xunlu-admin": "mqtt-admin",
    "xunlu-ingest": "mqtt-ingest",
    "xunlu-api": "mqtt-api",
    "xunlu-jobs": "mqtt-jobs",
    "xunlu-streaming": "mqtt-streaming",
    "claim": "mqtt-claim",
}
# What a restart of the platform may leave waiting, per session; more is dropped, and the outboxes send it again.
QUEUED_MESSAGES_MAX = 20_000
# At least what an ingest worker asks for (its receive maximum).
INFLIGHT_MESSAGES_MAX = 5_000
QUEUED_BYTES_MAX = 64 << 20
# Twice the 256 KiB that the protocol allows; the broker hangs up on more.
PACKET_BYTES_MAX = 512 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsListener:
    """The listener for devices."""

    port: int
    certificate: Path
    key: Path
    host: str = "0.0.0.0"  # noqa: S104  # devices come from outside


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageBroker:
    """A broker that we run."""

    runtime: Runtime
    state: State
    port: int
    tls: TlsListener | None = None

    def prepare(self) -> None:
        """Write the configuration and see that our accounts exist; devices' accounts stay."""
        folder = self.state.broker
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "mosquitto.conf").write_text(self._configuration(), "utf-8")
        write_accounts(self.state)
        if self.tls:
            write_private(folder / "server.key", self.tls.key.read_text("utf-8"))
            (folder / "server.pem").write_text(self.tls.certificate.read_text("utf-8"), "utf-8")
        give(folder)

    def _configuration(self) -> str:
        folder = self.state.broker
        lines = [
            "# Written at every start by xunlu_deploy.broker.",
            "per_listener_settings false",
            "allow_anonymous false",
            f"plugin {self.runtime.dynamic_security}",
            f"plugin_opt_config_file {folder / 'dynamic-security.json'}",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 30",
            f"max_queued_messages {QUEUED_MESSAGES_MAX}",
            f"max_queued_bytes {QUEUED_BYTES_MAX}",
            f"max_inflight_messages {INFLIGHT_MESSAGES_MAX}",
            f"max_packet_size {PACKET_BYTES_MAX}",
            "persistent_client_expiration 7d",
            "set_tcp_nodelay true",
            "log_dest stdout",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "log_type information",
            "connection_messages false",
            f"listener {self.port} {HOST}",
        ]
        if self.tls:
            lines += [
                f"listener {self.tls.port} {self.tls.host}",
                f"certfile {folder / 'server.pem'}",
                f"keyfile {folder / 'server.key'}",
                "tls_version tlsv1.2",
            ]
        return "\n".join([*lines, ""])

    def process(self) -> Process:
        """How the broker runs."""
        folder = self.state.broker
        return Process(
            name="broker",
            argv=command(
                [self.runtime.mosquitto, "-c", folder / "mosquitto.conf"],
                unprivileged_in=[folder, self.runtime.mosquitto],
            ),
            ready=self.answers,
        )

    async def answers(self) -> bool:
        """Whether every listener takes connections."""
        ports = [self.port, *([self.tls.port] if self.tls else [])]
        try:
            async with asyncio.timeout(2):
                for port in ports:
                    _, writer = await asyncio.open_connection(HOST, port)
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return True


def write_accounts(state: State) -> None:
    """See that our accounts stand in the plug-in's file, and leave the devices' alone; the broker must be down.

    Raises:
        DeployError: the file is damaged.
    """
    state.broker.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = state.broker / "dynamic-security.json"
    passwords = {name: state.secret(secret) for name, secret in SECRETS.items()}
    write_private(file, json.dumps(with_accounts(_read(file), passwords), indent=1))


def _read(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    try:
        document: dict[str, object] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DeployError(
            f"{path} is damaged; restore it from a backup, or remove it and let every device claim again."
        ) from error
    return document
