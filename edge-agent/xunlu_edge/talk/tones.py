"""What the officer hears of floor and groups, generated: each signal of the key has a tone of its own."""

import array
import math
from functools import cache

from xunlu_edge.talk.key import Signal

RATE_HZ = 48_000
PIECE_SAMPLES = 960
PIECE_BYTES = PIECE_SAMPLES * 2
"""20 ms of 16 bits, mono."""
LOUDNESS = 6000
FADE_SAMPLES = 240
# Hertz and milliseconds; 0 Hz is a pause. Rising is yes, falling is no, as on the radios that officers know.
SCORES: dict[Signal, tuple[tuple[int, int], ...]] = {
    "permit": ((800, 40), (1200, 60)),
    "deny": ((400, 120), (0, 60), (400, 120)),
    "queued": ((800, 60),),
    "ending": ((1200, 60), (0, 60), (1200, 60)),
    "revoke": ((1200, 80), (800, 80), (400, 160)),
    "called": ((600, 60), (900, 60), (1200, 120)),
    "returned": ((600, 160),),
}


@cache
def pieces(signal: Signal) -> tuple[bytes, ...]:
    """The tone as pieces of 20 ms, PCM of 16 bits at 48 kHz, mono."""
    samples = array.array("h")
    for hz, ms in SCORES[signal]:
        samples.extend(_note(hz, ms))
    data = samples.tobytes()
    return tuple(data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))


def _note(hz: int, ms: int) -> "array.array[int]":
    """A sine with soft edges, so that it does not click."""
    count = RATE_HZ * ms // 1000
    return array.array(
        "h",
        (
            round(
                LOUDNESS
                * min(1.0, n / FADE_SAMPLES, (count - n) / FADE_SAMPLES)
                * math.sin(math.tau * hz * n / RATE_HZ)
            )
            for n in range(count)
        ),
    )
