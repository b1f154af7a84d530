"""What a relay costs: processor time for each packet that a viewer received."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.benchmarks.media.conversation import Child, child
from tests.benchmarks.media.peers import Relay
from tests.benchmarks.usage import cpu_s

RUNS = 3
RUN_S = 8.0
SETTLE_S = 2.0
COUNTED = ("packets", "frames", "sequences", "cpu_s", "relay_s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fanout:
    """One publisher and a number of viewers.

    Attributes:
        packets_per_cpu_s: packets delivered for each second of the relay's processor time, by run.
        frames_per_cpu_s: the same of whole frames.
        lost_percent: of the packets that a receiver should have had.
        busy_percent: share of its core that the relay took.
        load_percent: share of theirs that the receivers took.
        frames_per_s: to each viewer; 25 are due.
        profile: SRTP protection profile.
    """

    packets_per_cpu_s: Sequence[float]
    frames_per_cpu_s: Sequence[float]
    lost_percent: float
    busy_percent: float
    load_percent: float
    frames_per_s: float
    profile: str

    @property
    def circumstances(self) -> str:
        """What the figures were taken under."""
        return (
            f"{self.busy_percent:.0f} % of its core, lost {self.lost_percent:.2g} %, {self.frames_per_s:.1f} frames/s "
            f"to each viewer, receivers {self.load_percent:.0f} % of theirs, {self.profile}"
        )


async def fanout(relay: Relay, viewers: int, packets: int, *, paced: bool = False) -> Fanout:
    """Let so many watch, and count.

    Args:
        relay: that is measured.
        viewers: of one stream.
        packets: of each frame.
        paced: whether a frame comes spread as from a recorder, else in one burst.
    """
    plan = replace(relay.sender(packets), paced=paced)
    runs: list[dict[str, float]] = []
    async with child("sender", plan), child("receivers", relay.receivers(viewers)) as receivers:
        await asyncio.sleep(SETTLE_S)
        before = await _counts(relay, receivers)
        for _ in range(RUNS):
            await asyncio.sleep(RUN_S)
            now = await _counts(relay, receivers)
            runs.append({name: now[name] - before[name] for name in COUNTED})
            before = now
    assert not before["silent"], f"{before['silent']} viewers of {viewers} received nothing"
    total = {name: sum(run[name] for run in runs) for name in COUNTED}
    return Fanout(
        packets_per_cpu_s=[run["packets"] / run["relay_s"] for run in runs],
        frames_per_cpu_s=[run["frames"] / run["relay_s"] for run in runs],
        lost_percent=100 * (1 - total["packets"] / total["sequences"]),
        busy_percent=100 * total["relay_s"] / (RUNS * RUN_S),
        load_percent=100 * total["cpu_s"] / (RUNS * RUN_S),
        frames_per_s=total["frames"] / viewers / (RUNS * RUN_S),
        profile=", ".join(before["profiles"]),
    )


async def _counts(relay: Relay, receivers: Child) -> dict[str, Any]:
    return await receivers.ask() | {"relay_s": cpu_s(relay.pid)}
