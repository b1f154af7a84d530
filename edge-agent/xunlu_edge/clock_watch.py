"""Honest time: the wall clock of a recorder jumps and drifts, the receiver's UTC does not."""

from dataclasses import dataclass

from xunlu_kit.clock import Clock

JUMP_MS = 2_000
"""A step of the wall clock against the monotonic one that is reported."""

DISTRUST_MS = 2_000
"""Beyond this offset the receiver's UTC is used in place of the wall clock; below it serial latency hides in it."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    wall_ms: int
    monotonic_s: float


class ClockWatch:
    """Compares wall clock, monotonic clock and receiver.

    Attributes:
        offset_ms: wall clock minus receiver UTC at the last fix, signed; None before the first.
    """

    def __init__(self, clock: Clock) -> None:
        self.offset_ms: int | None = None
        self._clock = clock
        self._anchor = self._now()
        self._receiver: _Anchor | None = None
        self._known_offset_ms = 0
        self._seen_offset_ms: int | None = None

    def _now(self) -> _Anchor:
        return _Anchor(self._clock.time_ms(), self._clock.monotonic_s())

    def wall_ms(self) -> int:
        """The wall clock, right or wrong."""
        return self._clock.time_ms()

    def jump_ms(self) -> int | None:
        """How far the wall clock jumped since the last call, signed; None when it went on steadily.

        What was already wrong when the agent started, or drifted away since, shows against the receiver: it is told
        once, when the receiver has said the same at two calls.
        """
        before, self._anchor = self._anchor, self._now()
        elapsed_ms = (self._anchor.monotonic_s - before.monotonic_s) * 1000
        jump = round(self._anchor.wall_ms - before.wall_ms - elapsed_ms)
        if abs(jump) >= JUMP_MS:
            self._known_offset_ms += jump
            self._seen_offset_ms = self.offset_ms = None
            return jump
        return self._offset_jump_ms()

    def _offset_jump_ms(self) -> int | None:
        before, self._seen_offset_ms = self._seen_offset_ms, self.offset_ms
        if before is None or self.offset_ms is None or abs(self.offset_ms - before) >= JUMP_MS:
            return None
        news = self.offset_ms - self._known_offset_ms
        if abs(news) < JUMP_MS:
            return None
        self._known_offset_ms = self.offset_ms
        return news

    def see_receiver(self, utc_ms: int) -> None:
        """Take note of a fix's UTC."""
        now = self._now()
        self._receiver = _Anchor(utc_ms, now.monotonic_s)
        self.offset_ms = now.wall_ms - utc_ms

    def utc_ms(self) -> int:
        """The best knowledge of UTC, milliseconds: the wall clock, or the receiver's time if they disagree."""
        now = self._now()
        if self._receiver is None:
            return now.wall_ms
        carried = self._receiver.wall_ms + round((now.monotonic_s - self._receiver.monotonic_s) * 1000)
        return now.wall_ms if abs(now.wall_ms - carried) < DISTRUST_MS else carried
