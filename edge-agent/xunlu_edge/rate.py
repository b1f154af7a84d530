"""The adaptive rate: how often a fix is reported, by what the officer does."""

from dataclasses import dataclass

from xunlu_edge.gate import Fix, distance_m
from xunlu_protocol.shadow import RecorderConfig

MOVING_MPS = 1.0
STILL_AFTER_MS = 30_000
STILL_RADIUS_M = 20.0
TURN_DEG = 30.0
TURN_MPS = 2.0
# Receivers tick at 1 Hz with some jitter: a fix that comes this much early is not worth another period of waiting.
EARLY_MS = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """What the recorder is doing.

    Attributes:
        recording: a recording runs.
        sos: an SOS is on.
        interval_s: asked for by the command `track_interval`; None is adaptive.
    """

    recording: bool = False
    sos: bool = False
    interval_s: float | None = None


class Rate:
    """Decides which fixes are reported.

    Standing is left at once when the officer leaves a circle of 20 m or walks, and entered after 30 s: a jittering
    receiver must not look like a walk. A turn on the move is reported at once, so that tracks keep their corners.

    Attributes:
        interval_s: the interval in force at the last fix.
    """

    def __init__(self) -> None:
        self.interval_s = 0.0
        self._anchor: Fix | None = None
        self._moved_ms = 0
        self._moving = False
        self._reported: Fix | None = None
        self._asked = False

    def ask(self) -> None:
        """Report the next fix whatever the interval (`locate_now`)."""
        self._asked = True

    def is_due(self, fix: Fix, activity: Activity, config: RecorderConfig) -> bool:
        """Whether `fix` is to be reported."""
        self._watch_motion(fix)
        self.interval_s = self._interval_s(activity, config)
        last = self._reported
        due = (
            last is None
            or self._asked
            or fix.utc_ms < last.utc_ms
            or fix.utc_ms - last.utc_ms >= self.interval_s * 1000 - EARLY_MS
            or (activity.interval_s is None and self._is_turn(last, fix))
        )
        if due:
            self._reported, self._asked = fix, False
        return due

    def _interval_s(self, activity: Activity, config: RecorderConfig) -> float:
        if activity.sos:
            return min(config.sos_s, activity.interval_s or config.sos_s)
        if activity.interval_s is not None:
            return activity.interval_s
        if activity.recording:
            return config.recording_s
        return config.moving_s if self._moving else config.still_s

    def _watch_motion(self, fix: Fix) -> None:
        speed = fix.epoch.speed_mps or 0.0
        anchor = self._anchor
        left = anchor is None or (
            distance_m(anchor.lat, anchor.lon, fix.lat, fix.lon) > max(STILL_RADIUS_M, 2 * fix.accuracy_m)
        )
        if left or speed >= MOVING_MPS:
            self._moving = anchor is not None
            self._anchor, self._moved_ms = fix, fix.utc_ms
        elif fix.utc_ms - self._moved_ms >= STILL_AFTER_MS:
            self._moving = False

    @staticmethod
    def _is_turn(last: Fix, fix: Fix) -> bool:
        before, now, speed = last.epoch.course_deg, fix.epoch.course_deg, fix.epoch.speed_mps
        if before is None or now is None or speed is None or speed < TURN_MPS:
            return False
        return abs((now - before + 180) % 360 - 180) >= TURN_DEG
