"""A clock that is wrong, as those of recorders are: it drifts, and somebody sets it."""

from xunlu_kit.clock import SystemClock


class DriftingClock(SystemClock):
    """Wall time that runs away; monotonic time and waiting are the machine's.

    Attributes:
        offset_ms: how far wall time is off now, without the drift.
    """

    def __init__(self, drift_ppm: float = 0.0, offset_ms: int = 0) -> None:
        self.offset_ms = offset_ms
        self._drift = drift_ppm / 1e6
        self._began_s = self.monotonic_s()

    def time_ms(self) -> int:
        """Wrong wall time."""
        drifted_ms = (self.monotonic_s() - self._began_s) * 1000 * self._drift
        return super().time_ms() + self.offset_ms + round(drifted_ms)
