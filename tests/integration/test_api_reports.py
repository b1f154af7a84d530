"""Sheets of officers' days and squads' weeks, over the real ingest and database."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform, running_platform
from tests.integration.ingest_rig import eventually, rig
from tests.integration.review_rig import BUREAU, HAPPENED, running_bureau, walk
from tests.services import TestBroker, TestDatabase
from xunlu_gis.map.prepare import prepare
from xunlu_protocol.location import Location, encode_locations
from xunlu_protocol.status import State

pytestmark = pytest.mark.integration

STATES = ("on_air", "back_filled", "no_fix", "no_signal", "off_planned", "off_unplanned", "server_down")
ADDED = (
    "on_air", "stops", "trips", "length", "moving", "zone_visits", "zone_dwell", "recordings", "recorded", "bursts",
    "talked", "alarms", "marks",
)  # fmt: skip
MORNING = datetime(2026, 3, 2, tzinfo=UTC)
"""Eight in the morning in Shanghai; D2001 wears R1 from six to four."""
# The whole walk of `MORNING` lies in the western half, its end and the stop there.
ZONE = {
    "type": "Feature",
    "properties": {"radius_m": 200.0},
    "geometry": {"type": "Point", "coordinates": [121.4700 + 0.0000126 * 600, 31.23]},
}
METRES_A_SECOND = 0.0000126 * 95_407
"""Of longitude at 31.23° north: the length of a degree there on WGS-84 is 95,407 m."""


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


async def sheet(caller: Caller, kind: str = "officer-day", **asked: Any) -> dict[str, Any]:
    answer = await caller.get(f"/reports/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def day(platform: Platform, officer: int = 1, date: str = "2026-03-02", **asked: Any) -> dict[str, Any]:
    return await sheet(await platform.sign_in("supervisor"), officer=officer, date=date, **asked)


def summary(told: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in told["summary"]}


def table(told: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Rows by the names of their columns; none where the sheet has no such table."""
    found = [one for one in told["tables"] if one["key"] == key]
    return [{cell["key"]: cell["value"] for cell in row} for one in found for row in one["rows"]]


def states(told: dict[str, Any]) -> dict[str, float]:
    return {row["state"]: row["lasting"] for row in table(told, "time")}


def figures(told: dict[str, Any]) -> list[dict[str, Any]]:
    cells = [cell for one in told["tables"] for row in [*one["rows"], one["totals"] or []] for cell in row]
    return [*told["summary"], *cells]


def at(seconds: float) -> int:
    return int(MORNING.timestamp() + seconds)


def fixes() -> list[Location]:
    """Ten minutes of walking, a quarter of an hour at one place, half an hour of silence, ten minutes of walking."""
    places = [(5 * n, 5.0 * n) for n in range(121)]
    places += [(600 + 15 * n, 600.0) for n in range(1, 61)]
    places += [(3300 + 5 * n, 4000 + 5.0 * n) for n in range(121)]
    return [
        Location(
            kind="location", lat=31.23, lon=121.47 + 0.0000126 * east, tst=at(seconds), sid=1, seq=n + 1, acc=4, sat=15
        )
        for n, (seconds, east) in enumerate(places)
    ]


async def live_day(platform: Platform, database: TestDatabase, broker: TestBroker) -> None:
    """The day of `fixes` as a recorder tells it that was off in between."""
    async with rig(database, broker) as made, made.working():
        for told in (
            State(st="online", sid=1, tst=at(-60)),
            State(st="offline", sid=1, tst=at(1510), why="shutdown"),
            State(st="online", sid=2, tst=at(3290)),
        ):
            await made.publish("R1", "state", told.encode())
        sent = fixes()
        for first in range(0, len(sent), 50):
            await made.publish("R1", "loc/hist", encode_locations(sent[first : first + 50]))

        async def stored() -> bool:
            [row] = await made.rows("select count(*) as n from position")
            return bool(row["n"] == len(sent))

        await eventually(stored)


