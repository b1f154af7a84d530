"""Kills at random under load: what the devices held against what is stored."""

import os

from tests.benchmarks.registry import Bench, benchmark
from tests.system.endurance import endurance, run_rounds

ROUNDS = int(os.environ.get("ROUNDS", "200"))
RECORDERS = int(os.environ.get("RECORDERS", "20"))
PERIOD_S = 0.2
SEED = 20261124


@benchmark("kill", unit="fixes and events", limit_s=3600)
async def kill(bench: Bench) -> None:
    """SIGKILL to agents, broker, workers or database, again and again; row by row at the end."""
    async with endurance(bench.folder, recorders=RECORDERS, period_s=PERIOD_S) as chain:
        verdict = await run_rounds(chain, rounds=ROUNDS, seed=SEED)
    kills = ", ".join(f"{name} {count}" for name, count in sorted(chain.kills.items()))
    note = f"{verdict.held:,} held by {RECORDERS} agents that report {1 / PERIOD_S:.0f} times a second; kills: {kills}"
    bench.result("lost", [len(verdict.lost)], budget="0", note=note)
    bench.result("doubled", [len(verdict.doubled)], budget="0")
    bench.result("changed", [len(verdict.changed) + len(verdict.strange)], budget="0")
