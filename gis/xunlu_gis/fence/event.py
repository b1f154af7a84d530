"""What happened at a zone, and what late fixes change about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from xunlu_gis.fence.zone import EventKind

Reason = Literal["", "gap", "closed"]

EventKey = tuple[int, int, EventKind, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneEvent:
    """Somebody entered, left, or stays too long.

    Attributes:
        device: who.
        zone: id of the zone's version.
        kind: `enter` and `leave` alternate; a visit that began before anybody looked has no `enter`.
        at_ms: fix time of the first fix inside (enter), of the first outside or the last before a silence or the end of
            the zone (leave), of the first beyond the limit (dwell).
        confirmed_ms: fix time of the fix that made it certain.
        entered_ms: fix time of the visit's beginning, as far as it was seen.
        lon: degrees, of the fix at `at_ms`.
        lat: degrees, of the fix at `at_ms`.
        reason: of leaving: by foot (empty), not heard of (`gap`), the zone is no longer in force (`closed`).
        alarm: whether the kind of the zone makes this an alarm. Never when late.
        late: found out by fixes that arrived late.
    """

    device: int
    zone: int
    kind: EventKind
    at_ms: int
    confirmed_ms: int
    entered_ms: int
    lon: float
    lat: float
    reason: Reason = ""
    alarm: bool = False
    late: bool = False

    @property
    def key(self) -> EventKey:
        """Identity: however often a stretch is evaluated, an event is one."""
        return self.device, self.zone, self.kind, self.at_ms

    def found_late(self) -> "ZoneEvent":
        """The same, found out by fixes that arrived late: no alarm any more."""
        return replace(self, late=True, alarm=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """What another look at a stretch of time changes.

    Attributes:
        added: events that were not known, marked late.
        withdrawn: keys of known events that did not happen.
    """

    added: tuple[ZoneEvent, ...]
    withdrawn: frozenset[EventKey]


def revised(known: Iterable[EventKey], events: Iterable[ZoneEvent]) -> Revision:
    """Compare the events of a stretch as they are known with those of all its fixes in order of time.

    Args:
        known: keys of the events emitted for that stretch and not withdrawn.
        events: of `Fences.evaluate` over the whole stretch, begun with the states at its beginning.
    """
    now = {event.key: event for event in events}
    before = frozenset(known)
    added = tuple(event.found_late() for key, event in now.items() if key not in before)
    return Revision(added=added, withdrawn=before - now.keys())
