"""The numbers of a day that can be added up: what a squad's week comes to is their sum and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from xunlu_gis.report.document import Unit
from xunlu_gis.track import STATES
from xunlu_platform.reports.days import OfficerDay
from xunlu_platform.review.moments import Kind, Moment
from xunlu_platform.review.shifts import Interval, common, seconds, union, without
from xunlu_platform.store.zones import milliseconds

Name = Literal[
    "on_air", "back_filled", "no_fix", "no_signal", "off_planned", "off_unplanned", "server_down",
    "rostered", "rostered_on_air", "absent", "stops", "trips", "length", "moving", "zone_visits", "zone_dwell",
    "recordings", "recorded", "bursts", "talked", "alarms", "marks",
]  # fmt: skip

UNITS: Final[Mapping[Name, Unit]] = {
    **dict.fromkeys(STATES, "duration_s"),
    "rostered": "duration_s",
    "rostered_on_air": "duration_s",
    "absent": "duration_s",
    "stops": "count",
    "trips": "count",
    "length": "distance_m",
    "moving": "duration_s",
    "zone_visits": "count",
    "zone_dwell": "duration_s",
    "recordings": "count",
    "recorded": "duration_s",
    "bursts": "count",
    "talked": "duration_s",
    "alarms": "count",
    "marks": "count",
}


class Amount(NamedTuple):
    """A number, and where to look for what it says.

    Attributes:
        value: seconds, metres or a count; None: the reader may not know.
        first_ms: when the first of what was counted was, UTC; None without any.
    """

    value: float | None
    first_ms: int | None = None

    def __add__(self, other: object) -> "Amount":
        if not isinstance(other, Amount):
            return NotImplemented
        known = [one for one in (self.first_ms, other.first_ms) if one is not None]
        value = None if self.value is None or other.value is None else self.value + other.value
        return Amount(value, min(known, default=None))


Amounts = Mapping[Name, Amount]

NOTHING: Final[Amounts] = dict.fromkeys(UNITS, Amount(0))


def total(days: Iterable[Amounts]) -> Amounts:
    """The sum of any number of days."""
    added: Amounts = NOTHING
    for one in days:
        added = {name: added[name] + one[name] for name in UNITS}
    return added


def amounts_of(day: OfficerDay) -> Amounts:
    """What a day comes to."""
    return {**_states(day), **duty_of(day, day.duty), **_ways(day), **_zones(day), **_moments(day)}


def _states(day: OfficerDay) -> dict[Name, Amount]:
    spans = [span for worn in day.worn for span in worn.states]
    return {
        state: Amount(
            sum(one.to_ms - one.from_ms for one in spans if one.state == state) / 1000,
            min((one.from_ms for one in spans if one.state == state), default=None),
        )
        for state in STATES
    }


def duty_of(day: OfficerDay, duty: Sequence[Interval]) -> dict[Name, Amount]:
    """What time on duty came to: on air of it, and absent without anything that explains it.

    Whoever wore nothing, or whose device fell silent without a word, was absent.

    Args:
        day: of the officer.
        duty: some of it, in order, never two at once.
    """
    spans = [span for worn in day.worn for span in worn.states]
    on_air = [Interval(one.from_ms, one.to_ms) for one in spans if one.state == "on_air"]
    explained = [Interval(one.from_ms, one.to_ms) for one in spans if one.state != "off_unplanned"]
    return {
        "rostered": _lasting(duty),
        "rostered_on_air": _lasting(common(on_air, duty)),
        "absent": _lasting(without(duty, explained)),
    }


def _lasting(times: Sequence[Interval]) -> Amount:
    return Amount(seconds(times), min((one.since for one in times), default=None))


def trips_of(day: OfficerDay) -> list[Interval]:
    """The ways between stops and breaks."""
    pieces = [piece for worn in day.worn for piece in worn.shape.pieces]
    heard = union(Interval(int(piece.time_ms[0]), int(piece.time_ms[-1])) for piece in pieces)
    stops = [Interval(stop.from_ms, stop.to_ms) for worn in day.worn for stop in worn.shape.stops]
    return [way for way in without(heard, stops) if way.since < way.until]


def _ways(day: OfficerDay) -> dict[Name, Amount]:
    trips = trips_of(day)
    stops = [stop for worn in day.worn for stop in worn.shape.stops]
    moved_ms = trips[0].since if trips else None
    return {
        "stops": Amount(len(stops), min((stop.from_ms for stop in stops), default=None)),
        "trips": Amount(len(trips), moved_ms),
        "length": Amount(sum(worn.shape.length_m for worn in day.worn), moved_ms),
        "moving": Amount(sum(worn.shape.moving_s for worn in day.worn), moved_ms),
    }


def _zones(day: OfficerDay) -> dict[Name, Amount]:
    dwell = _lasting(union(time for stay in day.stays for time in stay.times))
    visits = sum(stay.visits for stay in day.stays)
    return {"zone_visits": Amount(visits, dwell.first_ms), "zone_dwell": dwell}


def _moments(day: OfficerDay) -> dict[Name, Amount]:
    recordings, bursts = _of(day, "recording"), _of(day, "burst")
    marks = [one for one in _of(day, "event") if one.text == "mark"]
    return {
        "recordings": _count(day, "recording", recordings),
        "recorded": _length(day, "recording", recordings),
        "bursts": _count(day, "burst", bursts),
        "talked": _length(day, "burst", bursts),
        "alarms": _count(day, "alarm", _of(day, "alarm")),
        "marks": _count(day, "event", marks),
    }


def _of(day: OfficerDay, kind: Kind) -> list[Moment]:
    return [one for one in day.moments if one.kind == kind]


def _count(day: OfficerDay, kind: Kind, found: Sequence[Moment]) -> Amount:
    """Those that began here: what runs over midnight or to the next wearer is counted once."""
    if kind not in day.kinds:
        return Amount(None)
    begins = [milliseconds(one.at) for one in found if began_here(day, one)]
    return Amount(len(begins), min(begins, default=None))


def _length(day: OfficerDay, kind: Kind, found: Sequence[Moment]) -> Amount:
    """As much of it as lies here."""
    if kind not in day.kinds:
        return Amount(None)
    return _lasting([part for one in found for part in parts_of(day, one)])


def interval_of(moment: Moment) -> Interval:
    """From when to when; what takes no time ends as it begins."""
    return Interval(milliseconds(moment.at), milliseconds(moment.until or moment.at))


def parts_of(day: OfficerDay, moment: Moment) -> list[Interval]:
    """What of a moment lies within the day, while its device was worn; what was said at a desk needs no device."""
    return common([interval_of(moment)], _allowed(day, moment.did))


def began_here(day: OfficerDay, moment: Moment) -> bool:
    """Whether it began within the day, while its device was worn."""
    at_ms = milliseconds(moment.at)
    return any(part.since <= at_ms < part.until for part in _allowed(day, moment.did))


def _allowed(day: OfficerDay, did: str | None) -> list[Interval]:
    if did is None:
        return [day.day.interval]
    worn = [one.stretch for one in day.worn if one.stretch.did == did]
    return [Interval(milliseconds(one.since), milliseconds(one.until)) for one in worn]
