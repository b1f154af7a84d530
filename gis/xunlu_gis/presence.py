"""Who was where for how long: visits of zones within an interval, by the same rules as the live events."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import Evaluation, Fences, Fixes
from xunlu_gis.fence.event import Reason
from xunlu_gis.fence.fixes import Times

GAP_S: Final = 300.0
"""A longer silence between two fixes is nobody's presence, as it is nobody's way in `track`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneVisit:
    """A stay in a zone, clipped to the interval asked for.

    Attributes:
        zone: id of the zone's version.
        start_ms: first fix inside, or the beginning of the interval.
        end_ms: first fix outside, the last one heard, or the end of the interval.
        dwell_s: from start to end, less the gaps within.
        reason: why it ended (`event.ZoneEvent.reason`); None: it had not by the last fix, or not within the interval.
    """

    zone: int
    start_ms: int
    end_ms: int
    dwell_s: float
    reason: Reason | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """All stays in one zone within an interval.

    Attributes:
        zone: id of the zone's version.
        visits: in order of time.
        dwell_s: of all visits.
        share: of the interval, 0 to 1.
    """

    zone: int
    visits: tuple[ZoneVisit, ...]
    dwell_s: float
    share: float


def presences(fences: Fences, fixes: Fixes, since_ms: int, until_ms: int, gap_s: float = GAP_S) -> list[Presence]:
    """Visits and dwell of one device in each zone that it visited, in order of zone.

    Args:
        fences: the zones; only these are looked at.
        fixes: of one device, cleaned, in any order. Some from before and after the interval make its ends exact: who
            stood inside when it began is known only by them.
        since_ms: begin of the interval, UTC.
        until_ms: its end, after its begin.
        gap_s: longest silence that counts as presence; one beyond `FenceRules.gap_s` ends the visit.

    Raises:
        ZoneError: the interval is empty, or the fixes are of several devices.
    """
    if until_ms <= since_ms:
        raise ZoneError("An interval must end after it begins.")
    if len(fixes) and (fixes.device != fixes.device[0]).any():
        raise ZoneError("Presence is of one device; ask for each by itself.")
    heard_ms = np.sort(fixes.time_ms[fixes.usable])
    (gap,) = np.nonzero(np.diff(heard_ms) > gap_s * 1000)
    gaps = np.column_stack((heard_ms[gap], heard_ms[gap + 1]))
    visits: dict[int, list[ZoneVisit]] = {}
    for zone, start_ms, end_ms, reason in sorted(_stays(fences.evaluate(fixes)), key=itemgetter(0, 1)):
        start, end = max(start_ms, since_ms), min(end_ms, until_ms)
        if start < until_ms and end > since_ms:
            dwell_s = (end - start - _overlap_ms(gaps, start, end)) / 1000
            why = reason if end_ms <= until_ms else None
            visits.setdefault(zone, []).append(
                ZoneVisit(zone=zone, start_ms=start, end_ms=end, dwell_s=dwell_s, reason=why)
            )
    return [_presence(zone, stays, (until_ms - since_ms) / 1000) for zone, stays in visits.items()]


def _stays(evaluation: Evaluation) -> Iterator[tuple[int, int, int, Reason | None]]:
    """Zone, beginning, end, and why it ended, of every visit; one that goes on ends with the last fix."""
    for event in evaluation.events:
        if event.kind == "leave":
            yield event.zone, event.entered_ms, event.at_ms, event.reason
    heard_ms = dict(evaluation.states.devices[["device", "heard_ms"]].tolist())
    for device, zones in evaluation.states.inside().items():
        for zone, entered_ms in zones.items():
            yield zone, entered_ms, heard_ms[device], None


def _overlap_ms(gaps: Times, start_ms: int, end_ms: int) -> int:
    """How much of a stay the gaps, (n, 2), take."""
    overlap = np.minimum(gaps[:, 1], end_ms) - np.maximum(gaps[:, 0], start_ms)
    return int(np.maximum(overlap, 0).sum())


def _presence(zone: int, visits: list[ZoneVisit], interval_s: float) -> Presence:
    dwell_s = sum(visit.dwell_s for visit in visits)
    return Presence(zone=zone, visits=tuple(visits), dwell_s=dwell_s, share=dwell_s / interval_s)
