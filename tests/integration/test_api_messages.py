"""Orders: who gets them, how they wait for who is away, and when they count as read."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from psycopg.types.json import Jsonb

from tests.integration.api_client import Caller, Platform, running_platform
from tests.integration.ingest_rig import eventually
from tests.services import TestBroker, TestDatabase
from tests.sound import voice_note
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.command import Request, SayText

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    """M1 and M2 in squad 2, worn by officers 1 and 2; officer 1 has an account; M3 in squad 3; M4 is pending."""
    async with running_platform(database, broker) as running:
        await running.sql(
            "insert into officer (tenant, unit_id, number, name) values"
            " ('main', 2, 'D1', '王小明'), ('main', 2, 'D2', '李大力'), ('main', 3, 'D3', '林晓');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) select 'M' || n, 'main',"
            " unit, 'recorder', n, 'Xunlu', 'SIM', status from (values (1, 2, 'approved'), (2, 2, 'approved'),"
            " (3, 3, 'approved'), (4, 2, 'pending')) v (n, unit, status);"
            "insert into binding (device_id, officer_id) select id, id from device where id < 4"
        )
        await running.services.mqtt.wait_connected()
        yield running


async def targets(platform: Platform, message: str) -> dict[str, str]:
    rows = await platform.sql(
        "select person, coalesce(c.state, '') from message_target t left join command c on c.rid = t.rid"
        " where message_id = %s",
        [message],
    )
    return {str(person): str(state) for person, state in rows}


async def test_an_order_waits_for_a_recorder_that_is_away_and_is_read_aloud_by_one_command(
    platform: Platform, broker: TestBroker
) -> None:
    caller = await platform.sign_in("dispatcher", unit=2)
    away = SessionOptions(
        client_id="M1-away", subscriptions=[Subscription(topic="xunlu/v1/main/d/M1/dn/rpc/+")], clean_start=False,
        session_expiry_s=60,
    )  # fmt: skip
    async with Session(broker.account("xunlu-streaming"), away) as session:
        await session.wait_connected()
    answer = await caller.post("/messages", json={"to": "M1", "text": "回中队"})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert [(one["id"], one["state"], one["name"]) for one in told["targets"]] == [("M1", "waiting", "王小明")]
    async with Session(broker.account("xunlu-streaming"), away) as session:
        message = await anext(session.messages())
        session.acknowledge(message)
    request = Request.decode(message.payload)
    assert (request.name, SayText.parse(request.args).text) == ("say_text", "回中队")
    [(left_s,)] = await platform.sql("select extract(epoch from expires_at - now()) from command")
    assert left_s > 86_000
    for change, state in (
        ("state = 'delivered', delivered_at = now()", "delivered"),
        ("state = 'done', finished_at = now()", "read"),
        ("state = 'failed', why = 'no speaker'", "failed"),
    ):
        await platform.sql(f"update command set {change}")
        [item] = (await caller.get("/messages?to=M1")).json()["items"]
        why = "no speaker" if state == "failed" else None
        assert (item["targets"][0]["state"], item["targets"][0]["why"]) == (state, why)
    assert await platform.sql("select action, target from audit") == [("message.send", "M1")]


async def test_an_order_to_a_group_reaches_its_recorders_and_those_with_a_screen(platform: Platform) -> None:
    officer = await platform.sign_in("officer", unit=2, officer=1)
    me = (await officer.post("/talk/session")).json()["me"]
    desk = await platform.sign_in("dispatcher", unit=2)
    spoken = (await desk.post("/messages", json={"to": "unit-2", "text": "集合"})).json()["id"]
    assert await targets(platform, spoken) == {"M1": "queued", "M2": "queued", me: ""}
    silent = (await desk.post("/messages", json={"to": "unit-2", "text": "看地图", "speak": False})).json()["id"]
    assert await targets(platform, silent) == {me: ""}

    async def state(message: str) -> str:
        items: list[dict[str, Any]] = (await desk.get("/messages")).json()["items"]
        [item] = [item for item in items if item["id"] == message]
        return str(next(one["state"] for one in item["targets"] if one["id"] == me))

    assert await state(silent) == "waiting"
    assert {item["id"] for item in (await officer.get("/messages")).json()["items"]} == {spoken, silent}
    assert await state(silent) == "delivered"
    for _ in range(2):
        assert (await officer.post(f"/messages/{silent}/read")).status_code == 200
    assert (await state(silent), await state(spoken)) == ("read", "delivered")


async def test_another_squad_neither_sends_to_it_nor_sees_it(platform: Platform) -> None:
    desk, foreign = await platform.sign_in("dispatcher", unit=2), await platform.sign_in("dispatcher", unit=3)
    message = (await desk.post("/messages", json={"to": "M1", "text": "x"})).json()["id"]
    for to in ("M1", "unit-2", "unit-1", "nobody"):
        assert (await foreign.post("/messages", json={"to": to, "text": "x"})).status_code == 404
    assert (await foreign.get("/messages")).json()["items"] == []
    assert (await foreign.post(f"/messages/{message}/read")).status_code == 404
    officer = await platform.sign_in("officer", unit=2, officer=2)
    assert (await officer.get("/messages")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"to": "M1", "text": "x", "speak": False}, 409, "nobody"),
        ({"to": "unit-1", "text": "x"}, 409, "nobody"),
        ({"to": "M4", "text": "x"}, 409, "device-not-approved"),
        ({"to": "M1", "text": "x", "below": True}, 422, "below"),
        ({"to": "M1", "text": ""}, 422, "string_too_short"),
        ({"to": "M1", "text": "x" * 501}, 422, "string_too_long"),
        ({"to": "M1", "text": "a\x00"}, 422, "string_pattern_mismatch"),
        ({"to": "../M1", "text": "x"}, 422, "string_pattern_mismatch"),
    ],
)
async def test_an_order_that_nobody_would_get_is_refused(
    platform: Platform, body: dict[str, Any], status: int, kind: str
) -> None:
    caller = await platform.sign_in("dispatcher")
    answer = await caller.post("/messages", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (status, kind)
    assert await platform.sql("select count(*) from message") == [(0,)]


async def test_a_recorder_has_a_bounded_number_of_orders_waiting(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xunlu_platform.api.order_targets.OPEN_COMMANDS_MAX", 1)
    caller = await platform.sign_in("dispatcher")
    assert (await caller.post("/messages", json={"to": "M1", "text": "1"})).status_code == 202

    async def queued() -> bool:
        return await platform.sql("select count(*) from command") == [(1,)]

    assert await eventually(queued)
    answer = await caller.post("/messages", json={"to": "M1", "text": "2"})
    assert (answer.status_code, answer.json()["errors"][0]["values"]["did"]) == (409, "M1")


async def introduce(platform: Platform, did: str, *capabilities: str) -> None:
    """A recorder was here once, and said what it can."""
    await platform.sql(
        "insert into device_state (device_id, availability, birth) select id, 'offline', %s from device where did = %s",
        [Jsonb({"caps": capabilities}), did],
    )


async def told(platform: Platform, message: dict[str, Any]) -> dict[str, tuple[str | None, str, str | None]]:
    """By target: the command that tells it, its state, and why not."""
    rows = await platform.sql(
        "select person, c.name from message_target t left join command c on c.rid = t.rid where message_id = %s",
        [message["id"]],
    )
    names = {str(person): None if name is None else str(name) for person, name in rows}
    return {one["id"]: (names[one["id"]], one["state"], one["why"]) for one in message["targets"]}


async def test_a_recorder_without_a_voice_shows_an_order_or_leaves_it_to_its_officer_s_screen(
    platform: Platform,
) -> None:
    await introduce(platform, "M1", "record")
    await introduce(platform, "M2", "show_text")
    desk = await platform.sign_in("dispatcher", unit=2)
    answer = await desk.post("/messages", json={"to": "M1", "text": "回中队"})
    assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (409, "nobody")
    shown = (await desk.post("/messages", json={"to": "M2", "text": "回中队"})).json()
    assert await told(platform, shown) == {"M2": ("show_text", "waiting", None)}
    # It stands on the screen; whether anybody has read it, nobody knows.
    await platform.sql("update command set state = 'done', delivered_at = now(), finished_at = now()")
    [item] = (await desk.get("/messages?to=M2")).json()["items"]
    assert (item["targets"][0]["state"], item["targets"][0]["read_at"]) == ("delivered", None)
    officer = await platform.sign_in("officer", unit=2, officer=1)
    me = (await officer.post("/talk/session")).json()["me"]
    kept = (await desk.post("/messages", json={"to": "M1", "text": "回中队"})).json()
    assert await told(platform, kept) == {"M1": (None, "failed", "cannot-say"), me: (None, "waiting", None)}
    assert [item["id"] for item in (await officer.get("/messages")).json()["items"]] == [kept["id"]]


async def test_an_order_to_a_unit_reaches_those_below_and_no_officer_gives_one(platform: Platform) -> None:
    desk = await platform.sign_in("dispatcher")
    everybody = (await desk.post("/messages", json={"to": "unit-1", "text": "x", "below": True})).json()
    assert (everybody["below"], sorted(await targets(platform, everybody["id"]))) == (True, ["M1", "M2", "M3"])
    squad = await platform.sign_in("dispatcher", unit=2)
    assert (await squad.post("/messages", json={"to": "unit-1", "text": "x", "below": True})).status_code == 404
    officer = await platform.sign_in("officer", unit=2, officer=1)
    assert (await officer.post("/messages", json={"to": "unit-2", "text": "x", "below": True})).status_code == 403


async def test_whoever_writes_an_order_sees_when_each_has_read_it(platform: Platform) -> None:
    writer = await platform.sign_in("officer", unit=2, officer=1)
    reader = await platform.sign_in("officer", unit=2, officer=2)
    them = (await reader.post("/talk/session")).json()["me"]
    order = (await writer.post("/messages", json={"to": "unit-2", "text": "在东门"})).json()

    async def state() -> str:
        [item] = (await writer.get("/messages")).json()["items"]
        return str(next(one["state"] for one in item["targets"] if one["id"] == them))

    states = [await state()]
    await reader.get("/messages")
    states.append(await state())
    await reader.post(f"/messages/{order['id']}/read")
    states.append(await state())
    assert states == ["waiting", "delivered", "read"]


NOTE = voice_note(1)


async def leave_note(caller: Caller, to: str, data: bytes = NOTE) -> Any:
    return await caller.post("/messages/voice", params={"to": to}, content=data)


async def test_a_voice_note_is_kept_with_its_hash_and_played_by_whom_it_is_for(platform: Platform) -> None:
    officer = await platform.sign_in("officer", unit=2, officer=1)
    me = (await officer.post("/talk/session")).json()["me"]
    desk = await platform.sign_in("dispatcher", unit=2)
    answer = await leave_note(desk, "M1")
    assert answer.status_code == 202, answer.text
    note = answer.json()
    assert (note["text"], note["voice"]["sha256"]) == (None, hashlib.sha256(NOTE).hexdigest())
    assert note["voice"]["duration_s"] == pytest.approx(1, abs=0.1)
    assert {one["id"]: one["state"] for one in note["targets"]} == {"M1": "waiting", me: "waiting"}
    path = f"/messages/{note['id']}/voice"
    for caller in (officer, desk):
        sound = await caller.get(path)
        assert (sound.headers["content-type"], sound.content) == ("audio/webm", NOTE)
    assert [str(action) for (action,) in await platform.sql("select action from audit")] == ["message.send"]
    supervisor = await platform.sign_in("supervisor")
    assert (await supervisor.get(path)).status_code == 200
    [(action, target)] = await platform.sql("select action, target from audit order by id desc limit 1")
    assert (action, target) == ("voice-note.play", "M1")
    for stranger in (
        await platform.sign_in("dispatcher", unit=3),
        await platform.sign_in("officer", unit=2, officer=2),
    ):
        assert (await stranger.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "note-sound"),
        (b"\x00" * 100, "note-sound"),
        (b"\x1a\x45\xdf\xa3" * 200_000, "note-size"),
        (voice_note(63, "ogg"), "note-length"),
    ],
    ids=["nothing", "no-sound", "large", "long"],
)
async def test_what_is_no_voice_note_is_not_kept(platform: Platform, data: bytes, reason: str) -> None:
    answer = await leave_note(await platform.sign_in("dispatcher"), "M1", data)
    assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (422, reason)
    assert await platform.sql("select count(*) from message") == [(0,)]


async def test_what_one_account_may_leave_and_reach_is_bounded(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await platform.sign_in("dispatcher", unit=2)
    monkeypatch.setattr("xunlu_platform.api.voice_notes.NOTES_A_DAY_MAX", 1)
    answers = [await leave_note(desk, "M1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 409]
    assert answers[1].json()["errors"][0]["reason"] == "too-many-notes"
    monkeypatch.setattr("xunlu_platform.api.order_targets.MEMBERS_MAX", 1)
    answer = await desk.post("/messages", json={"to": "unit-2", "text": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (409, "too-many-recipients")
    assert await platform.sql("select count(*) from message") == [(1,)]


async def test_a_recorder_fetches_its_note_with_its_own_token_alone(platform: Platform) -> None:
    desk = await platform.sign_in("dispatcher", unit=2)
    note = (await leave_note(desk, "M1")).json()["id"]
    other = (await leave_note(desk, "M2")).json()["id"]
    tokens = platform.services.note_tokens

    async def fetch(token: str) -> int:
        answer = await Caller(platform.client, token).get(f"/voice-notes/{note}")
        assert answer.content == NOTE or answer.status_code != 200
        return answer.status_code

    assert await fetch(tokens.sign(note=note, did="M1")) == 200
    assert await fetch(tokens.sign(note=note, did="M2")) == 404
    talking = platform.services.talk_tokens.sign(platform.services.talk_tokens.recorder_claims("M1", "x", None))
    for token in (tokens.sign(note=other, did="M1"), talking, "", "x.y.z", "x" * 5000, desk.token):
        assert await fetch(token) == 401


async def test_a_note_whose_sound_was_erased_stays_as_an_order(platform: Platform) -> None:
    desk = await platform.sign_in("dispatcher", unit=2)
    note = (await leave_note(desk, "M1")).json()["id"]
    await platform.sql("delete from voice_note")
    [item] = (await desk.get("/messages")).json()["items"]
    assert (item["id"], item["text"], item["voice"]) == (note, None, None)
    assert (await desk.get(f"/messages/{note}/voice")).status_code == 404
