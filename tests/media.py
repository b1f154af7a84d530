"""Workers of the relay as operators run them, against the test's broker, and tokens that they believe."""

import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import answers, running
from tests.services import TestBroker, free_ports
from xunlu_kit.clock import SystemClock
from xunlu_platform.auth.media_tokens import MediaTokens
from xunlu_protocol.media import Action
from xunlu_streaming.config import StreamingSettings

HOSTS = "127.0.0.1"
PUBLISH_LIVE_S = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """A running worker.

    Attributes:
        url: base of its pages.
        media_port: of UDP.
        run: folder of its tap.
        tokens: signs for it.
        pid: of the process.
    """

    url: str
    media_port: int
    run: Path
    tokens: MediaTokens
    pid: int
    log: Path

    def token(self, path: str, action: Action, jti: str | None = None) -> str:
        """A token as the platform gives it."""
        jti = jti or secrets.token_hex(8)
        if action == "play":
            return self.tokens.play(path, viewing=jti, user="test")
        return self.tokens.publish(path, command=jti, user="test")

    def headers(self, path: str, action: Action, jti: str | None = None) -> dict[str, str]:
        """Of a request with SDP."""
        return {"Authorization": f"Bearer {self.token(path, action, jti)}", "Content-Type": "application/sdp"}


def relay_environment(broker: TestBroker, **settings: Any) -> dict[str, str]:
    """What a process of the media service finds in its environment."""
    values = {"secrets": broker.secrets, "broker_port": broker.port, **settings}
    assert values.keys() <= StreamingSettings.model_fields.keys()
    return dict(os.environ) | {f"XUNLU_STREAMING_{name.upper()}": str(value) for name, value in values.items()}


def free_udp_port() -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.asynccontextmanager
async def running_relay(broker: TestBroker, folder: Path, **settings: Any) -> AsyncIterator[Relay]:
    """`xunlu-streaming relay` on free ports, ready to answer.

    Args:
        broker: of the test.
        folder: for its socket and its log.
        settings: others than the defaults.
    """
    port = settings.get("port") or free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    own = {"port": port, "workers": url, "media_port": free_udp_port(), "media_hosts": HOSTS, "run": folder}
    environment = relay_environment(broker, **(own | settings))
    log = folder / "relay.log"
    async with running("xunlu_streaming", "relay", environment=environment, log=log) as process:
        await answers(f"{url}/readyz", process)
        tokens = MediaTokens(
            (broker.secrets / "media-key").read_text("utf-8"), SystemClock(), publish_live_s=PUBLISH_LIVE_S
        )
        yield Relay(
            url=url,
            media_port=int(environment["XUNLU_STREAMING_MEDIA_PORT"]),
            run=folder,
            tokens=tokens,
            pid=process.pid,
            log=log,
        )
