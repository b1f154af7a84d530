"""What an incident names is spared by every rule until the incident is released; what was erased before is said."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform
from tests.integration.review_rig import running_bureau
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.store import housekeeping
from xunlu_platform.store.store import Store

pytestmark = pytest.mark.integration

# Older than the month of a chunk of availability.
DAY = (datetime.now(UTC) - timedelta(days=100)).replace(hour=0, minute=0, second=0, microsecond=0)
HISTORY = ("position", "telemetry", "event", "availability")
MEDIA = ("recording", "burst", "viewing", "voice_note", "floor_entry")
KEYS = {"voice_note": "message_id"}

# R1 goes from D2001 to D2002 at eight; both R1 and R3 walk from six to ten, and something happened to them.
HAPPENED = """
delete from binding;
insert into binding (device_id, officer_id, bound_at, released_at) values
  (1, 1, %(day)s + interval '6 h', %(day)s + interval '8 h'), (1, 2, %(day)s + interval '8 h', null),
  (3, 3, %(day)s, null);
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late)
  select d, at, 1, extract(epoch from at - %(day)s), at, 31.23, 121.47, false
  from unnest(array[1, 3]) d,
    generate_series(%(day)s + interval '6 h', %(day)s + interval '9 h 59 min', interval '1 min') at;
insert into telemetry (device_id, at, received_at, sid, payload)
  select d, %(day)s + interval '7 h', now(), 1, '{}' from unnest(array[1, 3]) d;
insert into event (device_id, at, received_at, sid, seq, type, payload, late)
  select d, %(day)s + interval '7 h', now(), 1, 1, 'mark', '{}', false from unnest(array[1, 3]) d;
insert into availability (device_id, at, received_at, sid, availability)
  select d, %(day)s - interval '2 h', now(), 1, 'online' from unnest(array[1, 3]) d;
insert into recording (id, device_id, officer_id, why, file, started_at, ended_at, size_bytes, sha256, complete)
  select id, device, officer, 'hand', id, %(day)s + after, %(day)s + after + interval '10 min', 1, repeat('0', 64), true
  from (values ('r-1', 1, 1, interval '7 h'), ('r-2', 1, 2, interval '8 h 10 min'), ('r-3', 3, 3, interval '7 h'))
    made (id, device, officer, after);
insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at, ended_at,
    size_bytes, sha256, lost, complete)
  select id, 'g', 2, 'x', device, officer, 1, 1, id, %(day)s + after, %(day)s + after + interval '4 s', 1,
    repeat('1', 64), 0, true
  from (values ('b-1', 1, 1, interval '7 h'), ('b-desk', null, 1, interval '7 h'), ('b-2', 1, 2, interval '8 h 10 min'),
    ('b-3', 3, 3, interval '7 h')) made (id, device, officer, after);
insert into floor_entry (id, gid, unit_id, at, what, who, grant_number, urgency, priority)
  select id, gid, 2, %(day)s + after, what, who, number, 0, 100
  from (values ('e-had', 'g', 'granted', 'x', 1, interval '7 h'),
    ('e-near', 'g', 'denied', 'R9', null, interval '7 h 8 s'),
    ('e-far', 'g', 'denied', 'R9', null, interval '7 h 1 min'), ('e-else', 'h', 'granted', 'R9', 1, interval '7 h'),
    ('e-asked', 'h', 'denied', 'R1', null, interval '7 h 20 min'),
    ('e-later', 'h', 'denied', 'R1', null, interval '9 h'))
    made (id, gid, what, who, number, after);
insert into viewing (id, device_id, asked_at, ended_at)
  select 'v-' || d, d, %(day)s + interval '7 h', %(day)s + interval '7 h 1 min' from unnest(array[1, 3]) d;
insert into account (unit_id, username, display_name, role, officer_id, password_hash)
  values (2, 'wang', '王小明', 'officer', 1, 'x'), (3, 'zhou', '周敏', 'officer', 3, 'x');
insert into message (id, unit_id, target, speak, account_id, username, created_at)
  select made.id, 2, 'g', true, a.id, username, %(day)s + interval '7 h'
  from (values ('m-1', 'zhou'), ('m-by-1', 'wang'), ('m-3', 'zhou')) made (id, username)
    join account a using (username);
insert into message_target (message_id, person) values ('m-1', 'R1'), ('m-by-1', 'R3'), ('m-3', 'R2');
insert into voice_note (message_id, created_at, media_type, duration_s, size_bytes, sha256, sound)
  select id, created_at, 'audio/ogg', 1, 1, repeat('2', 64), 'x' from message