async def test_the_numbers_of_a_day_are_those_that_were_walked(
    platform: Platform, database: TestDatabase, broker: TestBroker
) -> None:
    await platform.sql(
        "insert into zone (unit_id, kind, name) values (2, 'responsibility', '东街一段');"
        "insert into zone (unit_id, kind, name) values (3, 'responsibility', '别人的');"
    )
    for zone in (1, 2):
        await platform.sql(
            "insert into zone_version (zone_id, shape, valid_from) values (%s, %s, '2026-01-01Z')",
            [zone, json.dumps(ZONE)],
        )
    await live_day(platform, database, broker)
    told = await day(platform)
    found = summary(told)
    assert found["first_fix"].startswith("2026-03-02T00:00:00")
    assert found["last_fix"].startswith("2026-03-02T01:05:00")
    assert (found["stops"], found["trips"]) == (1, 2)
    assert found["length"] == pytest.approx(2 * 600 * METRES_A_SECOND, rel=0.01)
    assert found["moving"] == pytest.approx(1200, abs=60)
    # They came months late; off is off from the last word on, and the silence before it belongs to the last fix.
    lasting = states(told)
    assert lasting["back_filled"] == pytest.approx(600 + 900 + 600, abs=20)
    assert lasting["off_planned"] == pytest.approx(1790, abs=20)
    assert sum(lasting.values()) == 10 * 3600
    [known] = table(told, "zones")
    assert (known["zone"], known["kind"], known["zone_visits"]) == ("东街一段", "responsibility", 1)
    # 200 m before the middle until the last fix there.
    assert known["zone_dwell"] == pytest.approx(900 + 200 / METRES_A_SECOND, abs=15)
    [stay] = table(told, "stays")
    assert stay["lasting"] == pytest.approx(900, abs=60)
    assert "<svg" in told["map"]["svg"]


