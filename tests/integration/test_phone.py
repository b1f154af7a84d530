"""The line of a duty telephone: from its page over the API and the broker into the database, and back."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.ingest_rig import Rig, eventually, fix, now_s, rig
from tests.processes import Api, running_api
from tests.services import TestBroker, TestDatabase
from xunlu_platform.api.phones import NO_OFFICER, NOT_UNDERSTOOD
from xunlu_platform.api.sockets import FORBIDDEN, REPLACED, TOO_MANY, TOO_SLOW
from xunlu_platform.auth.logins import hash_token
from xunlu_protocol.event import Event

pytestmark = pytest.mark.integration


@dataclass
class Office:
    """A bureau, and an API process that serves it."""

    rig: Rig
    api: Api

    async def officer(self) -> int:
        number = secrets.token_hex(4)
        [row] = await self.rig.rows(
            "insert into officer (tenant, unit_id, number, name) select tenant, id, %s, %s from unit"
            " where parent_id is null returning id",
            number,
            f"officer {number}",
        )
        return int(row["id"])

    async def token(self, role: str = "officer", officer: int | None = None) -> str:
        """A bearer token of a fresh account."""
        token = secrets.token_urlsafe(16)
        await self.rig.connection.execute(
            "with made as (insert into account (unit_id, username, display_name, role, password_hash,"
            " must_change_password, officer_id) select id, %s, 'x', %s, 'x', false, %s from unit"
            " where parent_id is null returning id) insert into login (token_hash, account_id, kind, csrf_token,"
            " expires_at) select %s, id, 'bearer', '', now() + interval '1 hour' from made",
            [f"user-{secrets.token_hex(4)}", role, officer, hash_token(token)],
        )
        return token

    def open(self, token: str) -> Any:
        url = f"ws://127.0.0.1:{self.api.port}/api/v1/phone"
        return connect(url, additional_headers={"Authorization": f"Bearer {token}"}, max_size=None)

    @contextlib.asynccontextmanager
    async def page(self, token: str, *caps: str) -> AsyncIterator["Page"]:
        """The page of a telephone, open until the end."""
        async with self.open(token) as socket:
            page = Page(socket)
            await page.say(t="hello", caps=list(caps), model="Chrome 150")
            welcome = await page.told("welcome")
            page.did = welcome["did"]
            yield page

    async def request(self, method: str, token: str, path: str, body: Any = None) -> httpx2.Response:
        async with httpx2.AsyncClient() as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, f"{self.api.url}/api/v1{path}", json=body, headers=headers)

    async def availability(self, did: str) -> tuple[str | None, str | None]:
        [row] = await self.rig.rows(
            "select availability, why from device d left join device_state s on s.device_id = d.id where did = %s", did
        )
        return row["availability"], row["why"]


class Page:
    """What the page says and hears."""

    def __init__(self, socket: ClientConnection) -> None:
        self.did = ""
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def report(self, channel: str, payload: bytes, tail: str | None = None) -> None:
        await self.say(t="report", channel=channel, tail=tail, payload=json.loads(payload))

    async def told(self, kind: str) -> dict[str, Any]:
        """The next message of a type; those of others pass by."""
        async with asyncio.timeout(15):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["t"] == kind:
                    return message

    async def closed(self) -> int:
        """Wait until the platform ends the line; returns its code."""
        with pytest.raises(ConnectionClosed) as closed:
            await self.told("nothing")
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code

    async def confirmed(self, seq: int) -> None:
        """Wait until the platform says that it holds a sequence."""
        while (await self.told("ack"))["ack"]["upto"] < seq:
            pass


@contextlib.asynccontextmanager
async def open_office(database: TestDatabase, broker: TestBroker, **settings: Any) -> AsyncIterator[Office]:
    """An office whose API has other settings than the defaults."""
    async with rig(database, broker) as made, made.working():
        await made.device()
        async with running_api(database, broker, **settings) as api:
            yield Office(made, api)


@pytest_asyncio.fixture
async def office(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Office]:
    async with open_office(database, broker) as opened:
        yield opened


async def test_a_telephone_is_a_device_that_its_officer_carries_as_long_as_its_page_is_open(office: Office) -> None:
    officer = await office.officer()
    token = await office.token(officer=officer)
    async with office.page(token, "live") as page:
        device = (await office.request("GET", token, f"/devices/{page.did}")).json()
        assert (device["kind"], device["status"], device["officer"]["id"]) == ("phone", "approved", officer)

        async def present() -> bool:
            return await office.availability(page.did) == ("online", None)

        await eventually(present)
        did = page.did

    async def gone() -> bool:
        return await office.availability(did) == ("offline", "shutdown")

    await eventually(gone)
    async with office.page(token) as again:
        assert again.did == did
    bindings = await office.rig.rows("select 1 from binding where officer_id = %s", officer)
    assert len(bindings) == 1


async def test_a_telephone_that_vanishes_is_lost(office: Office) -> None:
    token = await office.token(officer=await office.officer())
    async with office.page(token) as page:
        page.socket.transport.abort()

        async def lost() -> bool:
            return await office.availability(page.did) == ("offline", "lost")

        await eventually(lost)


async def test_a_telephone_that_falls_silent_is_lost_and_one_that_pings_is_not(
    database: TestDatabase, broker: TestBroker
) -> None:
    async with open_office(database, broker, phone_silence_s=4) as office:
        pinging, silent = [await office.token(officer=await office.officer()) for _ in range(2)]
        async with office.page(pinging) as heard, office.page(silent) as unheard:
            closed = asyncio.create_task(unheard.closed())
            n = 0
            while not closed.done():
                n += 1
                await heard.say(t="ping", n=n)
                assert (await heard.told("pong"))["n"] == n
            assert await closed == TOO_SLOW

            async def lost() -> bool:
                return await office.availability(unheard.did) == ("offline", "lost")

            await eventually(lost)
            assert await office.availability(heard.did) == ("online", None)


async def test_whoever_finds_no_place_is_told_to_try_again_and_has_one_when_another_leaves(
    database: TestDatabase, broker: TestBroker
) -> None:
    async with open_office(database, broker, phones_max=1) as office:
        first, second = [await office.token(officer=await office.officer()) for _ in range(2)]
        async with office.page(first), office.open(second) as socket:
            assert await Page(socket).closed() == TOO_MANY
        async with office.page(second) as page:
            await page.report("loc", fix(1, sid=7).encode())
            await page.confirmed(1)


async def test_a_telephone_is_lost_with_the_process_that_serves_it(office: Office) -> None:
    token = await office.token(officer=await office.officer())
    async with office.page(token) as page:
        office.api.process.kill()

        async def lost() -> bool:
            return await office.availability(page.did) == ("offline", "lost")

        await eventually(lost)


async def test_fixes_are_confirmed_when_the_database_holds_them_and_keep_their_own_times(office: Office) -> None:
    token = await office.token(officer=await office.officer())
    async with office.page(token) as page:
        await page.report("loc", fix(1, sid=7).encode())
        old = [fix(seq, sid=7, age_s=3600 - seq) for seq in (2, 3)]
        await page.report("loc/hist", b"[" + b",".join(one.encode() for one in old) + b"]")
        await page.confirmed(3)
        positions = await office.rig.positions(page.did)
        assert [(row["seq"], row["late"]) for row in positions] == [(1, False), (2, True), (3, True)]
        assert int(positions[2]["fix_at"].timestamp()) == old[1].tst
        await page.report("loc/hist", old[0].encode())
        await page.confirmed(3)
        assert len(await office.rig.positions(page.did)) == 3


async def test_an_sos_of_a_telephone_raises_the_alarm_of_its_officer(office: Office) -> None:
    officer = await office.officer()
    token = await office.token(officer=officer)
    async with office.page(token, "live") as page:
        sos = Event(tst=now_s(), sid=8, seq=1, lat=31.23, lon=121.47, fix_tst=now_s())
        await page.report("evt", sos.encode(), "sos")
        await page.confirmed(1)
        [alarm] = await office.rig.rows(
            "select a.kind, a.officer_id, a.state from alarm a join device d on d.id = a.device_id where did = %s",
            page.did,
        )
        assert (alarm["kind"], alarm["officer_id"], alarm["state"]) == ("sos", officer, "new")
        await page.report("evt", Event(tst=now_s(), sid=8, seq=2).encode(), "sos_cancel")
        await page.confirmed(2)
        assert await office.rig.rows(
            "select 1 from alarm a join device d on d.id = a.device_id where did = %s and cancelled_at is not null",
            page.did,
        )


async def test_a_dispatcher_asks_for_its_picture_as_for_that_of_a_recorder(office: Office) -> None:
    token, desk = await office.token(officer=await office.officer()), await office.token("dispatcher")
    async with office.page(token, "live") as page:

        async def asked() -> bool:
            return (await office.request("POST", desk, f"/live/{page.did}", {})).status_code == 200

        await eventually(asked)
        ask = (await page.told("ask"))["ask"]
        assert (ask["name"], ask["args"]["by"]) == ("live_start", "x")
        assert ask["args"]["whip"].endswith(f"/whip/{page.did}")
        await page.report("rpc", json.dumps({"st": "rejected", "code": 1, "tst": now_s()}).encode(), ask["rid"])

        async def refused() -> bool:
            told = await office.request("GET", desk, f"/devices/{page.did}/commands/{ask['rid']}")
            return bool(told.json()["state"] == "rejected")

        await eventually(refused)


async def test_an_order_waits_for_the_page(office: Office) -> None:
    token, desk = await office.token(officer=await office.officer()), await office.token("dispatcher")
    async with office.page(token) as page:
        did = page.did
    body = {"name": "say_text", "args": {"text": "come back"}}
    sent = await office.request("POST", desk, f"/devices/{did}/commands", body)
    assert sent.status_code == 202
    async with office.page(token) as page:
        ask = (await page.told("ask"))["ask"]
        assert (ask["rid"], ask["args"]["text"]) == (sent.json()["id"], "come back")


async def test_the_newest_page_of_an_account_takes_the_place_of_the_other(office: Office) -> None:
    token = await office.token(officer=await office.officer())
    async with office.page(token) as first, office.page(token) as second:
        assert first.did == second.did
        assert await first.closed() == REPLACED
        await second.report("loc", fix(1, sid=9).encode())
        await second.confirmed(1)
        assert await office.availability(second.did) == ("online", None)


async def test_an_officer_wears_a_recorder_beside_the_telephone(office: Office) -> None:
    officer = await office.officer()
    token, clerk = await office.token(officer=officer), await office.token("clerk")
    recorder = await office.rig.device()
    async with office.page(token) as page:
        bound = await office.request("POST", clerk, f"/devices/{recorder}/bind", {"officer_id": officer})
        assert bound.status_code == 200
        refused = await office.request("POST", clerk, f"/devices/{page.did}/bind", {"officer_id": officer})
        assert refused.json()["errors"][0]["reason"] == "phone-carried"
        seen = (await office.request("GET", token, "/devices")).json()["items"]
        assert {one["did"] for one in seen} == {page.did, recorder}
        [person] = (await office.request("GET", clerk, "/officers?q=officer&limit=500")).json()["items"]
        assert person["device"] == recorder


async def test_an_order_to_the_recorder_is_shown_on_the_telephone_of_who_wears_it(office: Office) -> None:
    officer = await office.officer()
    token, desk = await office.token(officer=officer), await office.token("dispatcher")
    recorder = await office.rig.device()
    await office.rig.connection.execute(
        "insert into binding (device_id, officer_id) select id, %s from device where did = %s", [officer, recorder]
    )
    async with office.page(token) as page:
        for to in (recorder, page.did):
            body = {"to": to, "text": f"for {to}", "speak": True}
            assert (await office.request("POST", desk, "/messages", body)).status_code == 202
        items = (await office.request("GET", token, "/messages")).json()["items"]
        assert {one["text"] for one in items} == {f"for {recorder}", f"for {page.did}"}


async def test_a_look_back_at_an_officer_follows_the_recorder_and_the_telephone_of_who_wore_none(
    office: Office,
) -> None:
    desk = await office.token("dispatcher")
    officers = [await office.officer(), await office.officer()]
    recorder = await office.rig.device()
    await office.rig.connection.execute(
        "insert into binding (device_id, officer_id, bound_at) select id, %s, now() - interval '1 hour' from device"
        " where did = %s",
        [officers[0], recorder],
    )
    async with (
        office.page(await office.token(officer=officers[0])),
        office.page(await office.token(officer=officers[1])) as page,
    ):
        now = datetime.now(UTC)
        asked = {"from": (now - timedelta(hours=2)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
        query = urlencode([*asked.items(), *(("subject", f"o{officer}") for officer in officers)])
        answer = (await office.request("GET", desk, f"/review/tracks?{query}")).json()
        worn = [[one["did"] for one in subject["worn"]] for subject in answer["subjects"]]
        assert worn == [[recorder], [page.did]]


async def test_a_dispatcher_calls_a_telephone_by_its_device(office: Office) -> None:
    token, desk = await office.token(officer=await office.officer()), await office.token("dispatcher")
    async with office.page(token) as page:
        body = {"kind": "private", "members": [page.did]}
        made = await office.request("POST", desk, "/talk/groups", body)
        assert made.status_code == 201, made.text
        assert page.did in {one["did"] for one in made.json()["members"]}


async def test_a_telephone_has_no_account_at_the_broker(office: Office) -> None:
    token, admin = await office.token(officer=await office.officer()), await office.token("administrator")
    async with office.page(token) as page:
        refused = await office.request("POST", admin, f"/devices/{page.did}/new-credentials")
        assert refused.json()["errors"][0]["reason"] == "phone-credentials"
        assert (await office.request("POST", admin, f"/devices/{page.did}/disable")).status_code == 200
    async with office.open(token) as socket:
        await socket.send(json.dumps({"t": "hello"}))
        assert await Page(socket).closed() == FORBIDDEN


@pytest.mark.parametrize(("role", "linked", "code"), [("clerk", True, FORBIDDEN), ("officer", False, NO_OFFICER)])
async def test_who_has_no_telephone_is_told_why_by_the_close_code(
    office: Office, role: str, linked: bool, code: int
) -> None:
    token = await office.token(role, await office.officer() if linked else None)
    async with office.open(token) as socket:
        assert await Page(socket).closed() == code


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"t": "report", "channel": "birth", "payload": {}}',
        '{"t": "report", "channel": "loc"}',
        '"' + "x" * 70_000,
    ],
)
async def test_what_a_page_may_not_say_ends_its_line(office: Office, text: str) -> None:
    token = await office.token(officer=await office.officer())
    async with office.page(token) as page:
        await page.socket.send(text)
        assert await page.closed() == NOT_UNDERSTOOD
