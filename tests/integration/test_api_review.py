"""Looking back: tracks, moments and the fleet as it was, over the real ingest and database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform, running_platform
from tests.integration.ingest_rig import eventually, rig
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.store.store import Store
from xunlu_protocol.location import Location, encode_locations

pytestmark = pytest.mark.integration

DAY = datetime(2026, 3, 2, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(days=1)).isoformat()}
HOUR_MS = 3_600_000

BUREAU = """
insert into officer (tenant, unit_id, number, name) values
  ('main', 2, 'D2001', '王小明'), ('main', 2, 'D2002', '李大力'), ('main', 3, 'D3001', '周敏');
insert into device (did, tenant, unit_id, kind, serial, vendor, model, status, created_at) values
  ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved', '2026-01-01Z'),
  ('R2', 'main', 2, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'approved', '2026-01-01Z'),
  ('R3', 'main', 3, 'recorder', 'S3', 'Xunlu', 'SIM-4G', 'approved', '2026-01-01Z');
insert into binding (device_id, officer_id, bound_at, released_at) values
  (1, 1, '2026-03-01T22:00:00Z', '2026-03-02T08:00:00Z'),
  (1, 2, '2026-03-02T08:00:00Z', null),
  (3, 3, '2026-03-01T00:00:00Z', null)
"""

# To the east at about 1.2 m/s, always the same way at the same time.
WALK = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, fix, sat, late)
select %(device)s, at, %(sid)s, extract(epoch from at - '2026-03-02Z'::timestamptz),
  at + case when %(late)s then interval '2 h' else interval '1 s' end, 31.23,
  121.47 + extract(epoch from at - '2026-03-02Z'::timestamptz) * 0.0000126, 1.2, 4, 1, 18, %(late)s
from generate_series(%(since)s::timestamptz, %(since)s::timestamptz + (%(seconds)s - 1) * interval '1 s',
  %(step)s * interval '1 s') at
"""

HAPPENED = """
insert into event (device_id, at, received_at, sid, seq, type, payload, late) values
  (1, '2026-03-02T07:00:00Z', now(), 1, 1, 'mark', '{}', false),
  (1, '2026-03-02T09:00:00Z', now(), 1, 2, 'mark', '{}', false);
insert into recording (id, device_id, officer_id, why, file, started_at, ended_at, size_bytes, sha256, gaps, complete)
  values ('rec-1', 1, 1, 'hand', 'R1/a.mp4', '2026-03-02T07:50:00Z', '2026-03-02T08:10:00Z', 9, repeat('0', 64),
    '[{"from_ms": 1, "to_ms": 2}]', true);
insert into burst (id, gid, unit_id, talker, officer_id, grant_number, urgency, file, started_at, ended_at, size_bytes,
    sha256, lost, complete)
  values ('b-1', 'unit-2', 2, 'u-9', 2, 1, 1, 'x', '2026-03-02T06:00:00Z', '2026-03-02T06:00:04Z', 9, repeat('1', 64),
    0, true);
insert into alarm (device_id, kind, severity, sid, seq, raised_at, received_at, closed_at, state) values
  (1, 'sos', 3, 1, 9, '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z', '2026-03-02T10:05:00Z', 'resolved');
insert into command (rid, device_id, name, args, state, created_at, expires_at) values
  ('c-1', 1, 'photo', '{}', 'done', '2026-03-02T11:00:00Z', '2026-03-02T11:02:00Z');
insert into zone (unit_id, kind, name) values (2, 'post', '外滩');
insert into zone_version (zone_id, shape) values (1, '{}');
insert into zone_event (device_id, zone_id, version_id, kind, fix_at, lat, lon, late, withdrawn_at) values
  (1, 1, 1, 'enter', '2026-03-02T11:30:00Z', 31.2, 121.5, false, null),
  (1, 1, 1, 'leave', '2026-03-02T11:40:00Z', 31.2, 121.5, false, '2026-03-02T13:00:00Z');
insert into viewing (id, device_id, username, asked_at, began_at, ended_at) values
  ('v-1', 1, 'desk', '2026-03-02T12:00:00Z', '2026-03-02T12:00:01Z', '2026-03-02T12:09:00Z')
"""

