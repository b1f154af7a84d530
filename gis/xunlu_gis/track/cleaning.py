"""What of a track can be believed. Nothing is thrown away: every fix keeps its place and gets a reason.

Marked fixes are believed all the same; rejected ones are not. The rules run in the order of `Reason`, each over what
the earlier ones left, but that a spike is looked for before the speed gate: a lone fix far off is named by what it is.
Distances are chords through a sphere, right to 0.3 %: enough for a gate, at any longitude.
"""

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from math import dist
from typing import Final

import numpy as np
import numpy.typing as npt

from xunlu_gis.plane import chords_m, on_sphere
from xunlu_gis.track.reach import reach
from xunlu_gis.track.settings import DEFAULT, TrackSettings
from xunlu_gis.track.track import Bools, Ints, Track

Reasons = npt.NDArray[np.uint8]


class Reason(IntEnum):
    """Why a fix is what it is; from `NO_FIX` on it is rejected."""

    GOOD = 0
    STILL = 1
    """Jitter of somebody who stands: the time counts, the place is held."""
    LOW_CONFIDENCE = 2
    """Large HDOP or few satellites."""
    ESTIMATED = 3
    """GGA quality 6: dead reckoning."""
    MANUAL = 4
    """GGA quality 7: typed in."""
    SIMULATED = 5
    """GGA quality 8."""
    JUMP = 6
    """Faster than anybody moves, but the fixes after it agree with it: the place is new."""
    NO_FIX = 7
    """GGA quality 0."""
    NOT_A_NUMBER = 8
    ZERO = 9
    """Latitude and longitude 0: what an empty memory says."""
    OUTSIDE = 10
    """Beyond the box of the service."""
    FUTURE = 11
    """Later than its arrival."""
    WEEK_ROLLOVER = 12
    """1,024 weeks early: the receiver counts GPS weeks in ten bits (IS-GPS-200, 20.3.3.3.1.1)."""
    TOO_EARLY = 13
    """A date before the service."""
    ORDER = 14
    """Its time goes back."""
    DUPLICATE = 15
    """The time of the fix before it."""
    SPIKE = 16
    """Out and back within three fixes, four times farther than the accuracy."""
    SPEED = 17
    """Nobody moves so fast."""


GGA_ESTIMATED, GGA_MANUAL, GGA_SIMULATED = 6, 7, 8
ZERO_DEG: Final = 1e-6
WEEKS_1024_MS: Final = 1024 * 7 * 86_400_000
HELD_BACK_MS: Final = 366 * 86_400_000
"""No outbox keeps a fix for longer."""
SPIKE_FIXES: Final = (1, 2)
SPIKE_ACCURACIES: Final = 4
STILL_ACCURACIES: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cleaning:
    """A track and what can be believed of it.

    Attributes:
        track: as given.
        reasons: a `Reason` for each fix, (n,).
        place: index of the fix whose place counts: of the one that is held, else its own, (n,).
    """

    track: Track
    reasons: Reasons
    place: Ints

    @property
    def believed(self) -> Bools:
        """Which fixes are not rejected, (n,)."""
        return self.reasons < Reason.NO_FIX

    @property
    def cleaned(self) -> Track:
        """The believed fixes, jitter held."""
        lon, lat = self.track.lon[self.place], self.track.lat[self.place]
        columns = {name: getattr(self.track, name) for name in Track.__slots__}
        return Track(**{**columns, "lon": lon, "lat": lat})[self.believed]

    def names(self) -> list[str | None]:
        """For each fix the reason as a word, None where it is good."""
        words = [None, *(reason.name.lower() for reason in Reason if reason)]
        return [words[reason] for reason in self.reasons.tolist()]


def clean(track: Track, settings: TrackSettings = DEFAULT) -> Cleaning:
    """Judge every fix of a track.

    A million fixes take about a second; a million that all break the rules, some more.

    Args:
        track: in the order in which it is to be believed: of arrival or of sequence shows times that go back.
        settings: limits.
    """
    reasons = _by_itself(track, settings)
    place = np.arange(len(track))
    for judge in (_order, _spikes, _too_fast):
        left = np.flatnonzero(reasons < Reason.NO_FIX)
        found = judge(_some(track, left), settings)
        reasons[left] = np.where(found, found, reasons[left])
    left = np.flatnonzero(reasons < Reason.NO_FIX)
    place[left] = left[_held(_some(track, left), settings)]
    reasons[(place != np.arange(len(track))) & (reasons == Reason.GOOD)] = Reason.STILL
    return Cleaning(track=track, reasons=reasons, place=place)


def _some(track: Track, chosen: Ints) -> Track:
    """Some of the fixes; the usual track loses none, and is not copied."""
    return track if len(chosen) == len(track) else track[chosen]


