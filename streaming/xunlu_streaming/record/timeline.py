"""From RTP times to UTC: what keeps sound and picture together, and recordings on one clock.

That clock is this machine's. A publisher's own may be hours off, so its sender reports are used only for what they
are exact in: how its tracks lie to each other (RFC 3550 §6.4.1). The picture leads; the sound is moved to it, at once
by the first reports and slowly by later ones, for those of a busy publisher may be off by tenths of a second.
"""

from collections import deque

from xunlu_streaming.sequence import Unwrapper

LEAP_US = 5_000_000
"""A time that differs more from its arrival says that the publisher's RTP clock was set."""
SKEW_US_MIN = 15_000
"""Smaller differences are left alone: reports are often a frame off, and nobody sees or hears it."""
SKEW_US_MAX = 2_000_000
"""A larger one is no skew: the publisher's NTP clock was set between two reports."""
REPORTS_APART_NTP_MAX = 30 << 32
REPORTS_KEPT = 5
"""Their median counts."""
SLEW = 20
"""Time is stretched or shortened by no more than one part in so many: no sound is lost, and none is heard to change."""


class Timeline:
    """UTC of one track's RTP times.

    It begins as if the first packet had taken no time on its way; `settle` corrects that by the fastest one since.

    Attributes:
        report: the publisher's last NTP time and the RTP time that belongs to it (RFC 3550 §6.4.1).
    """

    def __init__(self, clock_hz: int) -> None:
        """Begin.

        Args:
            clock_hz: of the RTP times, > 0.
        """
        self._clock_hz = clock_hz
        self.report: tuple[int, int] | None = None
        self._begin()

    def _begin(self) -> None:
        self._times = Unwrapper()
        self._base_us: int | None = None
        self._fastest_us: int | None = None
        self._newest_us = 0
        self._wanted_us: deque[int] = deque(maxlen=REPORTS_KEPT)
        self._slews = False

    def utc_us(self, stamp: int, arrival_us: int) -> int:
        """UTC microseconds of a packet.

        Args:
            stamp: its RTP time.
            arrival_us: UTC microseconds when the relay received it.
        """
        passed_us = self._us(self._times.unwrap_time(stamp))
        if self._base_us is None:
            self._base_us = arrival_us - passed_us
        late_us = arrival_us - passed_us - self._base_us
        if abs(late_us) > LEAP_US:
            self._begin()
            self.report = None
            return self.utc_us(stamp, arrival_us)
        if self._fastest_us is None or late_us < self._fastest_us:
            self._fastest_us = late_us
        if self._wanted_us:
            self._base_us += self._slew(passed_us)
        return self._base_us + passed_us

    def _slew(self, passed_us: int) -> int:
        """How far to go now towards what the reports say."""
        step_us = max(0, passed_us - self._newest_us) // SLEW
        self._newest_us = max(self._newest_us, passed_us)
        assert self._base_us is not None
        apart_us = sorted(self._wanted_us)[len(self._wanted_us) // 2] - self._base_us
        self._slews = abs(apart_us) > (0 if self._slews else SKEW_US_MIN)
        return max(-step_us, min(step_us, apart_us)) if self._slews else 0

    def _us(self, time: int) -> int:
        return time * 1_000_000 // self._clock_hz

    def settle(self) -> None:
        """Move to the packet that came fastest since the last time; between two files, where a step does no harm."""
        if self._base_us is not None and self._fastest_us is not None:
            self._base_us += self._fastest_us
            self._fastest_us = None

    def follow(self, leader: "Timeline") -> None:
        """Lie to the leader as the publisher's last reports say; without them, as the packets arrived."""
        ours, theirs = self.report, leader.report
        if ours is None or theirs is None:
            return
        apart_ntp = ours[0] - theirs[0]
        if abs(apart_ntp) > REPORTS_APART_NTP_MAX:
            return
        here_us, there_us = self.at(ours[1]), leader.at(theirs[1])
        if self._base_us is None or here_us is None or there_us is None:
            return
        skew_us = there_us + (apart_ntp * 1_000_000 >> 32) - here_us
        if abs(skew_us) > SKEW_US_MAX:
            return
        first = not self._wanted_us
        self._wanted_us.append(self._base_us + skew_us)
        if first:
            self._base_us += skew_us

    def forget_reports(self) -> None:
        """Follow the next report at once again; between two files, where a step does no harm."""
        self._wanted_us.clear()

    def at(self, stamp: int) -> int | None:
        """UTC microseconds of an RTP time near the newest one; None before the first packet."""
        return None if self._base_us is None else self._base_us + self._us(self._times.unwrap_time(stamp))
