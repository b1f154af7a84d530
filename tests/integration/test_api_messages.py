"""Orders by text: who gets them, how they wait for who is away, and when they count as read."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.integration.ingest_rig import eventually
from tests.services import TestBroker, TestDatabase
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
    monkeypatch.setattr("xunlu_platform.api.messages.OPEN_COMMANDS_MAX", 1)
    caller = await platform.sign_in("dispatcher")
    assert (await caller.post("/messages", json={"to": "M1", "text": "1"})).status_code == 202

    async def queued() -> bool:
        return await platform.sql("select count(*) from command") == [(1,)]

    assert await eventually(queued)
    answer = await caller.post("/messages", json={"to": "M1", "text": "2"})
    assert (answer.status_code, answer.json()["errors"][0]["values"]["did"]) == (409, "M1")
