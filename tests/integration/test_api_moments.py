"""What happened meanwhile, the fleet as it was, and who may look back at whom."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform
from tests.integration.incident_rig import make_incident
from tests.integration.review_rig import FLEET, HAPPENED, PERIOD, ask, hours_of, running_bureau, walk
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration


# As ingest keeps it: who fell silent before the moment is asked for is not looked up.
NEWEST = """
insert into device_state (device_id, fix_at, lat, lon, telemetry_at, telemetry)
  select distinct on (p.device_id) p.device_id, p.fix_at, p.lat, p.lon, t.at, t.payload
  from position p join telemetry t using (device_id) order by p.device_id, p.fix_at desc, t.at desc
"""


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


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


OPEN = """
insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at, closed_at, state) values
  (1, 1, 'sos', 3, 1, 21, '2026-03-01T23:00:00Z', '2026-03-01T23:00:00Z', null, 'new'),
  (1, 1, 'sos', 3, 1, 22, '2026-03-01T23:10:00Z', '2026-03-01T23:10:00Z', '2026-03-02T01:00:00Z', 'resolved'),
  (1, 1, 'sos', 3, 1, 23, '2026-03-01T23:20:00Z', '2026-03-01T23:20:00Z', '2026-03-01T23:30:00Z', 'resolved'),
  (1, 2, 'sos', 3, 1, 24, '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z', null, 'new')
"""


async def test_an_alarm_from_before_is_told_while_it_lasts_of_who_raised_it(platform: Platform) -> None:
    await platform.sql(OPEN)
    caller = await platform.sign_in("supervisor", unit=2)

    async def told(subject: str) -> list[tuple[str, str | None]]:
        moments = (await ask(caller, "moments", subject))["moments"]
        return [(one["at"][8:16], one["until"] and one["until"][8:16]) for one in moments]

    lasting = [("01T23:00", None), ("01T23:10", "02T01:00")]
    assert await told("o1") == lasting
    assert await told("o2") == [("02T10:00", None)]
    assert await told("dR1") == [*lasting, ("02T10:00", None)]


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


async def test_incidents_and_their_steps_are_told_once_to_whoever_may_see_them(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher", unit=2)
    made = await make_incident(caller, subjects=["o1", "o2", "dR2"])
    other = await make_incident(caller, subjects=["dR2"], title="另一起")
    steps = f"/incidents/{made['id']}/marks"
    for at, text, subject in (("07:20", "全体", None), ("07:10", "第二人", "o2"), ("07:30", "划掉", None)):
        mark = {"at": f"2026-03-02T{at}:00Z", "text": text, "subject": subject}
        assert (await caller.post(steps, json=mark)).status_code == 201
    [*_, struck] = (await caller.get(f"/incidents/{made['id']}")).json()["marks"]
    await caller.post(f"{steps}/{struck['id']}/strike")

    async def told(*subjects: str) -> list[tuple[str, str, str, str]]:
        moments = (await ask(caller, "moments", *subjects))["moments"]
        return [(one["subject"], one["kind"], one["text"], one["at"][11:16]) for one in moments]

    title = made["title"]
    assert await told("o1") == [("o1", "incident", title, "07:00"), ("o1", "step_mark", "全体", "07:20")]
    assert await told("o2", "o1") == [
        ("o2", "incident", title, "07:00"),
        ("o2", "step_mark", "第二人", "07:10"),
        ("o2", "step_mark", "全体", "07:20"),
    ]
    assert [text for _, _, text, _ in await told("dR2")] == [title, "另一起", "全体"]
    [incident, step] = (await ask(caller, "moments", "o1"))["moments"]
    assert incident["detail"] == {"incident": made["id"], "subjects": ["o1", "o2", "dR2"], "closed": False}
    assert step["detail"] == {"incident": made["id"], "title": title, "about": None, "by": made["created_by"]}
    assert other["id"] != made["id"]
    for role, unit in (("auditor", 2), ("officer", 2)):
        reader = await platform.sign_in(role, unit=unit, officer=1 if role == "officer" else None)
        assert (await ask(reader, "moments", "o1"))["moments"] == []


async def test_an_incident_of_another_unit_is_no_moment_of_a_shared_officer(platform: Platform) -> None:
    district = await platform.sign_in("supervisor")
    await make_incident(district)
    assert [one["kind"] for one in (await ask(district, "moments", "o1"))["moments"]] == ["incident"]
    assert (await ask(await platform.sign_in("supervisor", unit=2), "moments", "o1"))["moments"] == []


@pytest.mark.parametrize("states", ["", NEWEST], ids=["from history", "with the newest known"])
async def test_the_fleet_is_told_as_it_was(platform: Platform, states: str) -> None:
    await walk(platform, 1, "07:00", seconds=7200)
    await platform.sql(FLEET)
    await platform.sql(states)
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
