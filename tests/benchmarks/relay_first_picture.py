"""From a viewer's POST to its first decoded picture: signalling, ICE, DTLS, the cached group of pictures, FFmpeg."""

import asyncio

from tests.benchmarks.media.conversation import child
from tests.benchmarks.media.ours import running_ours
from tests.benchmarks.media.viewer import ViewerPlan
from tests.benchmarks.registry import Bench, benchmark, percentile

RUNS = 60
PACKETS = 9
SETTLE_S = 2.0


@benchmark("relay_first_picture", unit="ms")
async def relay_first_picture(bench: Bench) -> None:
    """One viewer comes and goes while the publisher sends; its last keyframe is up to ten seconds old."""
    async with running_ours(bench.folder / "ours") as relay, child("sender", relay.sender(PACKETS)):
        await asyncio.sleep(SETTLE_S)
        target = relay.receivers(1).targets[0]
        async with child("viewer", ViewerPlan(target=target, frame_packets=PACKETS)) as viewer:
            runs = []
            for _ in range(RUNS):
                runs.append((await viewer.ask("join"))["first_picture_ms"])
                await viewer.ask("leave")
    note = "publisher up, 640 × 360; the viewer uses aiortc's DTLS"
    bench.result("p50", runs, note=note)
    bench.result("p95", runs, value=percentile(runs, 95), budget="≤ 150 ms", note=note)
