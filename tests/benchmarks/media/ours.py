"""Our relay as it runs: `xunlu-streaming relay` with broker and tokens, on the relay's core."""

import contextlib
import secrets
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OKPKey

from tests.benchmarks.media.link import own_address
from tests.benchmarks.media.peers import HOST, Relay, running_on_core
from tests.benchmarks.media.receivers import ReceiversPlan
from tests.benchmarks.media.sender import SenderPlan
from tests.media import relay_environment
from tests.processes import answers
from tests.services import Services, free_ports, running_services
from xunlu_protocol.media import ALGORITHM, Action, MediaClaims

TOKEN_LIVES_S = 3600


class Tokens:
    """Signs as the platform does, for as long as a benchmark lasts."""

    def __init__(self, private_key: str) -> None:
        self._key = OKPKey.import_key(private_key)

    def sign(self, path: str, action: Action) -> str:
        """A token of its own for everybody."""
        now_s = int(time.time())
        claims = MediaClaims(
            path=path, act=action, jti=secrets.token_hex(8), sub="bench", iat=now_s, exp=now_s + TOKEN_LIVES_S
        )
        return jwt.encode({"alg": ALGORITHM}, claims.model_dump(), self._key, algorithms=[ALGORITHM])


@contextlib.asynccontextmanager
async def running_ours(folder: Path, *, streams: int = 1, media_port: int = 0) -> AsyncIterator[Relay]:
    """One worker with a broker of its own; its paths are `BENCH001` and so on.

    Args:
        folder: for the services.
        streams: paths.
        media_port: UDP port; 0 picks one.
    """
    paths = [f"BENCH{number:03d}" for number in range(1, streams + 1)]
    async with (
        running_services(folder, durable=False) as services,
        running_worker(services, folder / "run", media_port=media_port) as (url, pid),
    ):
        tokens = Tokens((services.state.secrets / "media-key").read_text("ascii"))
        yield _relay(url, pid, tokens, paths)


@contextlib.asynccontextmanager
async def running_worker(services: Services, run: Path, **settings: object) -> AsyncIterator[tuple[str, int]]:
    """A worker of the relay on the relay's core; yields its URL and its process."""
    [port] = free_ports(1)
    url = f"http://{HOST}:{port}"
    own = {"port": port, "workers": url, "media_port": 0, "media_hosts": own_address(), "run": run}
    environment = relay_environment(services.test_broker, **(own | settings))
    async with running_on_core(sys.executable, "-m", "xunlu_streaming", "relay", environment=environment) as process:
        await answers(f"{url}/readyz", process)
        yield url, process.pid


def _relay(url: str, pid: int, tokens: Tokens, paths: list[str]) -> Relay:
    return Relay(
        name="ours",
        pid=pid,
        sender=lambda packets: SenderPlan(
            kind="whip",
            targets=[(f"{url}/whip/{path}", tokens.sign(path, "publish")) for path in paths],
            packets=packets,
        ),
        receivers=lambda count: ReceiversPlan(
            kind="whep",
            targets=[(f"{url}/whep/{path}", tokens.sign(path, "play")) for path in paths for _ in range(count)],
        ),
    )