async def test_what_happened_counts_for_who_did_it_and_once(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    first, second = await day(platform, 1), await day(platform, 2)
    one, other = summary(first), summary(second)
    # The recording runs from ten minutes before to ten minutes after the recorder changed hands.
    assert [(found["recordings"], found["recorded"]) for found in (one, other)] == [(1, 600), (0, 600)]
    assert [(found["bursts"], found["talked"]) for found in (one, other)] == [(0, 0), (1, 4)]
    assert [(found["alarms"], found["marks"]) for found in (one, other)] == [(0, 1), (1, 1)]
    assert [(row["kind"], row["what"], row["lasting"]) for row in table(second, "moments")] == [
        ("burst", "东街中队", 4),
        ("recording", "recording.hand", 1200),
        ("mark", "", None),
        ("alarm", "alarm.sos", None),
    ]


async def test_a_squads_week_is_the_sum_of_its_officers_days(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    # The recorder changes hands in the middle of the third day; who wore it before has left since.
    await platform.sql(
        "update binding set released_at = '2026-03-04T03:20Z' where id = 1;"
        "update binding set bound_at = '2026-03-04T03:20Z' where id = 2;"
        "update officer set active = false where id = 1"
    )
    await walk(platform, 1, "03:00", seconds=2400)
    await platform.sql(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late)"
        " select device_id, fix_at + n * interval '1 day', sid, seq + n * 86400, received_at + n * interval '1 day',"
        " lat, lon, late from position, generate_series(1, 4) n"
    )
    caller = await platform.sign_in("supervisor")
    week = await sheet(caller, "squad-week", unit=2, week="2026-W10")
    days = [await day(platform, who, f"2026-03-0{date}") for who in (1, 2) for date in range(2, 9)]
    total = summary(week)
    for name in ADDED:
        assert total[name] == pytest.approx(sum(summary(one)[name] for one in days), abs=1e-6), name
    assert (total["members"], total["recordings"], total["alarms"]) == (2, 1, 1)
    assert total["length"] > 5 * 2000
    [spent] = [one for one in week["tables"] if one["key"] == "officers_time"]
    for cell in spent["totals"][1:]:
        assert cell["value"] == pytest.approx(sum(states(one)[cell["key"]] for one in days)), cell["key"]
    assert [row["officer"] for row in table(week, "officers_work")] == ["王小明 D2001", "李大力 D2002"]
    assert [row["date"][:10] for row in table(week, "dates_work")] == [f"2026-03-0{n}" for n in range(2, 9)]


async def test_every_number_leads_to_the_look_back_that_proves_it(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    await walk(platform, 1, "02:00", seconds=2400)
    told = await day(platform)
    numbers = [one for one in figures(told) if one["unit"] != "text" and one["value"] is not None]
    assert len(numbers) > 30
    for one in numbers:
        parts = urlsplit(one["link"] or "")
        asked = parse_qs(parts.query)
        assert (parts.path, asked["s"]) == ("/review", ["o1"]), one
        assert asked["from"] == ["2026-03-02T00:00:00+08:00"]
        assert asked["to"] == ["2026-03-03T00:00:00+08:00"]
    [moved] = [one for one in told["summary"] if one["key"] == "moving"]
    assert parse_qs(urlsplit(moved["link"]).query)["t"] == ["2026-03-02T10:00:00+08:00"]


async def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins(platform: Platform) -> None:
    # From 23:00 to one o'clock in Shanghai.
    await walk(platform, 3, "15:00", seconds=7200)
    night = await day(platform, 3, shift="22:00-06:00")
    assert (night["from"], night["to"]) == ("2026-03-02T22:00:00+08:00", "2026-03-03T06:00:00+08:00")
    assert states(night)["on_air"] == pytest.approx(7200, abs=10)
    assert states(await day(platform, 3))["on_air"] == pytest.approx(3600, abs=10)
    assert states(await day(platform, 3, "2026-03-03", shift="22:00-06:00"))["on_air"] == 0


async def test_days_are_as_long_as_clocks_make_them(database: TestDatabase, broker: TestBroker) -> None:
    async with running_platform(database, broker, time_zone="Europe/Berlin") as platform:
        await platform.sql(BUREAU)
        hours = [sum(states(await day(platform, 3, date)).values()) / 3600 for date in ("2026-03-28", "2026-03-29")]
        assert hours == [24, 23]
        caller = await platform.sign_in("supervisor")
        lost = {"officer": 3, "date": "2026-03-29", "shift": "02:30-03:15"}
        answer = await caller.get("/reports/officer-day", params=lost)
        assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (422, "no-shift")


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("officer-day", {"officer": 1, "date": "2026-02-30"}),
        ("officer-day", {"officer": 1, "date": "2150-01-01"}),
        ("officer-day", {"officer": 1, "date": "9999-12-31"}),
        ("officer-day", {"officer": 1, "date": "0001-01-01"}),
        ("officer-day", {"officer": 0, "date": "2026-03-02"}),
        ("officer-day", {"officer": 1, "date": "2026-03-02", "shift": "25:00-06:00"}),
        ("officer-day", {"officer": 1, "date": "2026-03-02", "format": "doc"}),
        ("squad-week", {"unit": 2, "week": "2025-W53"}),
        ("squad-week", {"unit": 2, "week": "2026-W00"}),
        ("squad-week", {"unit": 2, "week": "9999-W52"}),
        ("squad-week", {"unit": 2, "week": "0000-W01"}),
        ("squad-week", {"unit": 2, "week": "2026-11-22"}),
    ],
)
async def test_a_time_that_nobody_can_report_on_is_refused_with_what_to_do(
    platform: Platform, kind: str, asked: dict[str, Any]
) -> None:
    answer = await (await platform.sign_in("supervisor")).get(f"/reports/{kind}", params=asked)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]


async def test_a_day_that_goes_on_is_told_as_far_as_it_went(platform: Platform) -> None:
    [[today]] = await platform.sql("select (now() at time zone 'Asia/Shanghai')::date::text")
    told = await day(platform, 3, today)
    assert datetime.fromisoformat(told["to"]) <= datetime.now(UTC)
    assert any("尚未结束" in note for note in told["notes"])


async def test_an_empty_day_is_a_sheet_without_a_fix(platform: Platform) -> None:
    told = await day(platform, 2, "2026-02-01")
    found = summary(told)
    assert (found["first_fix"], found["length"], found["trips"], found["streets"]) == (None, 0, 0, None)
    assert set(states(told).values()) == {0}
    caller = await platform.sign_in("supervisor")
    for form in ("html", "pdf", "xlsx"):
        asked = {"officer": 2, "date": "2026-02-01", "format": form}
        assert (await caller.get("/reports/officer-day", params=asked)).status_code == 200


