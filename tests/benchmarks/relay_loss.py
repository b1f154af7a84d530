"""Whole pictures over a bad network: losses on both legs, and an outage of the uplink.

Publisher and viewer each reach the relay through a UDP proxy. The publisher sends again what it is asked for, and so
does the relay; the viewer asks as browsers do.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from tests.benchmarks.media.conversation import Child, child
from tests.benchmarks.media.link import own_address
from tests.benchmarks.media.network import NetworkPlan
from tests.benchmarks.media.ours import running_ours
from tests.benchmarks.media.stream import FPS
from tests.benchmarks.media.viewer import ViewerPlan
from tests.benchmarks.registry import Bench, benchmark, percentile
from tests.services import free_ports
from xunlu_sim.udp_impairment import UdpOptions

HOST = "127.0.0.1"
PACKETS = 9
LOSS = 0.1
# One way on one leg; a round trip from publisher to viewer is four of them.
LEGS_S = {50: 0.0125, 100: 0.025}
WITHIN_S = 0.2
PROCESSING_S = 0.01
RUNS = 3
RUN_S = 20.0
SETTLE_S = 2.0
OUTAGES = 10
OUTAGE_S = 1.0
BACK_S = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One frame as the viewer had it; UTC seconds."""

    sent_s: float
    whole_s: float | None
    keyframe: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A publisher, the relay and a viewer with a network between them."""

    network: Child
    viewer: Child

    async def pictures(self) -> list[Picture]:
        """All so far, in their order."""
        told = (await self.viewer.ask())["pictures"]
        return [
            Picture(sent_s=sent / 1e9, whole_s=whole / 1e9 if whole else None, keyframe=keyframe)
            for _, sent, whole, keyframe in told
        ]


@contextlib.asynccontextmanager
async def _chain(bench: Bench, options: Sequence[UdpOptions]) -> AsyncIterator[Chain]:
    """Options of the publisher's leg, then of the viewer's."""
    [port] = free_ports(1)
    up, down = map(asdict, options)
    plan = NetworkPlan(host=own_address(), port=port, up=up, down=down)
    async with (
        running_ours(bench.folder / f"{time.monotonic_ns()}", media_port=port) as relay,
        child("network", plan) as network,
    ):
        ports = await network.ask()
        async with child("sender", replace(relay.sender(PACKETS), via=(HOST, ports["up"]))):
            await asyncio.sleep(SETTLE_S)
            [target] = relay.receivers(1).targets
            watching = ViewerPlan(
                target=target,
                frame_packets=PACKETS,
                ask_again_s=2 * options[1].delay_s + PROCESSING_S,
                via=(HOST, ports["down"]),
            )
            async with child("viewer", watching) as viewer:
                await viewer.ask("join")
                yield Chain(network=network, viewer=viewer)


@benchmark("relay_loss", unit="% of frames")
async def relay_loss(bench: Bench) -> None:
    """10 % of the datagrams of each direction of each leg are lost."""
    for rtt_ms, one_way_s in LEGS_S.items():
        in_time: list[float] = []
        delays_ms: list[float] = []
        for seed in range(RUNS):
            options = [UdpOptions(loss=LOSS, delay_s=one_way_s, seed=2 * seed + leg) for leg in (1, 2)]
            async with _chain(bench, options) as chain:
                wholes_s = await _delays_s(chain)
            in_time.append(100 * sum(late <= WITHIN_S for late in wholes_s) / (FPS * RUN_S))
            delays_ms += [late * 1000 for late in wholes_s]
        p50, p95, p99 = (percentile(delays_ms, percent) for percent in (50, 95, 99))
        note = (
            f"whole at the viewer within {WITHIN_S * 1000:.0f} ms of being sent, {RUNS} × {RUN_S:.0f} s, {PACKETS} "
            f"packets a frame; p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, "
            f"{100 * len(delays_ms) / (FPS * RUN_S * RUNS):.2f} % whole at all"
        )
        bench.result(f"rtt_{rtt_ms:03d}_ms", in_time, budget="≥ 98.5" if rtt_ms == 50 else "", note=note)


async def _delays_s(chain: Chain) -> list[float]:
    """From sent to whole, of the frames of one run that came."""
    await asyncio.sleep(SETTLE_S)
    began_s = time.time()
    await asyncio.sleep(RUN_S + SETTLE_S)
    return [
        one.whole_s - one.sent_s
        for one in await chain.pictures()
        if one.whole_s is not None and began_s <= one.sent_s < began_s + RUN_S
    ]


@benchmark("relay_outage", unit="ms")
async def relay_outage(bench: Bench) -> None:
    """The uplink is dead for a second; how long after that the viewer can decode again."""
    back_ms: list[float] = []
    options = UdpOptions(delay_s=LEGS_S[50])
    async with _chain(bench, [options, options]) as chain:
        for _ in range(OUTAGES):
            await chain.network.ask("lose")
            await asyncio.sleep(OUTAGE_S)
            await chain.network.ask("find")
            found_s = time.time()
            await asyncio.sleep(BACK_S)
            shown = (at_s for sent_s, at_s in decodable(await chain.pictures()) if sent_s > found_s)
            back_ms.append((min(shown, default=found_s + BACK_S) - found_s) * 1000)
    note = (
        f"after {OUTAGE_S:.0f} s without uplink, round trip 50 ms; the benchmark's publisher, which sends on meanwhile"
    )
    bench.result("back_p50", back_ms, note=note)
    bench.result("back_p95", back_ms, value=percentile(back_ms, 95), budget="≤ 800 ms", note=note)


def decodable(pictures: Sequence[Picture]) -> Iterator[tuple[float, float]]:
    """When each frame that can be decoded was sent, and when it and all that it builds on had come."""
    ready_s: float | None = None
    for one in pictures:
        if one.whole_s is None:
            ready_s = None
        elif one.keyframe:
            ready_s = one.whole_s
        elif ready_s is not None:
            ready_s = max(ready_s, one.whole_s)
        if ready_s is not None:
            yield one.sent_s, ready_s
