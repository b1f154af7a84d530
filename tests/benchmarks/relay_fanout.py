"""What a viewer costs: packets delivered for each second of the relay's processor time, user and system.

The relay has one core and the load the other one. Janus gets plain RTP where ours gets SRTP: it decrypts nothing.
Naive aiortc encodes for every viewer and so sends other packets; what compares are frames.
"""

from statistics import median

from tests.benchmarks.media.fanout import Fanout, fanout
from tests.benchmarks.media.ours import running_ours
from tests.benchmarks.media.peers import Relay, running_janus, running_naive
from tests.benchmarks.registry import Bench, UnavailableError, benchmark

# Viewers, packets a frame, spread as a recorder does or in one burst. A core of Janus carries no more than these.
WITH_JANUS = ((50, 9, False), (80, 9, False), (80, 18, False), (80, 9, True))
ALONE = ((200, 9, False), (200, 9, True), (500, 9, False), (500, 18, False))
Load = tuple[int, int, bool]
NAIVE_VIEWERS = 8
BUDGET = "≥ 150,000, Janus × 4"


@benchmark("relay_fanout", unit="packets/CPU-s", limit_s=1800)
async def relay_fanout(bench: Bench) -> None:
    """One publisher, the same receivers for every relay, one after the other."""
    janus = await _janus(bench)
    async with running_naive() as relay:
        naive = await fanout(relay, NAIVE_VIEWERS, 9)
    async with running_ours(bench.folder / "ours") as relay:
        for load in (*WITH_JANUS, *ALONE):
            _note(bench, load, await _measured(relay, load), janus.get(load))
        few = await fanout(relay, NAIVE_VIEWERS, 9)
    bench.result(
        f"frames_{NAIVE_VIEWERS:03d}_viewers", few.frames_per_cpu_s, unit="frames/CPU-s",
        peer="aiortc RTCPeerConnection and MediaRelay", peer_value=median(naive.frames_per_cpu_s),
        note=f"ours: {few.circumstances}; aiortc, which decodes and encodes: {naive.circumstances}",
    )  # fmt: skip


async def _measured(relay: Relay, load: Load) -> Fanout:
    viewers, packets, paced = load
    return await fanout(relay, viewers, packets, paced=paced)


async def _janus(bench: Bench) -> dict[Load, tuple[str, Fanout]]:
    """What Janus does; nothing where it is absent."""
    try:
        async with running_janus(bench.folder / "janus") as relay:
            return {load: (relay.name, await _measured(relay, load)) for load in WITH_JANUS}
    except UnavailableError as reason:
        bench.say(f"no peer: {reason}")
        return {}


def _note(bench: Bench, load: Load, ours: Fanout, janus: tuple[str, Fanout] | None) -> None:
    viewers, packets, paced = load
    name, peer = janus or ("", None)
    part = f"{viewers:03d}_viewers_{packets:02d}_packets" + ("_paced" if paced else "")
    told = f"; {name}: {peer.circumstances}" if peer else ""
    bench.result(
        part, ours.packets_per_cpu_s, budget=BUDGET, note=f"ours: {ours.circumstances}{told}",
        peer=name, peer_value=median(peer.packets_per_cpu_s) if peer else None,
    )  # fmt: skip