"""


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        for statement in HAPPENED.split(";\n"):
            await running.sql(statement, {"day": DAY})
        yield running


@pytest_asyncio.fixture
async def store(platform: Platform) -> AsyncIterator[Store]:
    """Of the jobs, which have rolled everything up."""
    async with Store(platform.database.dsn("jobs")) as opened:
        await platform.sql(
            "insert into position_hour_due (device_id, hour) "
            "select distinct device_id, date_trunc('hour', fix_at) from position on conflict do nothing"
        )
        while await roll_up(opened, hours_max=100):
            pass
        yield opened


def at(hour: int, minute: int = 0) -> str:
    return (DAY + timedelta(hours=hour, minutes=minute)).isoformat()


async def keep(caller: Caller, *subjects: str, since: str = at(7), until: str = at(7, 30)) -> dict[str, Any]:
    """An incident, half an hour from seven unless told."""
    asked = {"title": "外滩走失儿童", "from": since, "to": until, "subjects": list(subjects)}
    answer = await caller.post("/incidents", json=asked)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def close(caller: Caller, incident: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await caller.post(f"/incidents/{incident['id']}/close", json={"text": "结案", **more})
    assert answer.status_code == 200, answer.text
    closed: dict[str, Any] = answer.json()
    return closed


async def erase(platform: Platform, store: Store, *subjects: str) -> list[dict[str, Any]]:
    """Let rules of a day act, after a dry run that must promise what is done; returns the dry runs."""
    administrator = await platform.sign_in("administrator")
    seen = []
    for subject in subjects:
        await administrator.put(f"/retention/{subject}", json={"keep_days": 1, "enabled": True})
        seen.append((await administrator.post(f"/retention/{subject}/dry-run")).json())
    ran = {run["subject"]: run for run in await housekeeping.apply_retention(store)}
    for subject, promised in zip(subjects, seen, strict=True):
        assert ran[subject]["rows_affected"] == promised["rows_affected"]
        await administrator.put(f"/retention/{subject}", json={"keep_days": 1, "enabled": False})
    return seen


async def left(platform: Platform, table: str) -> set[Any]:
    rows = await platform.sql(f"select {KEYS.get(table, 'device_id' if table in HISTORY else 'id')} from {table}")
    return {row[0] for row in rows}


async def test_a_rule_spares_what_an_incident_names_and_says_which_incident(platform: Platform, store: Store) -> None:
    incident = await keep(await platform.sign_in("evidence"), "o1")
    runs = await erase(platform, store, *MEDIA)
    spared = {
        "recording": {"r-1"},
        "burst": {"b-1", "b-desk"},
        "viewing": {"v-1"},
        "voice_note": {"m-1", "m-by-1"},
        # What is shown around a burst, and what the officer asked for in vain.
        "floor_entry": {"e-had", "e-near", "e-asked"},
    }
    for subject, run in zip(MEDIA, runs, strict=True):
        assert await left(platform, subject) == spared[subject]
        assert run["rows_held"] == len(spared[subject])
        assert run["held"] == [{"id": incident["id"], "title": "外滩走失儿童", "rows": len(spared[subject])}]


async def test_an_order_outlives_its_sound_and_is_held_as_that_is(platform: Platform, store: Store) -> None:
    await keep(await platform.sign_in("evidence"), "o1")
    [orders, _] = await erase(platform, store, "message", "voice_note")
    assert (orders["rows_affected"], orders["rows_held"]) == (0, 0)
    [orders] = await erase(platform, store, "message")
    assert (orders["rows_affected"], orders["rows_held"]) == (1, 0)
    assert await left(platform, "message") == {"m-1", "m-by-1"}
    told = await platform.sql("select message_id from message_target order by message_id")
    assert told == [("m-1",), ("m-by-1",)]


async def test_what_was_said_to_somebody_is_held_with_what_tells_that_they_heard_it(
    platform: Platform, store: Store
) -> None:
    await platform.sql(
        "insert into floor_entry (id, gid, unit_id, at, what, who, urgency, priority) values"
        " ('e-in', 'g', 2, %(day)s + interval '6 h', 'joined', 'R1', 0, 100),"
        " ('e-out', 'g', 2, %(day)s + interval '6 h', 'joined', 'R2', 0, 100)",
        {"day": DAY},
    )
    await keep(await platform.sign_in("evidence"), "o1")
    await erase(platform, store, "burst", "floor_entry")
    assert await left(platform, "burst") == {"b-1", "b-desk", "b-3"}
    assert await left(platform, "floor_entry") == {"e-had", "e-near", "e-asked", "e-in"}


async def test_of_history_the_hours_of_the_incident_stay_and_the_rest_of_the_chunk_goes(
    platform: Platform, store: Store
) -> None:
    await keep(await platform.sign_in("evidence"), "o1")
    [positions, *_] = await erase(platform, store, *HISTORY)
    assert (positions["rows_affected"], positions["rows_held"], positions["chunks_affected"]) == (420, 60, 1)
    [(first, last)] = await platform.sql("select min(fix_at), max(fix_at) from position")
    assert (first.isoformat(), last.isoformat()) == (at(7), at(7, 59))
    for table in HISTORY:
        assert await left(platform, table) == {1}
    shapes = await platform.sql("select distinct device_id, hour from track_piece")
    assert [(device, hour.isoformat()) for device, hour in shapes] == [(1, at(7))]


async def test_what_is_left_is_not_written_again_by_the_next_run(platform: Platform, store: Store) -> None:
    await keep(await platform.sign_in("evidence"), "o1")
    await erase(platform, store, "position")
    chunks = "select show_chunks('position')::text"
    before = await platform.sql(chunks)
    [again] = await erase(platform, store, "position")
    assert (again["rows_affected"], again["chunks_affected"], again["rows_held"]) == (0, 0, 60)
    assert await platform.sql(chunks) == before


async def test_who_is_added_later_and_a_time_that_grows_count_at_once(platform: Platform, store: Store) -> None:
    caller = await platform.sign_in("evidence")
    incident = await keep(caller, "o1")
    changes = {"subjects": ["o1", "o2"], "to": at(8, 30)}
    assert (await caller.patch(f"/incidents/{incident['id']}", json=changes)).status_code == 200
    await keep(caller, "dR3", until=at(7, 1))
    await erase(platform, store, "recording", "position")
    assert await left(platform, "recording") == {"r-1", "r-2", "r-3"}
    hours = await platform.sql("select device_id, min(fix_at), max(fix_at) from position group by 1 order by 1")
    assert [(device, first.isoformat(), last.isoformat()) for device, first, last in hours] == [
        (1, at(7), at(8, 59)), (3, at(7), at(7, 59))
    ]  # fmt: skip


async def test_a_closed_incident_holds_on_until_it_is_released(platform: Platform, store: Store) -> None:
    caller = await platform.sign_in("evidence")
    incident = await keep(caller, "o1")
    closed = await close(caller, incident)
    assert (closed["closed_at"] is None, closed["released_at"]) == (False, None)
    await erase(platform, store, "recording", "position")
    assert await left(platform, "recording") == {"r-1"}
    released = await close(caller, incident, release=True)
    assert released["closed_at"] == closed["closed_at"]
    assert released["notes"][-1]["changed"] == {"released": [False, True]}
    [run, _] = await erase(platform, store, "recording", "position")
    assert (run["rows_held"], run["held"]) == (0, [])
    assert await left(platform, "recording") == await left(platform, "position") == set()
    opened = (await caller.post(f"/incidents/{incident['id']}/reopen", json={"text": "复查"})).json()
    assert opened["released_at"] is None


async def test_an_incident_says_what_was_erased_and_when(platform: Platform, store: Store) -> None:
    await erase(platform, store, "recording", "burst", "position")
    caller = await platform.sign_in("evidence")
    whole = await keep(caller, "o1")
    [(erased_at,)] = await platform.sql("select erased_at from erasure where id = 'r-1'")
    told = [(one["what"], one["did"], one["name"], one["at"], one["until"]) for one in whole["erased"]]
    moment = at(7).replace("+00:00", "Z")
    assert sorted(told, key=str) == [
        ("burst", "R1", "王小明", moment, moment.replace("00Z", "04Z")),
        ("burst", None, "王小明", moment, moment.replace("00Z", "04Z")),
        ("position", "R1", None, moment, at(8).replace("+00:00", "Z")),
        ("recording", "R1", "王小明", moment, at(7, 10).replace("+00:00", "Z")),
    ]
    assert {datetime.fromisoformat(one["erased_at"]) for one in whole["erased"] if one["what"] == "recording"} == {
        erased_at
    }
    other = await keep(caller, "o3", since=at(12), until=at(13))
    assert other["erased"] == []


async def test_a_list_says_which_incident_holds_a_recording_as_far_as_the_reader_may_know(platform: Platform) -> None:
    district, squad = await platform.sign_in("evidence"), await platform.sign_in("evidence", unit=2)
    incident = await keep(district, "o1")
    for path, held, free in (("/recordings", "r-1", "r-2"), ("/bursts", "b-1", "b-2")):
        for caller, holder in (
            (district, {"id": incident["id"], "title": "外滩走失儿童"}),
            (squad, {"id": None, "title": None}),
        ):
            found = {one["id"]: one["held_by"] for one in (await caller.get(path)).json()["items"]}
            assert (found[held], found[free]) == ([holder], [])
    await close(district, incident, release=True)
    assert (await district.get("/recordings/r-1")).json()["held_by"] == []
