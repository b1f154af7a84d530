"""Voice notes as browsers record them: Opus in WebM or in Ogg."""

import io
import math
import struct
from typing import Literal

import av

RATE_HZ = 48_000
FRAME_SAMPLES = 960
PITCH_HZ = 440


def voice_note(duration_s: float, container: Literal["webm", "ogg"] = "webm", *, live: bool = True) -> bytes:
    """A tone of so many seconds.

    Args:
        duration_s: its length, in steps of 20 ms.
        container: what the browser writes.
        live: of WebM, as a recorder that does not know yet how long it will be.
    """
    out = io.BytesIO()
    options = {"live": "1"} if live and container == "webm" else {}
    with av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = 24_000
        for start in range(0, round(duration_s * RATE_HZ), FRAME_SAMPLES):
            file.mux(stream.encode(_frame(start)))
        file.mux(stream.encode(None))
    return out.getvalue()


def _frame(start: int) -> av.AudioFrame:
    samples = (
        round(8000 * math.sin(2 * math.pi * PITCH_HZ * n / RATE_HZ)) for n in range(start, start + FRAME_SAMPLES)
    )
    frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
    frame.planes[0].update(struct.pack(f"<{FRAME_SAMPLES}h", *samples))
    frame.sample_rate, frame.pts = RATE_HZ, start
    return frame