FLEET = """
insert into availability (device_id, at, received_at, sid, availability, why) values
  (1, '2026-03-02T06:59:00Z', now(), 1, 'online', null), (1, '2026-03-02T09:00:00Z', now(), 1, 'offline', 'dock');
insert into telemetry (device_id, at, received_at, sid, payload) values
  (1, '2026-03-02T07:30:00Z', now(), 1, '{"batt": 80}'), (1, '2026-03-02T08:30:00Z', now(), 1, '{"batt": 60}');
insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at, closed_at, state) values
  (1, 1, 'sos', 3, 1, 9, '2026-03-02T07:40:00Z', '2026-03-02T07:40:00Z', '2026-03-02T08:05:00Z', 'resolved')
"""


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    """Two squads; R1 goes from D2001 to D2002 at eight."""
    async with running_platform(database, broker) as running:
        await running.sql(BUREAU)
        yield running


@pytest_asyncio.fixture
async def jobs(database: TestDatabase) -> AsyncIterator[Store]:
    async with Store(database.dsn("jobs")) as opened:
        yield opened


async def walk(
    platform: Platform, device: int, since: str, *, seconds: int, step: int = 5, late: bool = False, sid: int = 1
) -> None:
    values = {"device": device, "since": f"2026-03-02T{since}Z", "seconds": seconds, "step": step}
    await platform.sql(WALK, {**values, "late": late, "sid": sid})


