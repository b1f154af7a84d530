"""The sheet of an officer's day."""

from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from xunlu_gis.report import Figure, Row
from xunlu_gis.track import STATES
from xunlu_platform.reports.amounts import UNITS, amounts_of, began_here, duty_of, interval_of, parts_of
from xunlu_platform.reports.days import OfficerDay
from xunlu_platform.reports.figures import DUTY, WORK, called, ends, proven, streets
from xunlu_platform.reports.ground import Beat, map_of
from xunlu_platform.reports.notes import notes_of
from xunlu_platform.reports.sheet import Sheet, Table, Word
from xunlu_platform.reports.views import view
from xunlu_platform.review.moments import Moment
from xunlu_platform.review.shifts import Interval, common, seconds
from xunlu_platform.store.reports import Zones
from xunlu_platform.store.zones import instant

ROWS_MAX: Final = 500
"""Of each table; a day that has more is read in `/review`."""
SILENCE_MIN_S: Final = 60.0
"""A shorter one says nothing about anybody."""


def officer_day(day: OfficerDay, beats: Sequence[Beat], zones: Zones, zone: ZoneInfo, *, unfinished: bool) -> Sheet:
    """The sheet of one day.

    Args:
        day: what is known of it.
        beats: what was seen of the zones that concern the officer.
        zones: of that time.
        zone: of the organisation.
        unfinished: whether the day went on when it was looked at.
    """
    desk = _Desk(day, zone)
    amounts = amounts_of(day)
    first_fix, last_fix = ends([day], desk.subjects, day.day, zone)
    summary: dict[str, Figure] = dict(zip(UNITS, proven(amounts, UNITS, desk.subjects, day.day, zone), strict=True))
    states: dict[str, Figure] = {state: summary[state] for state in STATES}
    tables = (
        desk.time(states), desk.shifts(), desk.zones(beats, zones), desk.silences(), desk.stays(), desk.moments()
    )  # fmt: skip
    cut = any(len(table.rows) > ROWS_MAX for table in tables)
    return Sheet(
        kind="officer-day",
        subject=f"{called(day.member.officer)} · {day.member.officer.unit}",
        period=day.day,
        summary={
            "on_air": states["on_air"],
            **{name: summary[name] for name in (DUTY if day.shifts else ())},
            "first_fix": first_fix,
            "last_fix": last_fix,
            **{name: summary[name] for name in WORK},
            "streets": streets(beats, desk.subjects, day.day, zone),
        },
        tables=tuple(_bounded(table) for table in tables if table.rows),
        coverage=map_of("coverage", beats, [day]),
        notes=notes_of(amounts, beats, unfinished=unfinished, cut_at=ROWS_MAX if cut else None),
    )


def _bounded(table: Table) -> Table:
    return Table(name=table.name, columns=table.columns, rows=table.rows[:ROWS_MAX], totals=table.totals)


