"""Who was here: shapes and times over the real database."""

import codecs
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform
from tests.integration.review_rig import HAPPENED, TELEPHONE, running_bureau, walk
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.review import who as visits
from xunlu_platform.store.store import Store

pytestmark = pytest.mark.integration

# Where the walk of `review_rig` is at 08:00 UTC, and a street that it crosses at 07:30.
HANDOVER = (121.47 + 8 * 3600 * 0.0000126, 31.23)
CROSSED = 121.47 + 7.5 * 3600 * 0.0000126


def circle(lon: float, lat: float, radius_m: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"radius_m": radius_m},
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
    }


def street(lon: float, *, width_m: float = 10) -> dict[str, Any]:
    line = [[lon, 31.22], [lon, 31.24]]
    return {
        "type": "Feature",
        "properties": {"width_m": width_m},
        "geometry": {"type": "LineString", "coordinates": line},
    }


def question(shape: dict[str, Any], since: str = "06:00", until: str = "10:00", **more: Any) -> dict[str, Any]:
    return {"shape": shape, "from": f"2026-03-02T{since}Z", "to": f"2026-03-02T{until}Z", **more}


async def who(caller: Caller, *asked: Any, **more: Any) -> dict[str, Any]:
    answer = await caller.post("/review/who", json=question(*asked, **more))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


async def test_who_was_inside_is_told_with_times_recordings_and_bursts(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=7200)
    await platform.sql(HAPPENED)
    await platform.sql(
        "update burst set device_id = 1, started_at = '2026-03-02T07:59:30Z', ended_at = '2026-03-02T07:59:34Z'"
    )
    told = await who(await platform.sign_in("supervisor"), circle(*HANDOVER, 121))
    first, second = told["subjects"]
    assert (first["subject"], first["officer"]["number"], first["unit"]) == ("o1", "D2001", "东街中队")
    assert (second["subject"], second["officer"]["number"]) == ("o2", "D2002")
    # 1.2 m/s: a hundred seconds before the handover the first came, and the second went a hundred after it.
    [before], [after] = first["stays"], second["stays"]
    assert (before["entered"][11:19], before["left"][11:19]) == ("07:58:20", "07:59:55")
    assert (after["entered"][11:19], after["left"][11:19]) == ("08:00:00", "08:01:40")
    assert (before["did"], before["confidence"], before["fixes"], before["closest_m"]) == ("R1", "inside", 20, 0)
    assert [one["id"] for one in first["recordings"]] == [one["id"] for one in second["recordings"]] == ["rec-1"]
    assert [(one["id"], one["text"], one["url"]) for one in first["bursts"]] == [
        ("b-1", "东街中队", "/api/v1/bursts/b-1/audio")
    ]
    assert second["bursts"] == []
    assert told["more"] is False
    assert told["review"].startswith(
        "/review?s=o1,o2&from=2026-03-02T06:00:00%2B00:00&to=2026-03-02T10:00:00%2B00:00&t=2026-03-02T07:58:20"
    )


async def test_hours_that_were_rolled_up_and_others_answer_alike(platform: Platform, database: TestDatabase) -> None:
    await walk(platform, 1, "06:20", seconds=9000)
    await walk(platform, 3, "06:20", seconds=9000, step=7)
    caller = await platform.sign_in("supervisor")
    shape = circle(*HANDOVER, 50)
    before = await who(caller, shape)
    assert [one["subject"] for one in before["subjects"]] == ["o1", "o3", "o2"]
    await platform.sql(
        "insert into position_hour_due (device_id, hour) select d, h from unnest(array[1, 3]) d,"
        " generate_series('2026-03-02T06:00Z'::timestamptz, '2026-03-02T08:00Z', '1 hour') h"
    )
    async with Store(database.dsn("jobs")) as jobs:
        assert await roll_up(jobs, hours_max=10) == 6
    assert await who(caller, shape) == before
    # An hour is due again: its box is measured anew by its fixes.
    await platform.sql("insert into position_hour_due (device_id, hour) values (1, '2026-03-02T07:00Z')")
    assert await who(caller, shape) == before


async def test_a_street_crossed_between_two_fixes_is_passing_and_one_across_a_gap_is_nothing(
    platform: Platform,
) -> None:
    await walk(platform, 1, "07:00", seconds=3600, step=40)
    caller = await platform.sign_in("supervisor")
    [visitor] = (await who(caller, street(CROSSED + 0.0002)))["subjects"]
    [stay] = visitor["stays"]
    assert (stay["confidence"], stay["fixes"], stay["closest_m"]) == ("passing", 0, 0)
    assert (stay["entered"][11:19], stay["left"][11:19]) == ("07:30:00", "07:30:40")
    await platform.sql("delete from position where fix_at > '2026-03-02T07:20Z' and fix_at < '2026-03-02T07:40Z'")
    assert (await who(caller, street(CROSSED + 0.0002)))["subjects"] == []


async def test_within_counts_who_was_near_and_tells_how_near(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=3600)
    caller = await platform.sign_in("supervisor")
    beside = circle(CROSSED, 31.231, 20)
    assert (await who(caller, beside))["subjects"] == []
    [visitor] = (await who(caller, beside, within_m=100))["subjects"]
    assert visitor["stays"][0]["closest_m"] == pytest.approx(91, abs=2)


