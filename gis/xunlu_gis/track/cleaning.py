"""What of a track can be believed. Nothing is deleted: every point that is set aside is named with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Final, Literal

from xunlu_gis.plane import Floats
from xunlu_gis.track.point import TrackPoint, metres, seconds

Verdict = Literal["no_fix", "order", "duplicate", "speed", "spike", "still"]

NO_FIX: Final = 0

ACCURACY_DEFAULT_M: Final = 15.0

REJECTIONS_MAX: Final = 3
"""After so many rejected fixes in a row the new place is believed: a ride on the metro looks like a jump."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaning:
    """A cleaned track.

    Attributes:
        kept: what can be believed, in order.
        dropped: index into the given points, and why it was set aside.
    """

    kept: tuple[TrackPoint, ...]
    dropped: dict[int, Verdict]


def clean(points: Sequence[TrackPoint], speed_max_mps: float = 60.0, still_mps: float = 0.5) -> Cleaning:
    """Set aside fixes that cannot be true, and jitter of somebody who stands still.

    Args:
        points: in the order in which they are to be believed.
        speed_max_mps: no faster between two believed fixes; 60 for vehicles, 12 for patrols on foot.
        still_mps: below this speed a move within the accuracy is jitter; the first position is held.
    """
    xy, times = metres(points), seconds(points)
    spikes = _spikes(points, xy)
    kept: list[int] = []
    dropped: dict[int, Verdict] = {}
    rejected = 0
    for index, point in enumerate(points):
        verdict: Verdict | None = "no_fix" if point.fix == NO_FIX else "spike" if index in spikes else None
        if verdict is None and kept:
            verdict = _against(kept[-1], index, points, xy, times, speed_max_mps, still_mps)
        if verdict == "speed":
            rejected += 1
            verdict = None if rejected > REJECTIONS_MAX else "speed"
        if verdict is None:
            kept.append(index)
            rejected = 0
        else:
            dropped[index] = verdict
    return Cleaning(kept=tuple(points[index] for index in kept), dropped=dropped)


def _against(
    last: int, index: int, points: Sequence[TrackPoint], xy: Floats, times: Floats, fastest: float, still: float
) -> Verdict | None:
    """Judge a fix by the last one that was believed."""
    elapsed = times[index] - times[last]
    if elapsed < 0:
        return "order"
    if elapsed == 0:
        return "duplicate"
    moved = hypot(*(xy[index] - xy[last]))
    if moved / elapsed > fastest:
        return "speed"
    speed = points[index].speed_mps
    slow = speed < still if speed is not None else moved / elapsed < still
    return "still" if slow and moved < max(8.0, 2 * _accuracy(points[index])) else None


def _spikes(points: Sequence[TrackPoint], xy: Floats) -> set[int]:
    """Single fixes that lie far off while their neighbours lie together: out and back within three fixes."""
    found = set()
    for i in range(1, len(points) - 1):
        out, back = hypot(*(xy[i] - xy[i - 1])), hypot(*(xy[i + 1] - xy[i]))
        across = hypot(*(xy[i + 1] - xy[i - 1]))
        far = 4 * _accuracy(points[i])
        if out > far and back > far and across < min(out, back) / 4:
            found.add(i)
    return found


def _accuracy(point: TrackPoint) -> float:
    """Metres; from the dilution of precision where the device gives no accuracy (5 m for each unit, at least 3)."""
    if point.accuracy_m is not None:
        return point.accuracy_m
    return ACCURACY_DEFAULT_M if point.hdop is None else max(3.0, 5 * point.hdop)
