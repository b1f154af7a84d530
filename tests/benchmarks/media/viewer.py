"""The program that watches one stream as a person does: whole frames, what is missing asked for, and decoded.

`join` answers how long the first picture took, `leave` ends the session, an empty line tells of every frame since.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import av
import httpx2
from aiortc import RTCCertificate

from tests.benchmarks.media.client import Client, joined
from tests.benchmarks.media.conversation import questions, say
from tests.benchmarks.media.link import CONSENT_INTERVAL_S, Pump
from tests.benchmarks.media.signalling import TIMEOUT_S, Http
from tests.benchmarks.media.stream import annex_b
from tests.benchmarks.media.watcher import Frame, Watcher

ATTEND_S = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewerPlan:
    """What to watch.

    Attributes:
        target: URL and token of the WHEP endpoint.
        frame_packets: packets of each frame.
        ask_again_s: after which it asks once more for what is missing.
        via: host and port that datagrams go through; None goes straight.
    """

    target: Sequence[str]
    frame_packets: int
    ask_again_s: float = 0.1
    via: Sequence[Any] | None = None


class Viewing:
    """One session of the viewer."""

    def __init__(self, client: Client, signalling: Http, watcher: Watcher) -> None:
        self._client = client
        self._signalling = signalling
        self._watcher = watcher
        self._decoder = av.CodecContext.create("h264", "r")
        self._decoder.flags |= av.codec.context.Flags.low_delay
        self._decoded = asyncio.get_running_loop().create_future()

    def show(self, frame: Frame) -> None:
        """Decode the first keyframe; one is enough to know that there is a picture."""
        if frame.keyframe and not self._decoded.done():
            payloads = [payload for _, payload in sorted(frame.packets.items())]
            pictures = self._decoder.decode(av.Packet(annex_b(payloads)))
            if pictures or self._decoder.decode(None):
                self._decoded.set_result(time.monotonic())

    async def first_picture_s(self) -> float:
        """When it was decoded, monotonic."""
        return float(await asyncio.wait_for(self._decoded, TIMEOUT_S))

    def pictures(self) -> list[tuple[int, int, int, bool]]:
        """RTP time, sent, whole, keyframe of each frame."""
        return [
            (at, frame.sent_ns, frame.whole_ns, frame.keyframe) for at, frame in sorted(self._watcher.pictures.items())
        ]

    async def keep(self) -> None:
        """Ask for what is missing, and keep consent."""
        checked_s = time.monotonic()
        while True:
            await asyncio.sleep(ATTEND_S)
            self._watcher.attend()
            if time.monotonic() - checked_s > CONSENT_INTERVAL_S:
                checked_s = time.monotonic()
                self._watcher.check()

    async def leave(self) -> None:
        """Say goodbye."""
        await self._client.close()
        await self._signalling.end()


@contextlib.asynccontextmanager
async def viewing(
    plan: ViewerPlan, pump: Pump, http: httpx2.AsyncClient, certificate: RTCCertificate
) -> AsyncIterator[Viewing]:
    """Watch until the block ends."""
    via = (str(plan.via[0]), int(plan.via[1])) if plan.via else None
    signalling = Http(http, plan.target[0], plan.target[1])
    client = await joined(pump, signalling, certificate, "recvonly", Watcher, via)
    watcher = client.link
    assert isinstance(watcher, Watcher)
    one = Viewing(client, signalling, watcher)
    watcher.frame_packets, watcher.shown, watcher.say = plan.frame_packets, one.show, client.send_rtcp
    watcher.ask_again_s = plan.ask_again_s
    watcher.repair_type = client.remote.repair_type
    watcher.open(client.receiving)
    keeping = asyncio.create_task(one.keep(), name="keep")
    try:
        yield one
    finally:
        keeping.cancel()
        await one.leave()


async def main() -> None:
    """Watch when asked to."""
    asked = questions()
    plan = ViewerPlan(**json.loads(await anext(asked)))
    certificate = RTCCertificate.generateCertificate()
    with Pump() as pump:
        async with httpx2.AsyncClient(timeout=TIMEOUT_S) as http:
            say({})
            await _converse(asked, plan, pump, http, certificate)


async def _converse(
    asked: AsyncIterator[str], plan: ViewerPlan, pump: Pump, http: httpx2.AsyncClient, certificate: RTCCertificate
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        one: Viewing | None = None
        async for question in asked:
            if question == "join":
                began_s = time.monotonic()
                one = await stack.enter_async_context(viewing(plan, pump, http, certificate))
                say({"first_picture_ms": (await one.first_picture_s() - began_s) * 1000})
            elif question == "leave":
                await stack.aclose()
                say({})
            else:
                say({"pictures": one.pictures() if one else []})


if __name__ == "__main__":
    asyncio.run(main())
