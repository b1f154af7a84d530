"""The program that watches: any number of viewers, which connect as browsers do and then only count.

They decrypt nothing, so that they cost less than the relay, and send a receiver report a second, as browsers do.
Every `canary_every`-th one decrypts and measures the latency of each frame.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from aiortc import RTCCertificate
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

from tests.benchmarks.media.canary import Canary
from tests.benchmarks.media.client import Client, joined
from tests.benchmarks.media.conversation import questions, say
from tests.benchmarks.media.link import CONSENT_INTERVAL_S, Link, Pump
from tests.benchmarks.media.signalling import TIMEOUT_S, Http, Janus, JanusViewer, Signalling

SIGNALLING_MAX = 8
REPORT_INTERVAL_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiversPlan:
    """Who watches what.

    Attributes:
        kind: `whep`, or `janus`.
        targets: for each viewer URL and token of its WHEP endpoint, or of Janus and number of the mountpoint.
        canary_every: one of so many viewers decrypts; 0 is none.
    """

    kind: Literal["whep", "janus"]
    targets: Sequence[tuple[str, str]]
    canary_every: int = 0


class Audience:
    """All viewers of one program."""

    def __init__(self, plan: ReceiversPlan, pump: Pump, http: httpx2.AsyncClient, janus: Janus | None) -> None:
        self._plan = plan
        self._pump = pump
        self._http = http
        self._janus = janus
        self._certificate = RTCCertificate.generateCertificate()
        self._signalling = asyncio.Semaphore(SIGNALLING_MAX)
        self._viewers: list[tuple[Client, Signalling]] = []
        self._joins_ms: list[float] = []

    async def join(self) -> None:
        """All come, some at a time."""
        async with asyncio.TaskGroup() as group:
            for number, target in enumerate(self._plan.targets):
                group.create_task(self._join(number, target), name=f"join-{number}")

    async def leave(self) -> None:
        """All go, and say so."""
        viewers, self._viewers = self._viewers, []
        async with asyncio.TaskGroup() as group:
            for client, signalling in viewers:
                group.create_task(self._leave(client, signalling), name="leave")

    def counts(self) -> dict[str, Any]:
        """What came so far; latencies and times to join since the last call."""
        links = [client.link for client, _ in self._viewers]
        canaries = [link for link in links if isinstance(link, Canary)]
        latencies_ms = [latency_ns / 1e6 for one in canaries for latency_ns in one.latencies_ns]
        for one in canaries:
            one.latencies_ns.clear()
        joins_ms, self._joins_ms = self._joins_ms, []
        return {
            "viewers": len(links),
            "packets": sum(link.packets for link in links),
            "frames": sum(link.frames for link in links),
            "sequences": sum(link.sequence for link in links),
            "silent": sum(not link.packets for link in links),
            "profiles": sorted({client.profile for client, _ in self._viewers}),
            "latencies_ms": latencies_ms,
            "joins_ms": joins_ms,
            "cpu_s": time.process_time(),
        }

    async def keep(self) -> None:
        """Consent and receiver reports."""
        spoken = 0
        while True:
            await asyncio.sleep(REPORT_INTERVAL_S)
            spoken += 1
            for client, _ in self._viewers:
                _report(client)
                if spoken % round(CONSENT_INTERVAL_S / REPORT_INTERVAL_S) == 0:
                    client.link.check()

    async def _leave(self, client: Client, signalling: Signalling) -> None:
        async with self._signalling:
            await client.close()
            await signalling.end()

    async def _join(self, number: int, target: tuple[str, str]) -> None:
        every = self._plan.canary_every
        kind = Canary if every and number % every == 0 else Link
        signalling: Signalling = (
            Http(self._http, *target) if self._janus is None else JanusViewer(self._janus, int(target[1]))
        )
        async with self._signalling:
            began_s = time.monotonic()
            client = await joined(self._pump, signalling, self._certificate, "recvonly", kind)
            self._joins_ms.append((time.monotonic() - began_s) * 1000)
        if isinstance(client.link, Canary):
            client.link.open(client.receiving)
        self._viewers.append((client, signalling))


def _report(client: Client) -> None:
    """A receiver report without loss (RFC 3550 §6.4.2)."""
    link = client.link
    if link.sequence >= 0:
        info = RtcpReceiverInfo(
            ssrc=link.source, fraction_lost=0, packets_lost=0, highest_sequence=link.sequence, jitter=0, lsr=0, dlsr=0
        )
        client.send_rtcp(bytes(RtcpRrPacket(ssrc=client.ssrc, reports=[info])))


@contextlib.asynccontextmanager
async def audience(plan: ReceiversPlan) -> AsyncIterator[Audience]:
    """Everybody has joined."""
    limits = httpx2.Limits(max_connections=SIGNALLING_MAX + 1)
    with Pump() as pump:
        async with contextlib.AsyncExitStack() as stack:
            http = await stack.enter_async_context(httpx2.AsyncClient(timeout=TIMEOUT_S, limits=limits))
            janus = None
            if plan.kind == "janus":
                janus = await stack.enter_async_context(Janus.connected(http, plan.targets[0][0]))
            viewers = Audience(plan, pump, http, janus)
            await viewers.join()
            keeping = asyncio.create_task(viewers.keep(), name="keep")
            try:
                yield viewers
            finally:
                keeping.cancel()
                await viewers.leave()


async def main() -> None:
    """Watch until the input ends."""
    asked = questions()
    plan = ReceiversPlan(**json.loads(await anext(asked)))
    async with audience(plan) as viewers:
        say(viewers.counts())
        async for question in asked:
            if question == "leave":
                await viewers.leave()
            elif question == "join":
                await viewers.join()
            say(viewers.counts())


if __name__ == "__main__":
    asyncio.run(main())
