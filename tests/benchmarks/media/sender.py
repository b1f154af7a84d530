"""The program that publishes; answers how much it sent."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

import httpx2
from aiortc import RTCCertificate

from tests.benchmarks.media.client import Client, joined
from tests.benchmarks.media.conversation import questions, say
from tests.benchmarks.media.link import CONSENT_INTERVAL_S, Pump
from tests.benchmarks.media.publisher import Publisher
from tests.benchmarks.media.signalling import TIMEOUT_S, Http
from tests.benchmarks.media.stream import FPS, frames

PLAIN_PAYLOAD_TYPE = 96
# A recorder at 1.5 Mbit/s: 2.5 times that for the time of a frame.
PACED_PACKETS = 2
PACED_S = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class SenderPlan:
    """What to publish.

    Attributes:
        kind: by WHIP, or as plain RTP, which Janus' Streaming plugin takes and which is less work for it than SRTP.
        targets: URL and token of each WHIP endpoint; or host and port.
        packets: of each frame.
        paced: frames are spread as recorders do, else each goes out in one burst; for a single target.
        via: host and port that datagrams to a WHIP server go through; None goes straight.
    """

    kind: Literal["whip", "rtp"]
    targets: Sequence[tuple[str, str]]
    packets: int = 9
    paced: bool = False
    via: tuple[str, int] | None = None


async def main() -> None:
    """Publish until the input ends."""
    asked = questions()
    plan = SenderPlan(**json.loads(await anext(asked)))
    async with publishers(plan) as sending, asyncio.TaskGroup() as group:
        pacing = group.create_task(_send(sending, paced=plan.paced), name="frames")
        say({"ready": len(sending)})
        async for _ in asked:
            say(
                {
                    "frames": sum(one.frames for one in sending),
                    "packets": sum(one.packets for one in sending),
                    "repeated": sum(one.repeated for one in sending),
                    "keyframes_asked": sum(one.keyframes_asked for one in sending),
                }
            )
        pacing.cancel()


@contextlib.asynccontextmanager
async def publishers(plan: SenderPlan) -> AsyncIterator[list[Publisher]]:
    """Connect all."""
    group = frames(plan.packets)
    if plan.kind == "rtp":
        with contextlib.ExitStack() as stack:
            yield [_plain(stack, host, port, number, group) for number, (host, port) in enumerate(plan.targets, 1)]
        return
    certificate = RTCCertificate.generateCertificate()
    with Pump() as pump:
        async with httpx2.AsyncClient(timeout=TIMEOUT_S) as http, asyncio.TaskGroup() as tasks:
            clients = [
                await joined(
                    pump, Http(http, url, token), certificate, "sendonly", via=plan.via and (plan.via[0], plan.via[1])
                )
                for url, token in plan.targets
            ]
            keeping = tasks.create_task(_consent(clients), name="consent")
            yield [_secured(client, group) for client in clients]
            keeping.cancel()
            for client in clients:
                await client.close()


def _plain(
    stack: contextlib.ExitStack, host: str, port: str, number: int, group: Sequence[Sequence[bytearray]]
) -> Publisher:
    out = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    out.connect((host, int(port)))
    return Publisher(group, number, (PLAIN_PAYLOAD_TYPE, None), out.send)


def _secured(client: Client, group: Sequence[Sequence[bytearray]]) -> Publisher:
    types = client.remote.payload_type, client.remote.repair_type
    publisher = Publisher(group, client.ssrc, types, client.send)
    client.link.control = lambda rtcp: publisher.control(client.receiving.unprotect_rtcp(rtcp))
    return publisher


async def _consent(clients: Sequence[Client]) -> None:
    while True:
        await asyncio.sleep(CONSENT_INTERVAL_S)
        for client in clients:
            client.link.check()


async def _send(sending: Sequence[Publisher], *, paced: bool) -> None:
    """Frames at their times, publishers spread over the interval."""
    loop = asyncio.get_running_loop()
    step_s = 1 / FPS / len(sending)
    due_s = loop.time()
    while True:
        for publisher in sending:
            await asyncio.sleep(due_s - loop.time())
            for number, _ in enumerate(publisher.frame(), 1):
                if paced and number % PACED_PACKETS == 0:
                    await asyncio.sleep(PACED_S)
            # Late frames are not made up for in a burst, which would be cheaper to forward than frames at their times.
            due_s = max(due_s + step_s, loop.time())


if __name__ == "__main__":
    asyncio.run(main())
