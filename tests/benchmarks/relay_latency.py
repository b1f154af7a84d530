"""How much later a viewer has a frame because a relay stands between.

From before the publisher sends a frame's first packet until the kernel has its last one in the viewer's socket, so the
time in which the publisher itself encrypts and sends nine packets is part of it, for every relay alike.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tests.benchmarks.media.conversation import child
from tests.benchmarks.media.ours import running_ours
from tests.benchmarks.media.peers import Relay, running_janus
from tests.benchmarks.registry import Bench, UnavailableError, benchmark, percentile

STREAMS = 25
VIEWERS = 4
PACKETS = 9
RUNS = 3
RUN_S = 8.0
SETTLE_S = 3.0
PERCENTILES = {50: "", 99: "≤ 2 ms"}


@benchmark("relay_latency", unit="ms")
async def relay_latency(bench: Bench) -> None:
    """25 streams with 4 viewers each, spread over the frame interval."""
    peer = ""
    peer_runs: Sequence[Sequence[float]] = ()
    try:
        async with running_janus(bench.folder / "janus", streams=STREAMS) as relay:
            peer, peer_runs = relay.name, await _latencies_ms(relay)
    except UnavailableError as reason:
        bench.say(f"no peer: {reason}")
    async with running_ours(bench.folder / "ours", streams=STREAMS) as relay:
        runs = await _latencies_ms(relay)
    note = f"whole frames of {PACKETS} packets, {sum(map(len, runs)):,} of them at {STREAMS * VIEWERS} viewers"
    for percent, budget in PERCENTILES.items():
        value = percentile([one for run in runs for one in run], percent)
        peer_value = percentile([one for run in peer_runs for one in run], percent) if peer_runs else None
        each = [percentile(run, percent) for run in runs]
        bench.result(f"p{percent}", each, value=value, budget=budget, peer=peer, peer_value=peer_value, note=note)


async def _latencies_ms(relay: Relay) -> list[list[float]]:
    """Of every frame at every viewer, by run."""
    runs = []
    viewers = replace(relay.receivers(VIEWERS), canary_every=1)
    async with child("sender", relay.sender(PACKETS)), child("receivers", viewers) as receivers:
        await asyncio.sleep(SETTLE_S)
        await receivers.ask()
        for _ in range(RUNS):
            await asyncio.sleep(RUN_S)
            runs.append((await receivers.ask())["latencies_ms"])
    return runs
