"""What was said to somebody: bursts of others in the groups that they were in, and orders by text."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform
from tests.integration.incident_rig import SOUND, make_incident
from tests.integration.review_rig import ask, running_bureau
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

# The recorder of D2001 is in its squad's group from half past six to twenty to eight, and in a call for a while.
SPOKEN = """
insert into account (id, unit_id, username, display_name, role, officer_id, password_hash)
  overriding system value values (90, 1, 'desk', '指挥中心', 'dispatcher', null, 'x'),
  (91, 2, 'wang', '王小明', 'officer', 1, 'x');
insert into talk_group (gid, unit_id, kind, name) values ('call-1', 2, 'private', '私密呼叫');
insert into floor_entry (id, gid, unit_id, at, what, who, urgency, priority)
  select md5(gid || at), gid, 2, ('2026-03-02T' || at || 'Z')::timestamptz, what, who, 1, 5
  from (values ('unit-2', '06:30', 'joined', 'R1'), ('unit-2', '07:20', 'joined', 'R1'),
    ('unit-2', '07:40', 'parted', 'R1'), ('call-1', '07:00', 'joined', 'R1'), ('call-1', '07:30', 'parted', 'R1'),
    ('unit-2', '09:00', 'listening_in', 'u-91'), ('unit-2', '09:10', 'granted', 'u-91')) told (gid, at, what, who);
insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at, ended_at,
    size_bytes, sha256, lost, complete)
  select id, gid, 2, talker, device, officer, 1, 1, 'ptt/' || id || '.opus', at, at + interval '4 s', %(size)s,
    %(sha256)s, 0, true
  from (select *, ('2026-03-02T' || clock || 'Z')::timestamptz as at from (values
    ('early', 'unit-2', 'u-90', null, null, '06:00'), ('desk', 'unit-2', 'u-90', null, null, '07:10'),
    ('own', 'unit-2', 'R1', 1, 1, '07:15'), ('call', 'call-1', 'R2', 2, 2, '07:25'),
    ('other', 'unit-3', 'R2', 2, 2, '07:26'), ('over', 'call-1', 'R2', 2, 2, '07:35'),
    ('late', 'unit-2', 'u-90', null, null, '07:45'), ('account', 'unit-2', 'u-90', null, null, '09:05'))
    made (id, gid, talker, device, officer, clock)) made
"""
ORDERED = """
insert into command (rid, device_id, name, args, state, created_at, expires_at, finished_at) values
  ('c-say', 1, 'say_text', '{}', 'done', '2026-03-02T07:01:00Z', '2026-03-02T08:00Z', '2026-03-02T07:01:09Z'),
  ('c-note', 1, 'play_note', '{}', 'done', '2026-03-02T07:02:00Z', '2026-03-02T08:00Z', '2026-03-02T07:02:09Z'),
  ('c-photo', 1, 'photo', '{}', 'done', '2026-03-02T07:03:00Z', '2026-03-02T08:00Z', '2026-03-02T07:03:09Z');
insert into message (id, unit_id, target, text, speak, account_id, username, created_at) values
  ('m-say', 2, 'unit-2', '回外滩', true, 90, 'desk', '2026-03-02T07:01:00Z'),
  ('m-note', 2, 'R1', null, true, 90, 'desk', '2026-03-02T07:02:00Z'),
  ('m-screen', 2, 'u-91', '看一下', false, 90, 'desk', '2026-03-02T07:04:00Z'),
  ('m-other', 2, 'R2', '不是给你的', true, 90, 'desk', '2026-03-02T07:05:00Z');
insert into message_target (message_id, person, rid, read_at) values
  ('m-say', 'R1', 'c-say', null), ('m-say', 'u-91', null, null), ('m-note', 'R1', 'c-note', null),
  ('m-screen', 'u-91', null, '2026-03-02T07:06:00Z'), ('m-other', 'R2', null, null)
