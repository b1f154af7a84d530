"""Who served in which unit when: the database keeps it, and a day counts for the squad where it was served."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform
from tests.integration.review_rig import running_bureau, walk
from tests.services import TestBroker, TestDatabase
from xunlu_platform.store.migrations import migrations

pytestmark = pytest.mark.integration

WEEK = "2026-W10"
# D2001 wears R1 through the whole week, and walks at the same time of each of its days.
WORN = """
update binding set released_at = '2026-03-09Z' where id = 1;
delete from binding where id = 2;
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late)
  select device_id, fix_at + n * interval '1 day', sid, seq + n * 86400, received_at + n * interval '1 day', lat, lon,
    late
  from position, generate_series(1, 6) n
"""
# In the middle of the third day of the week.
MOVED = """
update officer set unit_id = 3 where id = 1;
update membership set until = '2026-03-04T04:00Z' where officer_id = 1 and unit_id = 2;
update membership set since = '2026-03-04T04:00Z' where officer_id = 1 and unit_id = 3
"""
SPANS = "select unit_id, since = '-infinity', until = lead(since) over (order by since) from membership"


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


async def move(platform: Platform, officer: int, unit: int) -> None:
    caller = await platform.sign_in("administrator")
    answer = await caller.patch(f"/officers/{officer}", json={"unit_id": unit})
    assert answer.status_code == 200, answer.text


async def spans(platform: Platform, officer: int) -> list[tuple[int, bool, bool | None]]:
    """Unit, whether it is the first known, and whether the next follows at once; None of the last."""
    return await platform.sql(f"{SPANS} where officer_id = %s order by since", [officer])


async def week(caller: Caller, unit: int) -> dict[str, Any]:
    answer = await caller.get("/reports/squad-week", params={"unit": unit, "week": WEEK})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def summary(told: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in told["summary"]}


def dates(told: dict[str, Any], officer: str) -> list[int]:
    """Days of the month on which the officer is counted, of those on which a device was worn."""
    [table] = [one for one in told["tables"] if one["key"] == "officer_days"]
    rows = [{cell["key"]: cell["value"] for cell in row} for row in table["rows"]]
    return [int(row["date"][8:10]) for row in rows if row["officer"].endswith(officer)]


async def test_every_move_is_remembered_and_every_moment_has_one_unit(platform: Platform) -> None:
    assert await spans(platform, 1) == [(2, True, None)]
    await move(platform, 1, 3)
    await move(platform, 1, 3)
    await platform.sql("update officer set unit_id = 2 where id = 1; update officer set unit_id = 3 where id = 1")
    assert await spans(platform, 1) == [(2, True, True), (3, False, True), (2, False, True), (3, False, None)]
    assert await spans(platform, 2) == [(2, True, None)]


async def test_an_officer_without_a_unit_cannot_be(platform: Platform) -> None:
    for statement in (
        "update officer set unit_id = null where id = 1",
        "insert into officer (tenant, number, name) values ('main', 'D9', '无')",
    ):
        with pytest.raises(psycopg.errors.NotNullViolation):
            await platform.sql(statement)
    assert await spans(platform, 1) == [(2, True, None)]


async def test_moves_at_the_same_moment_follow_each_other(platform: Platform) -> None:
    await asyncio.gather(*(move(platform, 1, unit) for unit in (3, 1, 3, 1, 3, 1)))
    found = await spans(platform, 1)
    [(now_in,)] = await platform.sql("select unit_id from officer where id = 1")
    assert found[-1] == (now_in, False, None)
    assert all(follows for _, _, follows in found[:-1])


async def test_who_moved_in_the_middle_of_the_week_counts_each_day_where_they_served(platform: Platform) -> None:
    await walk(platform, 1, "02:00", seconds=1200)
    await platform.sql(WORN)
    caller = await platform.sign_in("supervisor")
    before = summary(await week(caller, 2))
    await platform.sql(MOVED)
    left, joined, whole = [await week(caller, unit) for unit in (2, 3, 1)]
    # The day of the move belongs to the squad in which it began.
    assert (dates(left, "D2001"), dates(joined, "D2001")) == ([2, 3, 4], [5, 6, 7, 8])
    assert dates(whole, "D2001") == list(range(2, 9))
    for name in ("length", "on_air", "moving"):
        parts = summary(left)[name] + summary(joined)[name]
        assert parts == pytest.approx(before[name])
        assert summary(whole)[name] == pytest.approx(before[name])
    # D2002 and D3001 stayed where they were; nobody is two people.
    assert [summary(one)["members"] for one in (left, joined, whole)] == [2, 2, 3]


async def test_a_squad_that_nobody_served_in_has_an_empty_week(platform: Platform) -> None:
    await platform.sql(MOVED.replace("2026-03-04T04:00Z", "2026-03-01T04:00Z").replace("= 1", "= 2"))
    await platform.sql(MOVED.replace("2026-03-04T04:00Z", "2026-03-01T04:00Z"))
    told = await week(await platform.sign_in("supervisor"), 2)
    assert summary(told)["members"] == 0


async def test_who_left_the_bureau_counts_where_they_served_while_they_wore_a_device(platform: Platform) -> None:
    await walk(platform, 1, "02:00", seconds=1200)
    await platform.sql(WORN)
    await platform.sql(MOVED)
    await platform.sql("update officer set active = false where id in (1, 2)")
    caller = await platform.sign_in("supervisor")
    left, joined = [await week(caller, unit) for unit in (2, 3)]
    assert (dates(left, "D2001"), dates(joined, "D2001")) == ([2, 3, 4], [5, 6, 7, 8])
    # D2002 wore nothing that week.
    assert [summary(one)["members"] for one in (left, joined)] == [1, 2]


async def test_who_may_see_whom_is_of_today_and_the_sheet_says_whom_it_leaves_out(platform: Platform) -> None:
    await walk(platform, 1, "02:00", seconds=1200)
    await platform.sql(WORN)
    await platform.sql(MOVED)
    old = await platform.sign_in("supervisor", unit=2)
    told = await week(old, 2)
    assert summary(told)["members"] == 1
    assert "另有 1 名" in " ".join(told["notes"])
    asked = {"officer": 1, "date": "2026-03-02"}
    assert (await old.get("/reports/officer-day", params=asked)).status_code == 404
    new = await platform.sign_in("supervisor", unit=3)
    told = await week(new, 3)
    assert summary(told)["members"] == 2
    assert "另有" not in " ".join(told["notes"])
    assert (await new.get("/reports/officer-day", params=asked)).status_code == 200
    whole = await week(await platform.sign_in("supervisor"), 2)
    assert "另有" not in " ".join(whole["notes"])


async def test_a_zone_of_a_squad_concerns_who_served_there_in_the_time_asked_for(platform: Platform) -> None:
    await platform.sql(MOVED)
    shape = {
        "type": "Feature",
        "properties": {"radius_m": 200.0},
        "geometry": {"type": "Point", "coordinates": [121.47, 31.23]},
    }
    await platform.sql("insert into zone (unit_id, kind, name) values (2, 'post', '东街岗')")
    await platform.sql(
        "insert into zone_version (zone_id, shape, valid_from) values (1, %s, '2026-01-01Z')", [json.dumps(shape)]
    )
    caller = await platform.sign_in("supervisor")
    concerned = []
    for date in (3, 4, 5):
        asked = {"from": f"2026-03-0{date}T00:00Z", "to": f"2026-03-0{date}T12:00Z"}
        answer = await caller.get("/zones/1/presence", params=asked)
        assert answer.status_code == 200, answer.text
        concerned.append(answer.json()["concerned"])
    assert concerned == [2, 2, 1]


async def test_the_day_of_an_officer_bears_the_name_of_the_unit_where_it_was_served(platform: Platform) -> None:
    await platform.sql(MOVED)
    caller = await platform.sign_in("supervisor")
    subjects = []
    for date in ("2026-03-04", "2026-03-05"):
        answer = await caller.get("/reports/officer-day", params={"officer": 1, "date": date})
        subjects.append(answer.json()["subject"])
    assert subjects == ["王小明 D2001 · 东街中队", "王小明 D2001 · 西街中队"]


async def test_what_the_audit_log_tells_of_moves_is_known_after_the_migration(platform: Platform) -> None:
    caller = await platform.sign_in("administrator")
    created = await caller.post("/officers", json={"unit_id": 2, "number": "D2009", "name": "孙新"})
    known = created.json()["id"]
    for change in ({"unit_id": 3}, {"unit_id": 3, "name": "孙欣"}, {"unit_id": 1}):
        await caller.patch(f"/officers/{known}", json=change)
    # Of a move behind the platform's back nothing tells when it was.
    await move(platform, 1, 3)
    await platform.sql("update officer set unit_id = 1 where id = 1")
    await platform.sql("drop table membership cascade; drop function note_membership cascade")
    [again] = [one.sql for one in migrations() if one.name == "0013_memberships"]
    await platform.sql(again)
    assert await spans(platform, known) == [(2, True, True), (3, False, True), (1, False, None)]
    assert await spans(platform, 1) == [(1, True, None)]
    assert await spans(platform, 2) == [(2, True, None)]
    await move(platform, 2, 3)
    assert await spans(platform, 2) == [(2, True, True), (3, False, None)]
