"""A bureau with a running platform behind it, as the people at its desks and the recorders outside see it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from playwright.async_api import Page, expect

from tests.integration.api_client import PASSWORD, PASSWORD_HASH
from tests.integration.ingest_rig import TENANT, Rig, eventually, fix, now_s, rig
from tests.media import Relay, running_relay
from tests.processes import Api, platform_environment, running, running_api
from tests.services import TestBroker, TestDatabase
from tests.talk import Talk, running_talk
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.pinyin import pinyin_of
from xunlu_protocol.command import Reply
from xunlu_protocol.event import Event
from xunlu_protocol.fleet import FleetFrame, Notice
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.status import Birth, State
from xunlu_protocol.topics import fleet, provision_request, provision_response

SQUAD = "东街中队"
# Of a burst: long enough for every test, and not too long for the one that waits for it.
LONGEST_S = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Worn:
    """A recorder and who wears it."""

    did: str
    number: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What a person types to sign in."""

    username: str
    password: str


@dataclass(frozen=True)
class Bureau:
    """A district (named after the tenant) with one squad; ingest, the API, the jobs, a relay and a talk server run.

    Attributes:
        recordings: folder of the server's own recordings.
    """

    rig: Rig
    api: Api
    broker: TestBroker
    relay: Relay
    talk: Talk
    recordings: Path

    async def account(self, role: str, *, must_change: bool = False, number: str | None = None) -> Account:
        """An account for the whole district; `number` says which officer it belongs to."""
        username = f"{role}-{secrets.token_hex(3)}"
        await self.rig.connection.execute(
            "insert into account"
            " (unit_id, username, display_name, role, password_hash, must_change_password, officer_id)"
            " select id, %s, %s, %s, %s, %s, (select id from officer where number = %s)"
            " from unit where parent_id is null",
            [username, username, role, PASSWORD_HASH, must_change, number],
        )
        return Account(username=username, password=PASSWORD)

    async def officer(self, name: str) -> str:
        """An officer of the squad; returns the number."""
        number = f"N{secrets.token_hex(3)}"
        await self.rig.connection.execute(
            "insert into officer (tenant, unit_id, number, name, pinyin) "
            "select %s, id, %s, %s, %s from unit where name = %s",
            [TENANT, number, name, pinyin_of(name), SQUAD],
        )
        return number

    async def worn(self, name: str) -> Worn:
        """A recorder that an officer of the squad wears, online."""
        number = await self.officer(name)
        did = await self.rig.device()
        await self.rig.connection.execute(
            "with worn as (update device set unit_id = (select id from unit where name = %s) where did = %s"
            " returning id) insert into binding (device_id, officer_id)"
            " select worn.id, officer.id from worn, officer where number = %s",
            [SQUAD, did, number],
        )
        frame = FleetFrame(notices=(Notice(what="device", id=did, did=did),))
        await self.rig.session.publish(fleet(TENANT, "api"), frame.encode(), qos=0)
        await self.rig.publish(did, "state", State(st="online", sid=1, tst=now_s()).encode())
        return Worn(did=did, number=number, name=name)

    async def films(self, name: str) -> Worn:
        """A recorder that can send live video."""
        worn = await self.worn(name)
        birth = Birth(sid=1, tst=now_s(), fw="1.0", serial=worn.did, caps=("record", "photo", "live"))
        await self.rig.publish(worn.did, "birth", birth.encode())

        async def known() -> object:
            return await self.rig.rows(
                "select 1 from device_state s join device d on d.id = s.device_id where did = %s and birth is not null",
                worn.did,
            )

        await eventually(known)
        return worn

    async def stands(self, worn: Worn, lat: float, lon: float, seq: int = 1, *, age_s: int = 0) -> None:
        """A fix of now, or of a while ago."""
        walking = fix(seq, age_s=age_s, lat=lat, lon=lon, vel=4.0, cog=45, acc=5, bds=9, sat=15)
        await self.rig.publish(worn.did, "loc", walking.encode())

    async def presses_sos(self, worn: Worn, seq: int = 100) -> None:
        """The key of the recorder."""
        await self.rig.publish(worn.did, "evt", Event(tst=now_s(), sid=1, seq=seq).encode(), "sos")

    async def answers(self, worn: Worn, rid: str, reply: Reply) -> None:
        """One step of a command, as the recorder reports it."""
        await self.rig.publish(worn.did, "rpc", reply.encode(), rid)

    async def goes_home(self) -> None:
        """Nobody is on duty any more and no alarm is open: the next test sees only its own."""
        alarms = await self.rig.rows(
            "update alarm set state = 'false', closed_at = now(), note = 'test' where state in ('new', 'acknowledged')"
            " returning id::text"
        )
        await self.rig.connection.execute("update device set status = 'disabled' where status = 'approved'")
        notices = [Notice(what="organisation", id="all"), *(Notice(what="alarm", id=one["id"]) for one in alarms)]
        await self.rig.session.publish(fleet(TENANT, "api"), FleetFrame(notices=tuple(notices)).encode(), qos=0)

    async def claims(self, serial: str) -> str:
        """A recorder nobody knows asks for its identity; returns its name."""
        nonce = secrets.token_hex(16)
        options = SessionOptions(
            client_id=f"claim-{nonce[:20]}", subscriptions=[Subscription(topic=provision_response(nonce))]
        )
        request = ProvisionRequest(serial=serial, vendor="Xunlu", model="SIM-4G")
        async with Session(self.broker.account("claim"), options) as session:
            await session.wait_connected()
            await session.publish(provision_request(nonce), request.encode())
            async for message in session.messages():
                answer = ProvisionResponse.decode(message.payload)
                assert answer.did is not None
                return answer.did
        raise AssertionError

    async def command(self, worn: Worn, name: str) -> str:
        """Wait for a command to a recorder; returns its identity."""

        async def sent() -> str | None:
            rows = await self.rig.rows(
                "select rid from command c join device d on d.id = c.device_id where did = %s and name = %s"
                " order by c.created_at desc",
                worn.did,
                name,
            )
            return str(rows[0]["rid"]) if rows else None

        return str(await eventually(sent))

    async def squad_group(self) -> str:
        """The talk group of the squad."""
        rows = await self.rig.rows("select id from unit where name = %s", SQUAD)
        return f"unit-{rows[0]['id']}"

    async def viewers(self, worn: Worn) -> int:
        """How many the relay serves with the pictures of a recorder."""
        async with httpx2.AsyncClient() as client:
            streams = (await client.get(f"{self.relay.url}/api/streams")).json()
        return sum(one["viewers"] for one in streams if one["did"] == worn.did)

    async def sign_in(self, page: Page, account: Account, view: str = "/") -> None:
        """Open a view of the console as somebody, and wait until the door is behind."""
        await self.knock(page, account, view)
        await expect(page.get_by_role("button", name="登录", exact=True)).to_have_count(0)

    async def knock(self, page: Page, account: Account, view: str = "/") -> None:
        """Try to sign in."""
        await page.goto(f"{self.api.url}{view}")
        await page.get_by_label("用户名").fill(account.username)
        await page.get_by_label("密码").fill(account.password)
        await page.get_by_role("button", name="登录", exact=True).click()


@asynccontextmanager
async def running_bureau(database: TestDatabase, broker: TestBroker, folder: Path) -> AsyncIterator[Bureau]:
    """The bureau, with the map of the bundle `map` in a folder."""
    recordings = folder / "recordings"
    async with (
        rig(database, broker) as made,
        made.working(),
        running_relay(broker, folder, idle_grace_s=2) as relay,
        running_talk(broker, folder, talk_longest_s=LONGEST_S) as talk,
    ):
        await made.device()
        await made.connection.execute(
            "insert into unit (tenant, parent_id, kind, name, pinyin, path) "
            "select tenant, id, 'squad', %s, %s, '' from unit where parent_id is null",
            [SQUAD, pinyin_of(SQUAD)],
        )
        settings = {
            "streaming_urls": relay.url,
            "talk_url": f"http://127.0.0.1:{talk.port}",
            "recordings": recordings,
            "exports": folder / "exports",
        }
        jobs = platform_environment(database, broker, **settings)
        async with (
            running_api(database, broker, map=folder / "map", **settings) as api,
            running("xunlu_platform", "jobs", environment=jobs),
        ):
            yield Bureau(made, api, broker, relay, talk, recordings)