def _by_itself(track: Track, settings: TrackSettings) -> Reasons:
    """What a fix says without its neighbours; the first of these reasons counts."""
    early = track.time_ms < settings.earliest_ms
    waited_ms = track.received_ms - track.time_ms
    future = waited_ms < -settings.future_s * 1000
    turned = waited_ms - WEEKS_1024_MS
    rules = (
        (track.fix == 0, Reason.NO_FIX),
        (~(np.isfinite(track.lon) & np.isfinite(track.lat)), Reason.NOT_A_NUMBER),
        ((np.abs(track.lon) < ZERO_DEG) & (np.abs(track.lat) < ZERO_DEG), Reason.ZERO),
        (~_inside(track, settings.box), Reason.OUTSIDE),
        (future, Reason.FUTURE),
        (early & (turned >= -settings.future_s * 1000) & (turned <= HELD_BACK_MS), Reason.WEEK_ROLLOVER),
        (early, Reason.TOO_EARLY),
        (track.fix == GGA_SIMULATED, Reason.SIMULATED),
        (track.fix == GGA_MANUAL, Reason.MANUAL),
        (track.fix == GGA_ESTIMATED, Reason.ESTIMATED),
        (track.hdop > settings.hdop_max, Reason.LOW_CONFIDENCE),
        ((track.sat >= 0) & (track.sat < settings.satellites_min), Reason.LOW_CONFIDENCE),
    )
    conditions, reasons = zip(*rules, strict=True)
    judged: Reasons = np.select(conditions, reasons, Reason.GOOD).astype(np.uint8)
    return judged


def _inside(track: Track, box: tuple[float, float, float, float]) -> Bools:
    west, south, east, north = box
    after, before = track.lon >= west, track.lon <= east
    return (after & before if west <= east else after | before) & (track.lat >= south) & (track.lat <= north)


def _order(track: Track, _settings: TrackSettings) -> Reasons:
    """Times that go back: the longest sequence in order is believed, so that one clock that leapt costs one fix."""
    reasons = np.zeros(len(track), np.uint8)
    if (np.diff(track.time_ms) < 0).any():
        reasons[:] = Reason.ORDER
        reasons[_longest_in_order(track.time_ms.tolist())] = Reason.GOOD
    kept = np.flatnonzero(reasons == Reason.GOOD)
    reasons[kept[1:][np.diff(track.time_ms[kept]) == 0]] = Reason.DUPLICATE
    return reasons


def _longest_in_order(times: list[int]) -> list[int]:
    """Indices of a longest non-decreasing subsequence (Fredman 1975), in O(n log n)."""
    ends: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for index, time in enumerate(times):
        length = bisect_right(ends, time)
        before.append(at[length - 1] if length else -1)
        ends[length : length + 1] = [time]
        at[length : length + 1] = [index]
    chain = []
    index = at[-1]
    while index >= 0:
        chain.append(index)
        index = before[index]
    return chain[::-1]


def _spikes(track: Track, settings: TrackSettings) -> Reasons:
    """One fix or two that lie far off while those before and after lie together."""
    xyz, far = on_sphere(track.lon, track.lat), SPIKE_ACCURACIES * track.likely_accuracy_m
    reasons = np.zeros(len(track), np.uint8)
    for width in SPIKE_FIXES:
        count = len(track) - width - 1
        if count < 1:
            break
        before, after = xyz[:count], xyz[width + 1 :]
        across = chords_m(before, after)
        spike = track.time_ms[width + 1 :] - track.time_ms[:count] <= settings.spike_s * 1000
        for step in range(1, width + 1):
            out = xyz[step : step + count]
            away = np.minimum(chords_m(before, out), chords_m(out, after))
            spike &= (away > far[step : step + count]) & (away > 4 * across)
        for first in (np.flatnonzero(spike) + 1).tolist():
            # Of a place and a spike in turn, the one that came first is the place.
            if not reasons[first - 1] and not reasons[first + width]:
                reasons[first : first + width] = Reason.SPIKE
    return reasons


def _too_fast(track: Track, settings: TrackSettings) -> Reasons:
    """Fixes that the last believed one cannot have reached; after `rejections_max` in a row the new place counts.

    So it does when a later fix is slow enough only because time has passed. Rejected fixes that agree with the new
    place are then believed too, and the step to the first of them is a jump that no length crosses.
    """
    xyz, times = on_sphere(track.lon, track.lat), track.time_s
    reasons = np.zeros(len(track), np.uint8)
    fast = np.concatenate(((False,), chords_m(xyz[:-1], xyz[1:]) > settings.speed_max_mps * np.diff(times)))
    leaps = np.flatnonzero(fast)
    at = 0
    while (found := int(np.searchsorted(leaps, at))) < len(leaps):
        first = at = int(leaps[found])
        last, end = first - 1, min(first + settings.rejections_max, len(track))
        while at < end and dist(xyz[last], xyz[at]) > settings.speed_max_mps * (times[at] - times[last]):
            at += 1
        agreeing = at
        while first < agreeing < len(track) and not fast[agreeing]:
            agreeing -= 1
        reasons[first:agreeing] = Reason.SPEED
        reasons[agreeing:at] = Reason.JUMP
        at += 1
    return reasons


def _held(track: Track, settings: TrackSettings) -> Ints:
    """For each fix the index of the one whose place it keeps while somebody stands."""
    xyz, times, speeds = on_sphere(track.lon, track.lat), track.time_s, track.speed_mps
    small = np.clip(STILL_ACCURACIES * track.likely_accuracy_m, settings.still_m, settings.stop_radius_m)

    def still(anchor: Ints | int, later: Ints | slice) -> Bools:
        moved = chords_m(xyz[anchor], xyz[later])
        walked = moved < settings.still_mps * (times[later] - times[anchor])
        slow = np.where(np.isnan(speeds[later]), walked, speeds[later] < settings.still_mps)
        return slow & (moved < small[later])

    count = len(track)
    place = np.arange(count)
    begins = np.flatnonzero(still(place[:-1], place[1:]))
    anchor = 0
    while (found := int(np.searchsorted(begins, anchor))) < len(begins):
        held = int(begins[found])
        anchor = reach(held, count, partial(still, held))
        place[held:anchor] = held
    return place