async def ask(caller: Caller, what: str, *subjects: str, **more: Any) -> dict[str, Any]:
    answer = await caller.get(f"/review/{what}", params={**PERIOD, "subject": list(subjects), **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def track(platform: Platform, subject: str, **more: Any) -> dict[str, Any]:
    """What one subject came to, for somebody of the whole district."""
    [found] = (await ask(await platform.sign_in("supervisor"), "tracks", subject, **more))["subjects"]
    return dict(found)


def states_of(subject: dict[str, Any]) -> list[tuple[str, float, float]]:
    """State with its begin and end in hours of the day."""
    return [(one["state"], one["from_ms"] / HOUR_MS, one["to_ms"] / HOUR_MS) for one in subject["states"]]


def hours_of(piece: dict[str, Any]) -> tuple[float, float]:
    return (round(piece["t"][0] / HOUR_MS, 2), round(piece["t"][-1] / HOUR_MS, 2))


# -- tracks -----------------------------------------------------------------------------------------------------------


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
    assert await roll_up(jobs, hours_max=10) == 4
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


async def test_raw_fixes_come_in_pages_that_neither_repeat_nor_skip(platform: Platform) -> None:
    await walk(platform, 3, "00:00", seconds=22_000, step=1)
    await walk(platform, 1, "07:00", seconds=100, step=1)
    caller = await platform.sign_in("supervisor")
    times: list[int] = []
    pages, after = 0, None
    while pages == 0 or after:
        told = await ask(caller, "tracks", "o3", "o1", tolerance_m=0, **({"after": after} if after else {}))
        times += [t for subject in told["subjects"] for piece in subject["pieces"] for t in piece["t"]]
        pages, after = pages + 1, told["next"]
    assert pages == 2
    assert times == [*range(0, 22_000_000, 1000), *range(7 * HOUR_MS, 7 * HOUR_MS + 100_000, 1000)]


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


# -- moments and the fleet --------------------------------------------------------------------------------------------


async def test_moments_belong_to_who_wore_the_device_when_they_happened(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    told = await ask(await platform.sign_in("supervisor", unit=2), "moments", "o1", "o2")
    assert told["more"] is False
    seen = [(one["subject"], one["kind"], one["text"], one["at"][11:16]) for one in told["moments"]]
    assert seen == [
        ("o2", "burst", "东街中队", "06:00"),
        ("o1", "event", "mark", "07:00"),
        ("o1", "recording", "hand", "07:50"),
        ("o2", "recording", "hand", "07:50"),
        ("o2", "event", "mark", "09:00"),
        ("o2", "alarm", "sos", "10:00"),
        ("o2", "command", "photo", "11:00"),
        ("o2", "zone_enter", "外滩", "11:30"),
        ("o2", "viewing", "desk", "12:00"),
    ]
    recording = next(one for one in told["moments"] if one["kind"] == "recording")
    assert recording["detail"]["url"] == "/api/v1/recordings/rec-1/file"
    assert (recording["detail"]["gaps"], recording["until"][11:16]) == ([{"from_ms": 1, "to_ms": 2}], "08:10")


async def test_a_role_sees_only_the_moments_that_are_its_own(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    kinds = {}
    for role in ("evidence", "auditor", "dispatcher"):
        told = await ask(await platform.sign_in(role), "moments", "dR1")
        kinds[role] = sorted({one["kind"] for one in told["moments"]})
    assert kinds == {
        "evidence": ["alarm", "event", "recording", "zone_enter"],
        "auditor": ["alarm", "event", "viewing", "zone_enter"],
        "dispatcher": ["alarm", "command", "event", "recording", "zone_enter"],
    }


async def test_the_fleet_is_told_as_it_was(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=7200)
    await platform.sql(FLEET)
    caller = await platform.sign_in("dispatcher", unit=2)

    async def at(clock: str) -> dict[str, Any]:
        answer = await caller.get("/fleet/at", params={"at": f"2026-03-02T{clock}:00Z"})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["type"] == "snapshot"
        assert [device["did"] for device in told["devices"]] == ["R1", "R2"]
        return {**told["devices"][0], "alarms": told["alarms"]}

    before, during, after = [await at(clock) for clock in ("07:45", "08:45", "09:30")]
    assert [one["num"] for one in (before, during, after)] == ["D2001", "D2002", "D2002"]
    assert [one["batt"] for one in (before, during, after)] == [80, 60, 60]
    assert [one["st"] for one in (before, during, after)] == ["online", "online", "offline"]
    assert before["sos"] == before["alarms"][0]["id"] == 1
    assert (before["alarms"][0]["state"], before["alarms"][0]["officer"]["number"]) == ("new", "D2001")
    assert (during["sos"], during["alarms"]) == (None, [])
    assert before["tms"] == datetime(2026, 3, 2, 7, 45, tzinfo=UTC).timestamp() * 1000
    assert after["tms"] == datetime(2026, 3, 2, 8, 59, 55, tzinfo=UTC).timestamp() * 1000


# -- who may ask what -------------------------------------------------------------------------------------------------


async def test_nobody_sees_a_subject_of_another_squad(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher", unit=3)
    for subject in ("o1", "dR1", "o999999"):
        for what in ("tracks", "moments"):
            answer = await caller.get(f"/review/{what}", params={**PERIOD, "subject": ["o3", subject]})
            assert (answer.status_code, subject in answer.json()["detail"]) == (404, True)
    assert (await (await platform.sign_in("clerk")).get("/fleet/at", params={"at": PERIOD["from"]})).status_code == 403


async def test_an_officer_looks_back_at_themselves_and_at_nobody_else(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=7200)
    await platform.sql(HAPPENED)
    officer = await platform.sign_in("officer", unit=2, officer=1)
    [told] = (await ask(officer, "tracks", "o1"))["subjects"]
    # R1, which somebody else wears by now, and only while it was theirs.
    assert [hours_of(piece) for piece in told["pieces"]] == [(7, 8)]
    assert [one["kind"] for one in (await ask(officer, "moments", "o1"))["moments"]] == ["event"]
    for foreign in (["o2"], ["o1", "o2"], ["dR1"]):
        answer = await officer.get("/review/tracks", params={**PERIOD, "subject": foreign})
        assert answer.status_code == 404
    assert (await officer.get("/fleet/at", params={"at": PERIOD["from"]})).status_code == 403


async def test_every_look_is_written_down_for_each_subject(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    await ask(caller, "tracks", "o1", "dR3")
    await ask(caller, "moments", "o2")
    await caller.get("/fleet/at", params={"at": PERIOD["from"]})
    assert await platform.sql("select action, target from audit order by id") == [
        ("review.tracks", "D2001"), ("review.tracks", "R3"), ("review.moments", "D2002"), ("review.fleet", "")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "x1"},
        {"subject": "o0"},
        {"subject": "o1\x00"},
        {"subject": "o99999999999999999999"},
        {"subject": []},
        {"subject": [f"o{n}" for n in range(1, 52)]},
        {"tolerance_m": 7},
        {"tolerance_m": -1},
        {"tolerance_m": "NaN"},
        {"raw": True},
        {"tolerance_m": 0, "after": "AAAA"},
        {"from": PERIOD["to"]},
        {"to": "2026-04-30T00:00:00Z"},
        {"from": "2026-03-02T00:00:00"},
        {"from": "0001-01-01T00:00:00Z", "to": "0001-01-02T00:00:00Z"},
        {"from": "9999-12-31T00:00:00Z", "to": "9999-12-31T23:59:59Z"},
    ],
)
async def test_what_cannot_be_asked_is_answered_with_what_to_do(platform: Platform, wrong: dict[str, Any]) -> None:
    caller = await platform.sign_in("supervisor")
    answer = await caller.get("/review/tracks", params={**PERIOD, "subject": ["dR1"], **wrong})
    assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), answer.text
