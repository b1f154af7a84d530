"""A clock that is wrong, as those of recorders are: it drifts, and somebody sets it."""

from xunlu_kit.clock import Clock


class DriftingClock:
    """Wall time that runs away from the true one; monotonic time and waiting are those of the true clock."""

    def __init__(self, true: Clock, drift_ppm: float = 0.0, offset_ms: int = 0) -> None:
        """Begin wrong.

        Args:
            true: the clock that is right.
            drift_ppm: microseconds gained each second; negative ones are lost.
            offset_ms: how far ahead wall time is at the beginning; negative is behind.
        """
        self._true = true
        self._drift = drift_ppm / 1e6
        self._offset_ms = offset_ms
        self._set_s = true.monotonic_s()

    def time_ms(self) -> int:
        """Wrong wall time."""
        drifted_ms = (self._true.monotonic_s() - self._set_s) * 1000 * self._drift
        return self._true.time_ms() + self._offset_ms + round(drifted_ms)

    def monotonic_s(self) -> float:
        """Steady time."""
        return self._true.monotonic_s()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._true.sleep(seconds)

    def set_right(self) -> None:
        """Somebody sets it; it drifts on from there."""
        self._offset_ms, self._set_s = 0, self._true.monotonic_s()