async def test_an_officer_was_here_with_the_recorder_and_with_the_telephone_beside_it(platform: Platform) -> None:
    await platform.sql(TELEPHONE)
    await walk(platform, 1, "07:00", seconds=3600)
    await walk(platform, 4, "07:00", seconds=3600)
    [visitor] = (await who(await platform.sign_in("supervisor"), circle(CROSSED, 31.23, 30)))["subjects"]
    assert (visitor["subject"], [stay["did"] for stay in visitor["stays"]]) == ("o1", ["P1", "R1"])


async def test_nobody_is_told_beyond_the_scope_of_whoever_asks(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=3600)
    await walk(platform, 3, "07:00", seconds=3600)
    shape = circle(CROSSED, 31.23, 100)
    seen = {}
    for unit in (1, 2, 3):
        told = await who(await platform.sign_in("dispatcher", unit=unit), shape)
        seen[unit] = [one["subject"] for one in told["subjects"]]
    assert seen == {1: ["o1", "o3"], 2: ["o1"], 3: ["o3"]}
    officer = await platform.sign_in("officer", unit=2, officer=1)
    assert (await officer.post("/review/who", json=question(shape))).status_code == 403


async def test_who_may_not_hear_recordings_is_told_of_none(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=7200)
    await platform.sql(HAPPENED)
    told = await who(await platform.sign_in("auditor"), circle(*HANDOVER, 121))
    assert [one["subject"] for one in told["subjects"]] == ["o1", "o2"]
    assert [one["recordings"] for one in told["subjects"]] == [[], []]


async def test_officers_who_left_and_devices_that_nobody_wears_were_here_too(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=1800)
    await walk(platform, 2, "07:00", seconds=1800)
    await platform.sql("update officer set active = false; update device set status = 'disabled'")
    told = await who(await platform.sign_in("supervisor"), circle(CROSSED - 0.003, 31.23, 30))
    assert [(one["subject"], one["officer"] is None) for one in told["subjects"]] == [("dR2", True), ("o1", False)]


async def test_the_question_is_audited_with_its_shape_and_everybody_who_was_found(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=1800)
    shape = circle(CROSSED - 0.003, 31.23, 30)
    await who(await platform.sign_in("supervisor"), shape, within_m=5)
    rows = await platform.sql(
        "select action, target, detail from audit where starts_with(action, 'review.who') order by id"
    )
    assert [(action, target) for action, target, _ in rows] == [("review.who", ""), ("review.who.found", "D2001")]
    assert rows[0][2]["shape"]["properties"] == {"radius_m": 30}
    assert (rows[0][2]["within_m"], rows[1][2]["subject"]) == (5, "o1")


async def test_a_table_for_a_spreadsheet_holds_no_formula(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=1800)
    await platform.sql("update officer set name = '=HYPERLINK(\"http://x\")' where id = 1")
    caller = await platform.sign_in("supervisor")
    asked = question(circle(CROSSED - 0.003, 31.23, 30))
    answer = await caller.post("/review/who", params={"format": "csv"}, json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.content.startswith(codecs.BOM_UTF8)
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["subject"], row["name"], row["confidence"]) == ("o1", '\'=HYPERLINK("http://x")', "inside")


async def test_a_table_says_that_more_was_found_than_it_lists(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk(platform, 1, "07:00", seconds=3600)
    await walk(platform, 3, "07:00", seconds=3600)
    monkeypatch.setattr(visits, "VISITORS_MAX", 1)
    caller = await platform.sign_in("supervisor")
    answer = await caller.post("/review/who", params={"format": "csv"}, json=question(circle(CROSSED, 31.23, 30)))
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert [row["subject"] for row in rows] == ["o1", "more"]


BOWTIE = {
    "type": "Polygon",
    "coordinates": [[[121.5, 31.2], [121.6, 31.3], [121.6, 31.2], [121.5, 31.3], [121.5, 31.2]]],
}


@pytest.mark.parametrize(
    ("shape", "more", "reason"),
    [
        ({"type": "Feature", "geometry": None}, {}, "zone-no-feature"),
        (circle(0, 0, 50), {}, "zone-outside"),
        (circle(121.5, 31.2, -1), {}, "zone-radius"),
        (circle(121.5, float(10**20), 50), {}, "zone-outside"),
        (circle(121.5, 31.2, 50), {"until": "05:00"}, "period-order"),
        (circle(121.5, 31.2, 50), {"within_m": 501}, "less_than_equal"),
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_with_what_to_do(
    platform: Platform, shape: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    caller = await platform.sign_in("supervisor")
    answer = await caller.post("/review/who", json=question(shape, **more))
    assert answer.status_code == 422, answer.text
    assert reason in [one["reason"] for one in answer.json()["errors"]]


async def test_a_shape_that_crosses_itself_is_repaired_and_more_than_a_day_is_refused(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    told = await who(caller, {"type": "Feature", "properties": {}, "geometry": BOWTIE})
    assert (told["subjects"], told["review"], told["shape"]["geometry"]["type"]) == ([], None, "MultiPolygon")
    asked = {**question(circle(121.5, 31.2, 50)), "to": "2026-03-03T06:00:01Z"}
    answer = await caller.post("/review/who", json=asked)
    assert answer.json()["errors"][0]["reason"] == "period-hours"
