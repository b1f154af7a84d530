"""Looking back at tracks, over the real ingest and database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform
from tests.integration.ingest_rig import eventually, rig
from tests.integration.review_rig import (
    DAY,
    HOUR_MS,
    PERIOD,
    TELEPHONE,
    ask,
    hours_of,
    running_bureau,
    states_of,
    track,
    walk,
)
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.store.store import Store
from xunlu_protocol.location import Location, encode_locations

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


@pytest_asyncio.fixture
async def jobs(database: TestDatabase) -> AsyncIterator[Store]:
    async with Store(database.dsn("jobs")) as opened:
        yield opened


async def test_a_track_belongs_to_whoever_wore_the_device(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=7200)
    told = await ask(await platform.sign_in("dispatcher", unit=2), "tracks", "o1", "o2")
    first, second = told["subjects"]
    assert first["officer"] == {"id": 1, "number": "D2001", "name": "王小明", "unit": "东街中队"}
    assert [(one["from"][11:16], one["to"][11:16]) for one in first["worn"]] == [("00:00", "08:00")]
    [before], [after] = first["pieces"], second["pieces"]
    assert (before["t"][0], before["t"][-1]) == (7 * HOUR_MS, 8 * HOUR_MS - 5000)
    assert (after["t"][0], after["t"][-1]) == (8 * HOUR_MS, 9 * HOUR_MS - 5000)
    assert first["length_m"] == pytest.approx(3595 * 1.2, rel=0.02)
    assert first["moving_s"] == 3595
    # The next fix, of whoever wore it then, shows that the device was there up to the end.
    assert states_of(first)[1] == ("on_air", 7, 8)


async def test_hours_that_the_job_has_shaped_and_fixes_answer_alike(platform: Platform, jobs: Store) -> None:
    await walk(platform, 1, "06:20", seconds=9000)
    await walk(platform, 1, "08:50", seconds=2400, late=True)
    asked = {"tolerance_m": 20}
    before = {key: await track(platform, key, **asked) for key in ("dR1", "o1", "o2")}
    await platform.sql(
        "insert into position_hour_due (device_id, hour)"
        " select 1, h from generate_series('2026-03-02T05:00Z'::timestamptz, '2026-03-02T10:00Z', '1 hour') h"
    )
    assert await roll_up(jobs, hours_max=10) == 6
    assert await platform.sql("select count(*), count(distinct hour) from track_piece") == [(16, 4)]
    for key, was in before.items():
        now = await track(platform, key, **asked)
        assert [hours_of(piece) for piece in now["pieces"]] == [hours_of(piece) for piece in was["pieces"]]
        assert [piece["late"] for piece in now["pieces"]] == [piece["late"] for piece in was["pieces"]]
        assert (now["states"], now["stops"]) == (was["states"], was["stops"])
        assert now["length_m"] == pytest.approx(was["length_m"], abs=7)
        assert now["moving_s"] == pytest.approx(was["moving_s"], abs=5)


async def test_what_arrives_late_is_told_although_the_hour_was_shaped_before(
    platform: Platform, database: TestDatabase, broker: TestBroker, jobs: Store
) -> None:
    await walk(platform, 1, "07:00", seconds=1800)
    await platform.sql("insert into position_hour_due (device_id, hour) values (1, '2026-03-02T07:00Z')")
    await roll_up(jobs, hours_max=10)
    begin_s = int(DAY.timestamp()) + 7 * 3600 + 1800
    fixes = [
        Location(kind="location", lat=31.23, lon=121.47 + (25_200 + 1800 + 60 * n) * 0.0000126, tst=begin_s + 60 * n,
                 sid=9, seq=n + 1, acc=4)
        for n in range(20)
    ]  # fmt: skip
    async with rig(database, broker) as made, made.working():
        await made.publish("R1", "loc/hist", encode_locations(fixes))
        assert await eventually(lambda: made.rows("select from position_hour_due"))
    told = await track(platform, "o1")
    assert [(hours_of(piece), piece["late"]) for piece in told["pieces"]] == [((7, 7.5), False), ((7.5, 7.82), True)]
    assert [state for state, _, _ in states_of(told)][:3] == ["no_signal", "on_air", "back_filled"]
    await roll_up(jobs, hours_max=10)
    assert (await track(platform, "o1"))["pieces"] == told["pieces"]


async def test_every_silence_has_its_reason(platform: Platform) -> None:
    await walk(platform, 3, "00:00", seconds=3600)
    await walk(platform, 3, "02:00", seconds=3600)
    await walk(platform, 3, "04:00", seconds=3600)
    await walk(platform, 3, "06:00", seconds=3600, sid=2)
    await platform.sql(
        "insert into server_state (host, at, online) values"
        " ('ingest-0@a', '2026-02-01Z', true), ('ingest-1@a', '2026-02-01Z', true), ('api@a', '2026-02-01Z', true),"
        " ('ingest-1@a', '2026-03-02T01:00:10Z', false), ('ingest-0@a', '2026-03-02T01:10Z', false),"
        " ('ingest-0@a', '2026-03-02T01:50Z', true);"
        "insert into availability (device_id, at, received_at, sid, availability, why) values"
        " (3, '2026-03-01T23:00Z', now(), 1, 'online', null), (3, '2026-03-02T05:00Z', now(), 1, 'offline', 'dock'),"
        " (3, '2026-03-02T05:59Z', now(), 2, 'online', null);"
        "insert into telemetry (device_id, at, received_at, sid, payload)"
        ' select 3, at, at, 1, \'{"fix": 0, "signal_dbm": -80}\''
        " from generate_series('2026-03-02T03:00Z'::timestamptz, '2026-03-02T04:00Z', '1 minute') at"
    )
    told = await track(platform, "o3")
    assert [one["from_ms"] for one in told["states"]][1:] == [one["to_ms"] for one in told["states"]][:-1]
    assert (told["states"][0]["from_ms"], told["states"][-1]["to_ms"]) == (0, 24 * HOUR_MS)
    long = [(state, round(low, 1), round(high, 1)) for state, low, high in states_of(told) if high - low > 0.1]
    assert ("server_down", 1.2, 1.8) in long
    assert ("no_fix", 3.0, 4.0) in long
    assert ("off_planned", 5.0, 6.0) in long
    assert [one for one in long if one[0] == "on_air"] == [
        ("on_air", 0, 1), ("on_air", 2, 3), ("on_air", 4, 5), ("on_air", 6, 7)
    ]  # fmt: skip
    assert [hours_of(piece)[0] for piece in told["pieces"]] == [0, 2, 4, 6]


async def test_whoever_takes_over_ends_what_nobody_released_over_midnight(platform: Platform) -> None:
    await platform.sql(
        "update binding set released_at = '2026-03-03T06:00Z' where id = 2;"
        "insert into binding (device_id, officer_id, bound_at, released_at) values"
        " (1, 1, '2026-03-02T22:00Z', '2026-03-03T06:00Z'), (2, 1, '2026-03-03T02:00Z', '2026-03-03T04:00Z')"
    )
    caller = await platform.sign_in("supervisor")
    period = {"from": "2026-03-02T20:00:00Z", "to": "2026-03-03T08:00:00Z"}
    told = await ask(caller, "tracks", "o1", "o2", **period)
    worn = [[(one["did"], one["from"][11:16], one["to"][11:16]) for one in s["worn"]] for s in told["subjects"]]
    assert worn == [[("R1", "22:00", "02:00"), ("R2", "02:00", "04:00")], [("R1", "20:00", "22:00")]]


async def test_a_telephone_counts_while_its_officer_wears_no_recorder_whatever_time_is_asked_for(
    platform: Platform,
) -> None:
    await platform.sql(TELEPHONE)
    await platform.sql(
        "insert into binding (device_id, officer_id, bound_at, released_at) values"
        " (2, 1, '2026-03-02T10:00Z', '2026-03-02T12:00Z')"
    )
    caller = await platform.sign_in("supervisor")
    for since, until in (("06:00", "13:00"), ("09:00", "13:00"), ("08:30", "09:30")):
        period = {"from": f"2026-03-02T{since}:00Z", "to": f"2026-03-02T{until}:00Z"}
        [told] = (await ask(caller, "tracks", "o1", **period))["subjects"]
        whole = [("R1", "06:00", "08:00"), ("P1", "08:00", "10:00"), ("R2", "10:00", "12:00"), ("P1", "12:00", "13:00")]
        cut = [(did, max(begin, since), min(end, until)) for did, begin, end in whole]
        worn = [(one["did"], one["from"][11:16], one["to"][11:16]) for one in told["worn"]]
        assert worn == [one for one in cut if one[1] < one[2]]


async def test_the_page_of_a_track_names_whoever_wore_the_device_then(platform: Platform) -> None:
    for unit, since, until, title in (
        (1, "07:00", "08:00", "R1 王小明 D2001 2026-03-02 15:00"),
        (1, "07:00", "09:00", "R1 王小明 D2001, 李大力 D2002 2026-03-02 15:00"),
        (2, "09:00", "10:00", "R1 李大力 D2002 2026-03-02 17:00"),
    ):
        period = {"from": f"2026-03-02T{since}:00Z", "to": f"2026-03-02T{until}:00Z", "format": "html"}
        page = await (await platform.sign_in("supervisor", unit=unit)).get("/devices/R1/track", params=period)
        assert f"<title>{title}</title>" in page.text


async def test_the_page_of_a_track_tells_the_time_of_the_place_and_why_there_is_no_line(platform: Platform) -> None:
    for since in ("07:00", "07:30"):
        await walk(platform, 1, since, seconds=600)
    await platform.sql(
        "insert into availability (device_id, at, received_at, sid, availability, why)"
        " values (1, '2026-03-02T07:10:00Z', now(), 1, 'sleep', null)"
    )
    asked = {"from": "2026-03-02T07:00:00Z", "to": "2026-03-02T07:40:00Z", "format": "html"}
    caller = await platform.sign_in("dispatcher", unit=2)
    for language, reason, count in (
        ("zh-CN", "关机（计划内）", "240 个定位"),
        ("en", "off (planned)", "240 positions"),
    ):
        page = (await caller.get("/devices/R1/track", params={**asked, "language": language})).text
        body = page.partition("<aside>")[2].partition("</aside>")[0]
        assert 'title="2026-03-02 15:10:00">15:10:00' in body
        assert "UTC+08:00" in body
        assert f"<td>{reason}</td>" in body
        assert count in body
    fewer = (await caller.get("/devices/R1/track", params={**asked, "tolerance_m": 7.5})).text
    assert "4 个定位" in fewer.partition("<aside>")[2]


async def test_equal_and_reversed_times_make_no_line_of_their_own(platform: Platform) -> None:
    await walk(platform, 3, "09:00", seconds=600)
    # A second session writes the same times, and one fix whose number goes back; then a leap across the city.
    await walk(platform, 3, "09:00", seconds=600, step=60, sid=2)
    await platform.sql(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late) values"
        " (3, '2026-03-02T09:05:02Z', 1, 1, '2026-03-02T09:05:03Z', 31.8, 121.9, false)"
    )
    [piece] = (await track(platform, "o3", tolerance_m=0))["pieces"]
    assert piece["t"] == sorted(set(piece["t"]))
    assert max(piece["lat"]) == 31.23
    [marked] = (await track(platform, "o3", tolerance_m=0, raw=True))["pieces"]
    reasons = [flag for flag in marked["flags"] if flag]
    assert sorted(set(reasons)) == ["duplicate", "spike"]
    assert len(marked["t"]) == len(marked["sid"]) == len(marked["accuracy_m"]) == 120 + 10 + 1


async def test_more_points_than_one_answer_holds_are_refused_with_what_to_do(platform: Platform) -> None:
    await walk(platform, 3, "00:00", seconds=3 * 86_400, step=1)
    caller = await platform.sign_in("supervisor")
    days = {"from": PERIOD["from"], "to": "2026-03-05T00:00:00Z", "subject": "o3"}
    answer = await caller.get("/review/tracks", params=days)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/too-much")
    assert "shorter time" in answer.json()["detail"]
    # A day of it is answered, and so is the whole, a page at a time.
    assert (await ask(caller, "tracks", "o3"))["subjects"][0]["moving_s"] == 86_399
    assert (await caller.get("/review/tracks", params={**days, "tolerance_m": 0})).json()["next"]


async def test_raw_fixes_come_in_pages_that_skip_nothing_and_go_on_from_each_other(platform: Platform) -> None:
    await walk(platform, 3, "00:00", seconds=22_000, step=1)
    await walk(platform, 1, "07:00", seconds=100, step=1)
    other = list(range(7 * HOUR_MS, 7 * HOUR_MS + 100_000, 1000))
    for raw in (False, True):
        first, second = await pages_of(platform, "o3", "o1", raw=raw)
        assert first == [list(range(0, 20_000_000, 1000))]
        # It goes on from the last fix of the page before.
        assert second == [list(range(19_999_000, 22_000_000, 1000)), other]


async def pages_of(platform: Platform, *subjects: str, **more: Any) -> list[list[list[int]]]:
    """The times of all pieces, page by page."""
    caller = await platform.sign_in("supervisor")
    pages: list[list[list[int]]] = []
    after: dict[str, str] = {}
    while not pages or after:
        told = await ask(caller, "tracks", *subjects, tolerance_m=0, **more, **after)
        pages.append([piece["t"] for subject in told["subjects"] for piece in subject["pieces"]])
        after = {"after": told["next"]} if told["next"] else {}
    return pages


async def test_a_page_of_raw_fixes_knows_what_was_before_it(platform: Platform) -> None:
    await walk(platform, 3, "00:00", seconds=20_010, step=1)
    # Out and back, first on its page.
    await platform.sql("update position set lat = 31.4 where device_id = 3 and fix_at = '2026-03-02T05:33:20Z'")
    [_, believed] = await pages_of(platform, "o3")
    assert believed == [[19_999_000, *range(20_001_000, 20_010_000, 1000)]]


async def test_a_page_of_raw_fixes_begins_anew_after_a_silence(platform: Platform) -> None:
    await walk(platform, 3, "00:00", seconds=20_000, step=1)
    await walk(platform, 3, "06:00", seconds=100, step=1)
    for raw in (False, True):
        [_, later] = await pages_of(platform, "o3", raw=raw)
        assert later == [list(range(6 * HOUR_MS, 6 * HOUR_MS + 100_000, 1000))]


async def test_a_subject_without_any_fix_is_explained_all_the_same(platform: Platform) -> None:
    told = await track(platform, "dR2")
    assert (told["officer"], told["pieces"], told["stops"], told["length_m"]) == (None, [], [], 0)
    assert states_of(told) == [("no_signal", 0, 24)]
    nobody = await track(platform, "o2", to="2026-03-02T07:00:00Z")
    assert (nobody["worn"], nobody["states"]) == ([], [])


async def test_who_has_left_and_what_is_locked_out_keep_their_history(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=600)
    await platform.sql("update officer set active = false; update device set status = 'disabled'")
    assert len((await track(platform, "o1"))["pieces"]) == len((await track(platform, "dR1"))["pieces"]) == 1


async def test_a_stop_over_the_full_hour_is_one(platform: Platform, jobs: Store) -> None:
    await walk(platform, 3, "09:40", seconds=1080)
    await platform.sql(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, late)"
        " select 3, at, 1, extract(epoch from at), at, 31.23, 121.91, 0, 4, false"
        " from generate_series('2026-03-02T09:58Z'::timestamptz, '2026-03-02T10:04Z', '5 s') at;"
        "insert into position_hour_due (device_id, hour) values (3, '2026-03-02T09:00Z'), (3, '2026-03-02T10:00Z')"
    )
    [fresh] = (await track(platform, "o3"))["stops"]
    await roll_up(jobs, hours_max=10)
    [stop] = (await track(platform, "o3"))["stops"]
    assert (stop["from_ms"], stop["to_ms"]) == (fresh["from_ms"], fresh["to_ms"])
    assert (stop["from_ms"] / 60_000, stop["to_ms"] / 60_000) == (pytest.approx(598, abs=1.1), 604)


async def test_what_has_not_been_yet_is_not_explained(platform: Platform) -> None:
    now = datetime.now(UTC)
    ahead = {"from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    for key in ("o2", "dR1"):
        told = await track(platform, key, **ahead)
        assert told["states"][-1]["to_ms"] == pytest.approx(HOUR_MS, abs=60_000)
        after = {"from": (now + timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=2)).isoformat()}
        assert (await track(platform, key, **after))["states"] == []


async def test_a_silence_that_is_no_gap_yet_is_none(platform: Platform) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=80)
    rows = [(begin + timedelta(seconds=10 * step), step + 1) for step in range(5)]
    for at, seq in rows:
        await platform.sql(
            "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late)"
            " select id, %s, 1, %s, %s, 31.23, 121.47, false from device where did = 'R2'",
            [at, seq, at],
        )
    period = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
    told = await track(platform, "dR2", **period)
    assert [one["state"] for one in told["states"]] == ["on_air"]
    await platform.sql(
        "insert into availability (device_id, at, received_at, sid, availability, why)"
        " select id, now() - interval '20 seconds', now(), 1, 'offline', 'shutdown' from device where did = 'R2'"
    )
    told = await track(platform, "dR2", **period)
    assert [one["state"] for one in told["states"]][-1] == "off_planned"
