"""A generated sound for tests, demos and the bench: 450 Hz, with a pause each second so that the ear hears it live."""

import array
import math
import time

import av

from xunlu_edge.media.pattern import TIME_BASE

RATE_HZ = 48_000
# Nine whole periods in each piece, so that pieces join without a click.
PITCH_HZ = 450
LOUDNESS = 3000
PIECE_S = 0.02
BEEP_PIECES, SECOND_PIECES = 10, 50


class Tone:
    """Makes 20 ms of sound whenever they are due."""

    def __init__(self) -> None:
        samples = round(RATE_HZ * PIECE_S)
        wave = (LOUDNESS * math.sin(math.tau * PITCH_HZ * n / RATE_HZ) for n in range(samples))
        self._beep = array.array("h", map(round, wave)).tobytes()
        self._silence = bytes(len(self._beep))
        self._samples = samples
        self._count = 0
        self._due_s = time.monotonic()

    def read(self) -> av.AudioFrame:
        """Wait until the next piece is due."""
        self._due_s = max(self._due_s + PIECE_S, time.monotonic() - 1.0)
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=self._samples)
        frame.sample_rate = RATE_HZ
        beeps = self._count % SECOND_PIECES < BEEP_PIECES
        self._count += 1
        frame.planes[0].update(self._beep if beeps else self._silence)
        frame.pts, frame.time_base = round((self._due_s - PIECE_S) / TIME_BASE), TIME_BASE
        return frame

    def close(self) -> None:
        """There is nothing to let go of."""