async def test_nobody_reads_beyond_their_part_of_the_organisation(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    abroad = await platform.sign_in("dispatcher", unit=3)
    own = await platform.sign_in("officer", unit=2, officer=1)
    asked: dict[str, Any] = {"officer": 1, "date": "2026-03-02"}
    assert (await abroad.get("/reports/officer-day", params=asked)).status_code == 404
    assert (await abroad.get("/reports/squad-week", params={"unit": 2, "week": "2026-W10"})).status_code == 404
    assert (await own.get("/reports/officer-day", params={**asked, "officer": 2})).status_code == 404
    assert (await own.get("/reports/squad-week", params={"unit": 2, "week": "2026-W10"})).status_code == 403
    assert (await platform.client.get("/api/v1/reports/officer-day", params=asked)).status_code == 401
    # What was recorded of them is no matter of their role: unknown is not nought.
    found = summary(await sheet(own, **asked))
    assert (found["marks"], found["recordings"], found["talked"], found["alarms"]) == (1, None, None, None)


async def test_every_look_is_written_down_for_each_officer(platform: Platform) -> None:
    await day(platform, 1, format="json")
    await sheet(await platform.sign_in("supervisor"), "squad-week", unit=2, week="2026-W10")
    rows = await platform.sql(
        "select action, target, detail ->> 'subject' from audit where action like 'report.%%' order by id", {}
    )
    assert rows == [
        ("report.officer_day", "D2001", "o1"),
        ("report.squad_week", "D2001", "o1"),
        ("report.squad_week", "D2002", "o2"),
    ]


async def test_files_have_chinese_names_and_take_names_for_words(platform: Platform) -> None:
    name = "=cmd|'/c calc'!A1 <script>\"\\"
    await platform.sql("update officer set name = %s where id = 1", [name])
    await walk(platform, 1, "02:00", seconds=1200)
    caller = await platform.sign_in("supervisor")
    bodies = {}
    for form, media in (("html", "text/html"), ("pdf", "application/pdf"), ("xlsx", "application/vnd.openxml")):
        answer = await caller.get("/reports/officer-day", params={"officer": 1, "date": "2026-03-02", "format": form})
        assert answer.headers["content-type"].startswith(media)
        told = answer.headers["content-disposition"]
        plain = re.fullmatch(r"attachment; filename=\"([\w.-]+)\"; filename\*=UTF-8''([\w.%~-]+)", told)
        assert plain is not None
        assert plain[1] == f"officer-day-2026-03-02.{form}"
        assert unquote(plain[2]).startswith("队员日报-=cmd_'_c calc'!A1 _script_ D2001")
        bodies[form] = answer.content
    assert b"<script>" not in bodies["html"]
    assert b"http://xunlu.test/review?s=o1" in bodies["html"]
    assert bodies["pdf"].startswith(b"%PDF-")
    with zipfile.ZipFile(io.BytesIO(bodies["xlsx"])) as book:
        cells = "".join(book.read(one).decode() for one in book.namelist() if one.endswith(".xml"))
    assert "=cmd" in cells
    assert "<f>" not in cells


async def test_the_share_of_streets_is_of_the_zones_that_concern_the_officer(
    database: TestDatabase, broker: TestBroker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("reports") / "map"
    prepare(None, folder)
    streets = json.loads((folder / "streets.geojson").read_text("utf-8"))["features"]
    line = max((one["geometry"]["coordinates"] for one in streets), key=len)
    (lon, lat), (_, _) = line[0], line[-1]
    shape = {
        "type": "Feature",
        "properties": {"radius_m": 300.0},
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
    }
    async with running_platform(database, broker, map=folder) as platform:
        await platform.sql(BUREAU)
        await platform.sql("insert into zone (unit_id, kind, name) values (3, 'patrol', '西街')")
        await platform.sql(
            "insert into zone_version (zone_id, shape, valid_from) values (1, %s, '2026-01-01Z')", [json.dumps(shape)]
        )
        unseen = await day(platform, 3)
        assert summary(unseen)["streets"] == 0
        await platform.sql(
            "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, late)"
            " select 3, '2026-03-02T02:00Z'::timestamptz + n * interval '5 s', 1, n, '2026-03-02T02:00Z'::timestamptz"
            " + n * interval '5 s', %s, %s + (n - 60) * 0.000063, 1.2, 4, false from generate_series(0, 120) n",
            [lat, lon],
        )
        told = await day(platform, 3)
        assert 0 < summary(told)["streets"] < 1
        [zone] = table(told, "zones")
        assert zone["streets"] == summary(told)["streets"]
        assert summary(await day(platform, 1))["streets"] is None
