"""The state machine of a visit: outside, entering, inside, leaving, outside.

It walks over *runs*: fixes of one device in a row that all say the same about one zone. A run costs the same however
many fixes it has, so a day at one place is one step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from xunlu_gis.fence.event import Reason, ZoneEvent
from xunlu_gis.fence.fixes import Fixes
from xunlu_gis.fence.rules import FenceRules
from xunlu_gis.fence.states import ENTERING, INSIDE, LEAVING, OUTSIDE
from xunlu_gis.fence.zone import ALARM_ON, EventKind, Zone

OUT, BAND, IN, UNKNOWN, SHUT = range(5)
"""What a fix says about a zone: outside of the grown zone, between, inside, nothing, or that it is not in force."""


class Place(NamedTuple):
    """When and where a fix was."""

    time_ms: int
    lon: float
    lat: float


class Run(NamedTuple):
    """Fixes `first` to before `end` of a fixes, which all say `code`.

    Attributes:
        code: `OUT` … `SHUT`.
        first: number in the batch.
        end: number in the batch.
        before: the last fix heard before the first.
        cut: why a visit before this run ended: silence, or the zone's opening is over; None: it goes on.
        initial: the first look at the zone in this opening: whoever is inside now did not enter.
    """

    code: int
    first: int
    end: int
    before: Place | None
    cut: Reason | None
    initial: bool


@dataclass(slots=True)
class Visit:
    """One device at one zone; the fields are those of `states.PRESENCE`, in its order."""

    device: int
    zone: int
    phase: int = OUTSIDE
    entered_ms: int = 0
    warned: bool = False
    since_ms: int = 0
    fixes: int = 0
    lon: float = 0.0
    lat: float = 0.0

    @property
    def row(self) -> tuple[Any, ...]:
        """As `states.PRESENCE` keeps it."""
        return (
            self.device, self.zone, self.phase, self.entered_ms, self.warned,
            self.since_ms, self.fixes, self.lon, self.lat,
        )  # fmt: skip

    def follow(self, run: Run, fixes: Fixes, zone: Zone | None, rules: FenceRules) -> Iterator[ZoneEvent]:
        """Take one run, and tell what happened in it."""
        if run.cut is not None and run.before is not None:
            yield from self.end(run.before, int(fixes.time_ms[run.first]), run.cut)
        if zone is None or run.code in (UNKNOWN, SHUT):
            return
        if run.code == OUT:
            yield from self._outside(run, fixes, zone, rules)
            return
        first = run.first
        if run.code == IN and self.phase in (OUTSIDE, ENTERING):
            confirmed = self._enter(run, fixes, rules)
            if confirmed is None:
                return
            first, since = confirmed, self._since
            self._settle(since.time_ms)
            if not run.initial:
                yield self._event("enter", since, int(fixes.time_ms[confirmed]), zone)
        elif self.phase == ENTERING:
            self.phase = OUTSIDE
        elif self.phase == LEAVING:
            self._settle(self.entered_ms)
        if self.phase == INSIDE:
            yield from self._stay(first, run.end, fixes, zone)

    def end(self, last: Place, now_ms: int, reason: Reason) -> Iterator[ZoneEvent]:
        """End a visit by the last fix that was heard; `now_ms` is when that became certain."""
        if self.phase in (INSIDE, LEAVING):
            yield self._event("leave", last, now_ms, None, reason)
        self.phase = OUTSIDE

    def _enter(self, run: Run, fixes: Fixes, rules: FenceRules) -> int | None:
        """Enter by a run inside; returns the index of the fix that confirmed it, or None while none has."""
        if self.phase == OUTSIDE:
            self._begin(ENTERING, _place(fixes, run.first))
            self.entered_ms, self.warned = 0, False
        by_count = run.first + max(0, rules.enter_fixes - self.fixes - 1)
        by_time = _first_at(fixes, run, self.since_ms + round(rules.enter_s * 1000))
        confirmed = run.first if run.initial else min(by_count, by_time)
        if confirmed >= run.end:
            self.fixes += run.end - run.first
            return None
        return confirmed

    def _outside(self, run: Run, fixes: Fixes, zone: Zone, rules: FenceRules) -> Iterator[ZoneEvent]:
        """Leave by a run outside of the grown zone."""
        if self.phase == ENTERING:
            self.phase = OUTSIDE
        if self.phase == OUTSIDE:
            return
        if self.phase == INSIDE:
            self._begin(LEAVING, _place(fixes, run.first))
        by_count = run.first + max(0, rules.leave_fixes - self.fixes - 1)
        by_time = _first_at(fixes, run, self.since_ms + round(rules.leave_s * 1000))
        confirmed = max(by_count, by_time)
        if confirmed >= run.end:
            self.fixes += run.end - run.first
            return
        self.phase = OUTSIDE
        yield self._event("leave", self._since, int(fixes.time_ms[confirmed]), zone)

    def _stay(self, first: int, end: int, fixes: Fixes, zone: Zone) -> Iterator[ZoneEvent]:
        if zone.dwell_s_max is None or self.warned:
            return
        limit_ms = self.entered_ms + round(zone.dwell_s_max * 1000)
        late = first + int(fixes.time_ms[first:end].searchsorted(limit_ms))
        if late < end:
            self.warned = True
            place = _place(fixes, late)
            yield self._event("dwell", place, place.time_ms, zone)

    def _begin(self, phase: int, place: Place) -> None:
        self.phase, self.fixes = phase, 0
        self.since_ms, self.lon, self.lat = place

    def _settle(self, entered_ms: int) -> None:
        """Be inside, with nothing unconfirmed: however the fixes came in parts, the same row is left."""
        self.phase, self.entered_ms = INSIDE, entered_ms
        self.since_ms, self.fixes, self.lon, self.lat = 0, 0, 0.0, 0.0

    @property
    def _since(self) -> Place:
        return Place(self.since_ms, self.lon, self.lat)

    def _event(
        self, kind: EventKind, place: Place, confirmed_ms: int, zone: Zone | None, reason: Reason = ""
    ) -> ZoneEvent:
        return ZoneEvent(
            device=self.device,
            zone=self.zone,
            kind=kind,
            at_ms=place.time_ms,
            confirmed_ms=confirmed_ms,
            entered_ms=self.entered_ms,
            lon=place.lon,
            lat=place.lat,
            reason=reason,
            alarm=zone is not None and (kind == "dwell" or ALARM_ON.get(zone.kind) == kind),
        )


def _place(fixes: Fixes, number: int) -> Place:
    return Place(int(fixes.time_ms[number]), float(fixes.lon[number]), float(fixes.lat[number]))


def _first_at(fixes: Fixes, run: Run, time_ms: int) -> int:
    """The first fix of a run at or after a time; its end when there is none."""
    return run.first + int(fixes.time_ms[run.first : run.end].searchsorted(time_ms))
