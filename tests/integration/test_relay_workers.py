"""Two workers with one list: each path has its own, and each worker its own fate."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.integration.ingest_rig import eventually
from tests.media import Relay, free_udp_port, running_relay
from tests.media_camera import Camera, Pair, filming, undisturbed
from tests.media_client import VP8_CAMERA, WINDOW, MediaClient, figures, offer
from tests.services import TestBroker, free_ports
from xunlu_edge.media.way import Credentials
from xunlu_protocol.media import worker_of

pytestmark = pytest.mark.integration


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Two processes; either can be started anew."""

    broker: TestBroker
    folder: Path
    ports: tuple[int, int]
    media_ports: tuple[int, int]

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def running(self, number: int) -> contextlib.AbstractAsyncContextManager[Relay]:
        """Start one of them."""
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        return running_relay(
            self.broker,
            folder,
            port=self.ports[number],
            media_port=self.media_ports[number],
            workers=",".join(self.urls),
            number=number + 1,
        )

    def path(self, number: int) -> str:
        """A path that this worker serves."""
        names = (f"D{os.urandom(4).hex()}" for _ in count())
        return next(name for name in names if worker_of(name, self.urls) == number)


@pytest_asyncio.fixture
async def workers(broker: TestBroker, tmp_path: Path) -> Workers:
    one, two = free_ports(2)
    return Workers(broker=broker, folder=tmp_path, ports=(one, two), media_ports=(free_udp_port(), free_udp_port()))


@contextlib.asynccontextmanager
async def pair(asked: Relay, path: str) -> AsyncIterator[Pair]:
    """A publication and its viewer, both of whom ask this worker first."""
    async with MediaClient(asked, path, "publish", VP8_CAMERA) as publisher:
        camera = Camera(publisher, "VP8")
        async with filming(publisher, camera), MediaClient(asked, path, "play", WINDOW) as viewer:
            yield Pair(path, camera, publisher, viewer)


async def test_either_worker_names_the_one_that_serves_a_path(workers: Workers) -> None:
    async with workers.running(0) as first, workers.running(1) as second:
        path = workers.path(1)
        text = offer(WINDOW, "recvonly", Credentials(), ":".join(["AB"] * 32))
        async with httpx2.AsyncClient() as http:
            answer = await http.post(f"{first.url}/whep/{path}", content=text, headers=first.headers(path, "play"))
        assert answer.status_code == 307
        assert answer.headers["location"] == f"{second.url}/whep/{path}"
        async with pair(first, path) as one, pair(second, workers.path(0)) as other:
            await one.sees()
            await other.sees()
            assert one.viewer.url.startswith(second.url)
            assert other.viewer.url.startswith(first.url)
            for relay in (first, second):
                assert (await figures(relay))["paths_live"] == 1


async def test_a_killed_worker_takes_nobody_with_it_and_is_found_again(workers: Workers) -> None:
    async with workers.running(1) as second, pair(second, workers.path(1)) as survivor, undisturbed(survivor):
        path = workers.path(0)
        async with workers.running(0) as first, pair(first, path) as one:
            await one.sees()
            os.kill(first.pid, signal.SIGKILL)
            await survivor.sees()
            silent_s = asyncio.get_running_loop().time()

            async def noticed() -> bool:
                return one.viewer.way.heard_s < asyncio.get_running_loop().time() - 1

            await eventually(noticed)
            assert asyncio.get_running_loop().time() - silent_s < 5
        async with workers.running(0) as again, pair(again, path) as one:
            await one.sees()
