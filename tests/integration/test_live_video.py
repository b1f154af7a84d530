"""A real agent publishes to a real relay when it is told to, and a stock aiortc peer watches."""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from tests.integration.agent_rig import TENANT, Recorder, Server, device_accounts, session, task
from tests.integration.detour import Detour
from tests.integration.ingest_rig import eventually
from tests.media import Relay, running_relay
from tests.services import TestBroker
from xunlu_edge.media import engine, strip
from xunlu_kit.clock import SystemClock
from xunlu_protocol.command import LiveStart, Request
from xunlu_protocol.topics import down
from xunlu_sim.hardware import Kit
from xunlu_sim.sky import Sky
from xunlu_sim.udp_impairment import UdpOptions
from xunlu_sim.way import Place

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WAIT_S = 45.0


class Standing:
    """An officer at a corner."""

    def second(self) -> Place:
        return Place(31.23, 121.47)


def kit() -> Kit:
    return Kit(Standing(), SystemClock(), random.Random(1), Sky(random.Random(1)), name="SIM0001")


class Viewer:
    """Plays a path by WHEP and reads the clock in every picture.

    Attributes:
        seen: for each picture when it was decoded (monotonic) and the UTC milliseconds in it.
        heard: samples of sound.
    """

    def __init__(self, relay: Relay, path: str) -> None:
        self.seen: list[tuple[float, int | None]] = []
        self.heard = 0
        self._relay = relay
        self._path = path
        self._connection = RTCPeerConnection(RTCConfiguration([]))
        self._location = ""
        self._headers = relay.headers(path, "play")
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()

    async def play(self) -> None:
        connection = self._connection
        for kind in ("video", "audio"):
            connection.addTransceiver(kind, "recvonly")
        connection.on("track", lambda track: self._tasks.add(asyncio.create_task(self._take(track))))
        await connection.setLocalDescription(await connection.createOffer())
        url = f"{self._relay.url}/whep/{self._path}"
        async with httpx2.AsyncClient() as client:
            answer = await client.post(url, content=connection.localDescription.sdp, headers=self._headers)
        assert answer.status_code == 201, answer.text
        self._location = str(httpx2.URL(url).join(answer.headers["location"]))
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))

    async def leave(self) -> None:
        async with httpx2.AsyncClient() as client:
            await client.delete(self._location, headers=self._headers)

    async def close(self) -> None:
        await self._connection.close()
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def sees(self, count: int, *, after_ms: float = 0.0) -> list[tuple[float, int]]:
        """Wait for readable pictures that were taken after a moment."""

        def fresh() -> list[tuple[float, int]]:
            return [(at_s, shown) for at_s, shown in self.seen if shown is not None and shown > after_ms]

        await self._until(lambda: len(fresh()) >= count)
        return fresh()

    async def hears(self, samples: int) -> None:
        await self._until(lambda: self.heard >= samples)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._arrived.clear()
                await self._arrived.wait()

    async def _take(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame: Any = await track.recv()
                if isinstance(frame, VideoFrame):
                    luma = frame.planes[0]
                    shown = strip.read(memoryview(luma), luma.line_size, frame.width, frame.height)
                    self.seen.append((time.monotonic(), shown))
                else:
                    self.heard += frame.samples
                self._arrived.set()


@contextlib.asynccontextmanager
async def watched(
    broker: TestBroker, folder: Path, monkeypatch: pytest.MonkeyPatch, options: UdpOptions
) -> AsyncIterator[tuple[engine.Publication, Detour, Viewer]]:
    """A publication through an impaired uplink, and a viewer behind the relay."""
    async with contextlib.AsyncExitStack() as stack:
        relay = await stack.enter_async_context(running_relay(broker, folder))
        path = f"D{secrets.token_hex(4)}"
        detour = Detour(stack, options)
        monkeypatch.setattr(engine, "find_ways", lambda _: detour)
        request = LiveStart(whip=f"{relay.url}/whip/{path}", token=relay.token(path, "publish"))
        settings = Recorder(broker, folder).settings
        publication = engine.publication(request, kit().hardware, settings, SystemClock().time_ms)
        viewer = Viewer(relay, path)
        stack.push_async_callback(viewer.close)
        await viewer.play()
        await stack.enter_async_context(task(_life(publication), "publication"))
        yield publication, detour, viewer


async def _life(publication: engine.Publication) -> None:
    await publication.run()


async def test_a_dispatcher_sees_and_hears_what_the_camera_does(
    broker: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(broker, tmp_path, monkeypatch, UdpOptions()) as (_, _, viewer):
        pictures = await viewer.sees(30)
        await viewer.hears(24_000)
        shown = [utc_ms for _, utc_ms in pictures]
        assert shown == sorted(shown)
        assert time.time() * 1000 - shown[-1] < 5000


async def test_the_picture_is_back_within_a_moment_after_an_outage(
    broker: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(broker, tmp_path, monkeypatch, UdpOptions(delay_s=0.02)) as (publication, detour, viewer):
        await viewer.sees(10)
        detour.link.lose()
        await asyncio.sleep(1.0)
        detour.link.find()
        found_s, found_ms = time.monotonic(), time.time() * 1000
        pictures = await viewer.sees(5, after_ms=found_ms - 100)
        # 0.2 to 0.4 s on an idle machine.
        assert pictures[0][0] - found_s < 3
        assert publication.sessions == 1


async def test_a_changed_address_and_a_lossy_uplink_keep_the_session(
    broker: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = UdpOptions(loss=0.05, delay_s=0.02, jitter_s=0.005)
    async with watched(broker, tmp_path, monkeypatch, options) as (publication, detour, viewer):
        await viewer.sees(15)
        detour.link.change_address()
        await viewer.sees(15, after_ms=time.time() * 1000 + 1000)
        assert publication.sessions == 1


async def test_a_command_makes_the_recorder_publish_and_the_last_viewers_leaving_ends_it(
    broker: TestBroker, tmp_path: Path
) -> None:
    hardware = kit()
    async with contextlib.AsyncExitStack() as stack:
        relay = await stack.enter_async_context(running_relay(broker, tmp_path, idle_grace_s=1))
        recorder = Recorder(broker, tmp_path / "agent")
        recorder.hardware = hardware.hardware
        accounts = await stack.enter_async_context(device_accounts(broker))
        await accounts.put(recorder.did, recorder.password, "approved", "recorder")
        recorder.know_itself()
        topics = f"xunlu/v1/{TENANT}/d/+/up/#"
        server = Server(await stack.enter_async_context(session(broker.account("xunlu-ingest"), topics)))
        await stack.enter_async_context(task(server.listen(), "server"))
        agent = await stack.enter_async_context(recorder.running())
        await server.until(lambda: server.has(recorder.did, "birth", 1))
        assert "live" in server.of(recorder.did, "birth")[0]["caps"]

        viewer = Viewer(relay, recorder.did)
        stack.push_async_callback(viewer.close)
        await viewer.play()
        await order(server, relay, recorder.did)
        await server.until(lambda: states(server, recorder.did)[-1:] == ["done"])
        assert states(server, recorder.did) == ["delivered", "accepted", "running", "done"]
        await viewer.sees(5)
        await server.until(lambda: server.of(recorder.did, "thumb"))
        assert server.of(recorder.did, "thumb")[0].startswith(b"\xff\xd8")
        assert [hardware.watched.on] == [True]
        assert list(hardware.speaker.said) == ["班长正在查看实时画面"]

        await viewer.leave()

        async def is_told() -> bool:
            return hardware.speaker.said[-1] == "实时画面已结束"

        await eventually(is_told, timeout_s=WAIT_S)
        assert [hardware.watched.on] == [False]
        assert not agent.live.is_live


async def order(server: Server, relay: Relay, did: str) -> None:
    args = {"whip": f"{relay.url}/whip/{did}", "token": relay.token(did, "publish"), "by": "班长"}
    request = Request(rid="r1", name="live_start", args=args, exp=round(time.time()) + 60)
    await server.session.publish(down(TENANT, did, "rpc", "r1"), request.encode())


def states(server: Server, did: str) -> list[str]:
    return [reply["st"] for reply in server.of(did, "rpc")]
