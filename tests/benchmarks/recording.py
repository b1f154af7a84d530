"""What recording costs: processor time of the recorder process for each stream that it writes."""

import asyncio
import itertools
import time

from tests.benchmarks.registry import Bench, benchmark
from tests.benchmarks.usage import cpu_s
from tests.integration.record_rig import Rig, Show, record_rig
from tests.rtp_media import FPS
from tests.services import running_services

STREAMS = (1, 10)
RUNS = 3
RUN_S = 10.0
SETTLE_S = 3.0
LENGTH_S = 10
BITRATE_BPS = 1_500_000


@benchmark("recording", unit="% of a core", limit_s=600)
async def recording(bench: Bench) -> None:
    """H.264 of 1.5 Mbit/s and Opus, in real time, each stream at its own moment; a fragment is durable every second."""
    async with running_services(bench.folder / "services", durable=False) as services:
        for streams in STREAMS:
            folder = bench.folder / f"streams-{streams}"
            folder.mkdir()
            async with record_rig(services.test_broker, folder, f"bench-{streams}", record_always=True) as rig:
                await _measure(bench, rig, streams)


async def _measure(bench: Bench, rig: Rig, streams: int) -> None:
    shares, written = [], 0.0
    async with rig.recorder() as process:
        await rig.relay.heard("take", "*")
        shows = [asyncio.create_task(_show(rig, number, streams)) for number in range(streams)]
        await asyncio.sleep(SETTLE_S)
        before_bytes = await rig.measure("xunlu_record_bytes_total")
        for _ in range(RUNS):
            used_s, began_s = cpu_s(process.pid), time.monotonic()
            await asyncio.sleep(RUN_S)
            passed_s = time.monotonic() - began_s
            shares.append(100 * (cpu_s(process.pid) - used_s) / passed_s / streams)
        written = await rig.measure("xunlu_record_bytes_total") - before_bytes
        for show in shows:
            show.cancel()
        await asyncio.gather(*shows, return_exceptions=True)
    mbit_s = written * 8 / 1e6 / (RUNS * RUN_S) / streams
    bench.result(
        f"{streams:02d}", shares, budget="≤ 1 % of a core for each stream",
        note=f"each stream {mbit_s:.2g} Mbit/s on disk; user and system time, threads that write and hash included",
    )  # fmt: skip


async def _show(rig: Rig, number: int, streams: int) -> None:
    """A stream without end."""
    show = Show(rig.relay, f"REC-{number}", number=number, width=640, bitrate_bps=BITRATE_BPS, length_s=LENGTH_S)
    loop = asyncio.get_running_loop()
    began_s = loop.time() + number / streams / FPS
    await asyncio.sleep(began_s - loop.time())
    await show.begin()
    for picture in itertools.count(1):
        await show.play(1 / FPS)
        await asyncio.sleep(max(0.0, began_s + picture / FPS - loop.time()))