class _Desk:
    """Writes the tables of one day."""

    def __init__(self, day: OfficerDay, zone: ZoneInfo) -> None:
        self.day, self.zone = day, zone
        self.subjects = (day.member.key,)

    def time(self, states: dict[str, Figure]) -> Table:
        """How long each state lasted; together they are all the time that a device was worn."""
        spans = [Interval(span.from_ms, span.to_ms) for worn in self.day.worn for span in worn.states]
        worn_s = seconds(spans)
        rows = tuple(
            (
                Figure(value=Word(state)),
                figure,
                Figure(value=_share(figure.value, worn_s), unit="share", link=figure.link),
            )
            for state, figure in states.items()
        )
        total = Figure(value=worn_s, unit="duration_s", link=self._view(None))
        share = Figure(value=_share(worn_s, worn_s), unit="share", link=total.link)
        return Table(
            name="time",
            columns=("state", "lasting", "share"),
            rows=rows,
            totals=(Figure(value=Word("worn")), total, share),
        )

    def shifts(self) -> Table:
        """What of each shift of the roster lies in the day, and what became of it."""
        rows = []
        for shift in self.day.shifts:
            [part] = common([shift.time], [self.day.day.interval])
            amounts = duty_of(self.day, [part])
            told = proven(amounts, ("rostered_on_air", "absent"), self.subjects, self.day.day, self.zone)
            rows.append((*self._interval(part), Figure(value=shift.zone or ""), *told))
        columns = ("begin", "end", "lasting", "zone", "rostered_on_air", "absent")
        return Table(name="shifts", columns=columns, rows=tuple(rows))

    def zones(self, beats: Sequence[Beat], zones: Zones) -> Table:
        """Who was expected where, and was there: zones that somebody was in, and those where they should have been."""
        stays = {stay.zone: stay for stay in self.day.stays}
        seen = {beat.zone: beat for beat in beats}
        rows = []
        for number in sorted({*stays, *seen}):
            stay, beat = stays.get(number), seen.get(number)
            first_ms = stay.times[0].since if stay and stay.times else None
            link = view(self.subjects, self.day.day, self.zone, at_ms=first_ms, on="zones")
            rows.append(
                (
                    Figure(value=zones.names[number]["name"]),
                    Figure(value=Word(zones.names[number]["kind"])),
                    Figure(value=stay.visits if stay else 0, unit="count", link=link),
                    Figure(value=seconds(stay.times) if stay else 0.0, unit="duration_s", link=link),
                    streets([beat] if beat else [], self.subjects, self.day.day, self.zone),
                )
            )
        return Table(name="zones", columns=("zone", "kind", "zone_visits", "zone_dwell", "streets"), rows=tuple(rows))

    def silences(self) -> Table:
        """Every gap with its reason."""
        spans = [span for worn in self.day.worn for span in worn.states if span.state != "on_air"]
        rows = tuple(
            (*self._interval(Interval(span.from_ms, span.to_ms)), Figure(value=Word(span.state)))
            for span in spans
            if span.to_ms - span.from_ms >= SILENCE_MIN_S * 1000
        )
        return Table(name="silences", columns=("begin", "end", "lasting", "state"), rows=rows)

    def stays(self) -> Table:
        """Every stop."""
        stops = [stop for worn in self.day.worn for stop in worn.shape.stops]
        rows = tuple(self._interval(Interval(stop.from_ms, stop.to_ms)) for stop in stops)
        return Table(name="stays", columns=("begin", "end", "lasting"), rows=rows)

    def moments(self) -> Table:
        """What was recorded, said, raised and marked."""
        rows = tuple(self._moments())
        return Table(name="moments", columns=("begin", "kind", "what", "lasting"), rows=rows)

    def _moments(self) -> Iterator[Row]:
        for one in self.day.moments:
            kind = "mark" if one.kind == "event" and one.text == "mark" else one.kind
            if kind == "event" or not (parts_of(self.day, one) or began_here(self.day, one)):
                continue
            at = interval_of(one)
            link = self._view(at.since)
            yield (
                Figure(value=one.at, unit="time", link=link),
                Figure(value=Word(kind)),
                Figure(value=_what(one)),
                Figure(value=seconds([at]) if kind in {"recording", "burst"} else None, unit="duration_s", link=link),
            )

    def _interval(self, at: Interval) -> Row:
        link = self._view(at.since)
        return (
            Figure(value=instant(at.since), unit="time", link=link),
            Figure(value=instant(at.until), unit="time", link=self._view(at.until)),
            Figure(value=seconds([at]), unit="duration_s", link=link),
        )

    def _view(self, at_ms: int | None) -> str | None:
        return view(self.subjects, self.day.day, self.zone, at_ms=at_ms)


def _what(moment: Moment) -> str:
    return "" if moment.kind == "event" else Word.of(moment.kind, moment.text)


def _share(value: object, whole_s: float) -> float | None:
    return value / whole_s if isinstance(value, int | float) and whole_s else None
