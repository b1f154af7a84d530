"""The sheet of a squad's week: nothing but the sums of its officers' days."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from xunlu_gis.report import Figure, Row
from xunlu_platform.reports.amounts import UNITS, Amounts, Name, amounts_of, total
from xunlu_platform.reports.days import OfficerDay
from xunlu_platform.reports.figures import DUTY, TIME, WORK, called, ends, proven, streets
from xunlu_platform.reports.ground import Beat, map_of
from xunlu_platform.reports.notes import notes_of
from xunlu_platform.reports.period import Day
from xunlu_platform.reports.sheet import Sheet, Table, Word
from xunlu_platform.reports.views import view
from xunlu_platform.review.shifts import seconds
from xunlu_platform.store.reports import Zones

DAY_COLUMNS: tuple[Name, ...] = (
    "on_air", "length", "moving", "zone_dwell", "recorded", "talked", "alarms", "marks"
)  # fmt: skip


def squad_week(
    unit: str, days: Sequence[OfficerDay], period: Day, beats: Sequence[Beat], zones: Zones, zone: ZoneInfo,
    *, unfinished: bool, out_of_sight: int,
) -> Sheet:  # fmt: skip
    """The sheet of a week.

    Args:
        unit: name of the squad.
        days: of every officer on each day on which they served in the squad; each lies within `period`.
        period: from the beginning of the first day to the end of the last.
        beats: what all have seen together.
        zones: of that time.
        zone: of the organisation.
        unfinished: whether the week goes on.
        out_of_sight: how many served there whom the reader may not see.
    """
    desk = _Desk(days, period, zone)
    amounts = desk.total(days)
    summary = dict(zip(UNITS, desk.figures(days, tuple(UNITS)), strict=True))
    members = list(desk.by_officer)
    duty = DUTY if any(day.shifts for day in days) else ()
    groups = [(name, names) for name, names in (("duty", duty), ("time", TIME), ("work", WORK)) if names]
    return Sheet(
        kind="squad-week",
        subject=unit,
        period=period,
        summary={
            "members": Figure(value=len(members), unit="count", link=view(members, period, zone)),
            **{name: summary[name] for name in ("on_air", *duty, *WORK)},
            "streets": streets(beats, members, period, zone),
        },
        tables=tuple(
            table
            for table in (
                *(desk.officers(f"officers_{name}", names) for name, names in groups),
                *(desk.dates(f"dates_{name}", names) for name, names in groups),
                desk.zones(beats, zones),
                desk.officer_days(),
            )
            if table.rows
        ),
        # Hundreds of ways would hide the streets that they tell of.
        coverage=map_of("coverage", beats, () if any(beat.lines for beat in beats) else days),
        notes=notes_of(amounts, beats, unfinished=unfinished, out_of_sight=out_of_sight),
    )


class _Desk:
    """Writes the tables of one week."""

    def __init__(self, days: Sequence[OfficerDay], period: Day, zone: ZoneInfo) -> None:
        self._days, self._period, self._zone = days, period, zone
        self._amounts = {id(day): amounts_of(day) for day in days}
        self.by_officer: dict[str, list[OfficerDay]] = {}
        for day in sorted(days, key=lambda day: (day.member.officer.number, day.day.since)):
            self.by_officer.setdefault(day.member.key, []).append(day)

    def total(self, days: Sequence[OfficerDay]) -> Amounts:
        """The sum of some days."""
        return total(self._amounts[id(day)] for day in days)

    def figures(self, days: Sequence[OfficerDay], names: Sequence[Name], period: Day | None = None) -> Row:
        """Sums of some days, with the look back at all of their officers."""
        subjects = list(dict.fromkeys(day.member.key for day in days))
        return proven(self.total(days), names, subjects, period or self._period, self._zone)

    def officers(self, name: str, names: Sequence[Name]) -> Table:
        """A row for each officer."""
        rows = [
            (Figure(value=called(mine[0].member.officer)), *self.figures(mine, names))
            for mine in self.by_officer.values()
        ]
        return self._table(name, "officer", names, rows)

    def dates(self, name: str, names: Sequence[Name]) -> Table:
        """A row for each day."""
        rows = []
        for period in dict.fromkeys(day.day for day in self._days):
            then = [day for day in self._days if day.day == period]
            rows.append((self._date(period), *self.figures(then, names, period)))
        return self._table(name, "date", names, rows)

    def zones(self, beats: Sequence[Beat], zones: Zones) -> Table:
        """A row for each zone: all visits of everybody, and what they have seen together."""
        seen = {beat.zone: beat for beat in beats}
        stays = [(day.member.key, stay) for day in self._days for stay in day.stays]
        rows = []
        for number in sorted({*seen, *(stay.zone for _, stay in stays)}):
            mine = [(key, stay) for key, stay in stays if stay.zone == number]
            subjects = list(dict.fromkeys(key for key, _ in mine)) or list(self.by_officer)
            first_ms = min((time.since for _, stay in mine for time in stay.times), default=None)
            link = view(subjects, self._period, self._zone, at_ms=first_ms, on="zones")
            rows.append(
                (
                    Figure(value=zones.names[number]["name"]),
                    Figure(value=Word(zones.names[number]["kind"])),
                    Figure(value=sum(stay.visits for _, stay in mine), unit="count", link=link),
                    Figure(value=sum((seconds(stay.times) for _, stay in mine), 0.0), unit="duration_s", link=link),
                    streets([seen[number]] if number in seen else [], list(self.by_officer), self._period, self._zone),
                )
            )
        return Table(name="zones", columns=("zone", "kind", "zone_visits", "zone_dwell", "streets"), rows=tuple(rows))

    def officer_days(self) -> Table:
        """A row for each day of each officer who wore a device."""
        rows = [
            (
                Figure(value=called(day.member.officer)),
                self._date(day.day),
                *ends([day], [day.member.key], day.day, self._zone),
                *self.figures([day], DAY_COLUMNS, day.day),
            )
            for mine in self.by_officer.values()
            for day in mine
            if day.worn
        ]
        return Table(
            name="officer_days", columns=("officer", "date", "first_fix", "last_fix", *DAY_COLUMNS), rows=tuple(rows)
        )

    def _table(self, name: str, first: str, names: Sequence[Name], rows: Sequence[Row]) -> Table:
        totals = (Figure(value=Word("total")), *self.figures(self._days, names))
        return Table(name=name, columns=(first, *names), rows=tuple(rows), totals=totals if rows else ())

    def _date(self, day: Day) -> Figure:
        return Figure(value=_noon(day.date, self._zone), unit="date")


def _noon(day: date, zone: ZoneInfo) -> datetime:
    """A moment that lies on the day in the zone of the sheet, whatever clocks do at its midnight."""
    return datetime.combine(day, time(12), zone).astimezone(UTC)
