"""What coming and going costs a relay: joins for each second of its processor time, and memory."""

import asyncio

from tests.benchmarks.media.conversation import child
from tests.benchmarks.media.ours import running_ours
from tests.benchmarks.registry import Bench, benchmark, percentile
from tests.benchmarks.usage import cpu_s, status_mb

VIEWERS = 200
ROUNDS = 6
PACKETS = 9
SETTLE_S = 2.0


@benchmark("relay_joins", unit="joins/CPU-s")
async def relay_joins(bench: Bench) -> None:
    """Everybody comes, and everybody goes, again and again, while the stream runs."""
    joins_per_cpu_s: list[float] = []
    joins_ms: list[float] = []
    full_mb, empty_mb = [], []
    async with running_ours(bench.folder / "ours") as relay, child("sender", relay.sender(PACKETS)):
        await asyncio.sleep(SETTLE_S)
        before_mb, used_s = status_mb(relay.pid, "VmRSS"), cpu_s(relay.pid)
        async with child("receivers", relay.receivers(VIEWERS)) as receivers:
            for number in range(ROUNDS):
                if number:
                    used_s = cpu_s(relay.pid)
                    joins_ms += (await receivers.ask("join"))["joins_ms"]
                joins_per_cpu_s.append(VIEWERS / (cpu_s(relay.pid) - used_s))
                full_mb.append(status_mb(relay.pid, "VmRSS"))
                await receivers.ask("leave")
                await asyncio.sleep(SETTLE_S)
                empty_mb.append(status_mb(relay.pid, "VmRSS"))
    note = f"{VIEWERS} viewers of a running stream, 8 at a time; what it sends to those who are there counts, too"
    bench.result("", joins_per_cpu_s, budget="≥ 100", note=note)
    bench.result("time_p95", joins_ms, unit="ms", value=percentile(joins_ms, 95), note="POST to DTLS keys")
    bench.result("memory_of_a_viewer", [(full_mb[0] - before_mb) * 1000 / VIEWERS], unit="kB", budget="≤ 150 kB")
    bench.result(
        "memory_growth", [empty_mb[-1] - empty_mb[0]], unit="MB", budget="flat",
        note=f"RSS without viewers, from after {VIEWERS} joins and leaves to after {VIEWERS * ROUNDS:,}: "
        + ", ".join(f"{value:.1f}" for value in empty_mb),
    )  # fmt: skip