"""


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Platform]:
    folders = {name: tmp_path / name for name in ("recordings", "exports")}
    async with running_bureau(database, broker, **folders) as running:
        values = {"size": len(SOUND), "sha256": hashlib.sha256(SOUND).hexdigest()}
        for statement in SPOKEN.split(";\n"):
            await running.sql(statement, values if "%(" in statement else ())
        (tmp_path / "recordings" / "ptt").mkdir(parents=True)
        for name in ("desk", "call", "late"):
            (tmp_path / "recordings" / "ptt" / f"{name}.opus").write_bytes(SOUND)
        yield running


async def told(caller: Caller, kind: str, *subjects: str) -> dict[str, dict[str, Any]]:
    moments = (await ask(caller, "moments", *subjects))["moments"]
    found = {one["id"]: one for one in moments if one["kind"] == kind}
    assert len(found) == sum(one["kind"] == kind for one in moments)
    return found


async def test_what_others_said_is_heard_in_the_groups_that_somebody_was_in_and_as_long_as_they_were(
    platform: Platform,
) -> None:
    caller = await platform.sign_in("supervisor")
    bursts = await told(caller, "burst", "o1")
    assert {name: one["subject"] for name, one in bursts.items()} == {
        "desk": "",
        "own": "o1",
        "call": "",
        "account": "",
    }
    assert (bursts["desk"]["text"], bursts["call"]["text"]) == ("东街中队 · 指挥中心", "私密呼叫 · 李大力")
    assert (bursts["call"]["did"], bursts["call"]["detail"]["by"]) == ("R2", "李大力")
    assert bursts["desk"]["detail"]["url"] == "/api/v1/bursts/desk/audio"


async def test_a_burst_is_told_once_of_whoever_said_it_or_as_heard_by_all_who_were_there(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    await platform.sql(
        "insert into floor_entry (id, gid, unit_id, at, what, who, urgency, priority) values"
        " ('3', 'unit-2', 2, '2026-03-02T07:00Z', 'joined', 'R3', 1, 5)"
    )
    bursts = await told(caller, "burst", "o1", "dR2", "o3")
    assert (bursts["own"]["subject"], bursts["call"]["subject"]) == ("o1", "dR2")
    assert (bursts["desk"]["subject"], bursts["desk"]["detail"]["heard_by"]) == ("", ["o1", "o3"])


async def test_a_telephone_speaks_for_its_officer_beside_the_recorder(platform: Platform) -> None:
    await platform.sql("update burst set device_id = 2, officer_id = 1 where id = 'desk'")
    bursts = await told(await platform.sign_in("supervisor"), "burst", "o1")
    assert (bursts["desk"]["subject"], bursts["desk"]["did"]) == ("o1", "R2")


async def test_an_order_by_text_is_told_once_with_what_became_of_it(platform: Platform) -> None:
    await platform.sql(ORDERED)
    orders = await told(await platform.sign_in("supervisor"), "command", "o1")
    assert {name: (one["text"], one["detail"]["state"], one["did"]) for name, one in orders.items()} == {
        "m-say": ("say_text", "done", "R1"), "m-note": ("play_note", "done", "R1"), "c-photo": ("photo", "done", "R1"),
        "m-screen": ("show_text", "done", None),
    }  # fmt: skip
    said = orders["m-say"]["detail"]
    assert (said["args"], said["by"], said["to"]) == ({"text": "回外滩"}, "desk", "unit-2")
    # Whoever keeps evidence gives no orders, and sees what was said all the same.
    seen = await told(await platform.sign_in("evidence"), "command", "o1")
    assert set(seen) == {"m-say", "m-note", "m-screen"}


async def test_a_stranger_hears_and_reads_what_was_said_to_the_subjects(platform: Platform) -> None:
    await platform.sql(ORDERED)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    share = (await caller.post(f"/incidents/{made['id']}/shares", json={"label": "x"})).json()["path"]
    page = (await platform.client.get(share)).text
    for words in ("media/desk.opus", "media/call.opus", "指挥中心", "回外滩"):
        assert words in page
    assert (await platform.client.get(f"{share}media/call.opus")).content == SOUND
    for words in ("media/late.opus", "不是给你的"):
        assert words not in page
    assert (await platform.client.get(f"{share}media/late.opus")).status_code == 404
