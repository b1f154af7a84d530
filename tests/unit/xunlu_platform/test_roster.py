"""The roster: what of it is duty and what is free, and its file, whatever it holds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_gis.report.document import Language
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.roster_file import RosterFile, read_roster, write_roster
from xunlu_platform.review.roster import WEEK_MS, RosteredShift, off_duty, on_duty
from xunlu_platform.review.shifts import Interval
from xunlu_platform.store.store import Row

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000
HEADING = "number,name,date,shift,post,note\n"


def shift(since: int, until: int) -> RosteredShift:
    return RosteredShift(id=1, time=Interval(since * HOUR_MS, until * HOUR_MS))


def test_free_is_who_stands_between_two_shifts_and_nobody_before_the_first_or_after_the_last() -> None:
    shifts = [shift(0, 8), shift(8, 10), shift(24, 32), shift(24 * 7 + 33, 24 * 7 + 40)]
    assert on_duty(shifts)[0] == Interval(0, 10 * HOUR_MS)
    assert off_duty(shifts) == [Interval(10 * HOUR_MS, 24 * HOUR_MS)]
    [free] = off_duty([shift(0, 8), shift(8 + 24 * 7, 9 + 24 * 7)])
    assert free.until - free.since == WEEK_MS
    assert off_duty([]) == off_duty([shift(0, 8)]) == []


def read(text: str, zone: ZoneInfo = SHANGHAI) -> RosterFile:
    return read_roster((HEADING + text).encode(), zone)


def reasons(file: RosterFile) -> list[str]:
    return [one["reason"] for one in file.wrong]


@pytest.mark.parametrize(("zone", "hours"), [(SHANGHAI, 8), (BERLIN, 7)])
def test_a_night_in_which_clocks_change_is_as_long_as_it_was(zone: ZoneInfo, hours: int) -> None:
    [line] = read("D1,,2026-03-28,22:00-06:00,,\n", zone).lines
    assert line.ends_at - line.begins_at == timedelta(hours=hours)


def test_what_clocks_leave_out_or_make_longer_than_a_day_is_no_shift() -> None:
    assert reasons(read("D1,,2026-03-29,02:00-03:00,,\nD1,,2026-10-24,08:00-08:00,,\n", BERLIN)) == [
        "no-shift",
        "shift-length",
    ]
    assert reasons(read("D1,,2026-03-29,02:00-03:00,,\nD1,,2026-10-24,08:00-08:00,,\n")) == []


@pytest.mark.parametrize("text", ["22:00-06:00", "22:00－6:00", "22：00 — 06：00", "22:00~06:00", "22:00 至 6:00"])
def test_a_shift_is_understood_as_people_write_it(text: str) -> None:
    [line] = read(f"D1,,2026年3月2日,{text},,\n").lines
    assert (line.begins_at, line.ends_at) == (
        datetime(2026, 3, 2, 14, tzinfo=UTC),
        datetime(2026, 3, 2, 22, tzinfo=UTC),
    )


def outcome(body: bytes) -> RosterFile | str:
    """What was read, or why the whole file is refused."""
    try:
        return read_roster(body, SHANGHAI)
    except Problem as problem:
        return problem.errors[0]["reason"]


@given(
    st.sampled_from([b"", HEADING.encode(), "编号,日期,班次\n".encode("gb18030")]),
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
)
def test_whatever_a_file_holds_each_row_is_taken_or_named(heading: bytes, body: bytes) -> None:
    told = outcome(heading + body)
    if isinstance(told, str):
        assert told.startswith(("csv-", "roster-"))
    else:
        rows = [*(line.row for line in told.lines), *(int(one["values"]["row"]) for one in told.wrong)]
        assert len(rows) == len({*rows})
        assert min(rows) > 1


def stored(begin_min: int, length_min: int, number: str, name: str, post: str | None, note: str) -> Row:
    begins = datetime(2026, 3, 2, tzinfo=SHANGHAI) + timedelta(minutes=begin_min)
    return {
        "officer": {"number": number, "name": name}, "begins_at": begins,
        "ends_at": begins + timedelta(minutes=length_min), "zone": {"name": post} if post else None, "note": note,
    }  # fmt: skip


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=20)
shifts_of_any_kind = st.lists(
    st.builds(stored, st.integers(0, 1439), st.integers(1, 1440), cells, cells, st.none() | cells, cells),
    min_size=1,
    max_size=5,
)
forms: list[tuple[Language, str]] = [("zh-CN", "utf-8"), ("zh-CN", "gb18030"), ("en", "utf-8")]


@given(shifts_of_any_kind, st.sampled_from(forms))
def test_what_was_written_is_read_again_and_no_cell_is_a_formula(shifts: list[Row], form: tuple[Language, str]) -> None:
    language, encoding = form
    text = "".join(write_roster(shifts, SHANGHAI, language)).lstrip("\ufeff")
    file = read_roster(text.encode(encoding), SHANGHAI)
    armed = [row for row, one in enumerate(shifts, 2) if any(cell.lstrip("'")[:1] in {*"=+-@"} for cell in words(one))]
    assert [int(one["values"]["row"]) for one in file.wrong] == armed
    taken = [one for row, one in enumerate(shifts, 2) if row not in armed]
    assert [(line.number, line.name, line.begins_at, line.ends_at, line.post, line.note) for line in file.lines] == [
        (*words(one)[:2], one["begins_at"], one["ends_at"], *words(one)[2:]) for one in taken
    ]


def words(shift: Row) -> list[str]:
    post = shift["zone"]["name"] if shift["zone"] else ""
    return [shift["officer"]["number"], shift["officer"]["name"], post, shift["note"]]
