"""What the jobs process keeps of live video: viewings, recordings, orders, and what an SOS sets going."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, Rig, eventually, rig
from tests.integration.live_rig import claims_of, frame, now_ms, path, viewing
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.jobs import live, media, orders, run
from xunlu_protocol.command import LiveStart, Request
from xunlu_protocol.media import Gap, MediaAck, MediaEnd, MediaFrame, RecordingOrder, RecordingReport
from xunlu_protocol.topics import media_ack, media_end, media_frame, media_order, media_recording

pytestmark = pytest.mark.integration


class Desk:
    """A rig, and what the broker was told."""

    def __init__(self, made: Rig, session: Session) -> None:
        self.rig = made
        self.session = session
        self.heard: dict[str, list[bytes]] = {}

    async def listen(self) -> None:
        async for message in self.session.messages():
            self.heard.setdefault(message.topic, []).append(message.payload)
            self.session.acknowledge(message)

    async def said(self, topic: str, count: int = 1) -> list[bytes]:
        """Wait until something was said so often."""

        async def enough() -> list[bytes] | None:
            said = self.heard.get(topic, [])
            return said if len(said) >= count else None

        found: list[bytes] = await eventually(enough)
        return found

    async def last_said(self, topic: str, payload: bytes) -> None:
        async def same() -> bool:
            return self.heard.get(topic, [None])[-1] == payload

        await eventually(same)

    async def tell(self, told: MediaFrame) -> None:
        await self.session.publish(media_frame(TENANT, told.worker), told.encode())

    async def viewing(self, name: str) -> dict[str, Any]:
        async def there() -> list[dict[str, Any]]:
            return await self.rig.rows("select * from viewing where id = %s and began_at is not null", name)

        [row] = await eventually(there)
        return dict(row)

    async def recorder(self) -> str:
        """An approved recorder with a live camera, connected."""
        did = await self.rig.device()
        await self.rig.connection.execute(
            "insert into device_state (device_id, availability, birth) select id, 'online', %s from device"
            " where did = %s",
            [json.dumps({"caps": ["live"]}), did],
        )
        return did

    async def raise_sos(self, did: str) -> int:
        [row] = await self.rig.rows(
            "insert into alarm (device_id, kind, severity, sid, seq, raised_at, received_at)"
            " select id, 'sos', 3, 1, (select count(*) from alarm), now(), now() from device where did = %s"
            " returning id",
            did,
        )
        return int(row["id"])

    async def look(self, did: str, name: str, *, begun: bool = True) -> None:
        """A dispatcher of the device's unit, named like the look, asks for its picture."""
        await self.execute(
            "insert into account (unit_id, username, display_name, role, password_hash, must_change_password)"
            " select unit_id, %s, 'x', 'dispatcher', 'x', false from device where did = %s",
            name, did,
        )  # fmt: skip
        await self.execute(
            "insert into viewing (id, device_id, account_id, username, began_at) select %s, d.id, a.id, username,"
            " case when %s then now() end from device d, account a where did = %s and username = %s",
            name, begun, did, name,
        )  # fmt: skip

    async def ended(self, viewings: set[str], paths: set[str]) -> None:
        """Wait until a worker was told to end just that."""

        async def told() -> bool:
            said = [MediaEnd.decode(one) for one in self.heard.get(media_end(TENANT, "relay-1"), [])]
            return any((set(one.viewings), set(one.paths)) == (viewings, paths) for one in said)

        await eventually(told)

    async def commands_of(self, did: str) -> list[dict[str, Any]]:
        return await self.rig.rows(
            "select c.* from command c join device d on d.id = c.device_id where d.did = %s", did
        )

    async def execute(self, sql: str, *parameters: Any) -> None:
        await self.rig.connection.execute(sql.encode(), parameters)

    @contextlib.asynccontextmanager
    async def jobs(self) -> AsyncIterator[None]:
        """The jobs process, hearing what is said."""
        task = asyncio.create_task(run(self.rig.settings))
        try:
            await self._heard_by_jobs()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _heard_by_jobs(self) -> None:
        did = await self.rig.device()

        async def told() -> bool:
            probe = viewing(f"probe-{did}", did, ended=True)
            await self.tell(frame("probe", viewings=[probe]))
            return media_ack(TENANT, "probe") in self.heard

        await eventually(told)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs in a rhythm for tests."""
    for name in ("CLOSE_S", "ORDERS_S", "RIGHTS_S", "SOS_S"):
        monkeypatch.setattr(live, name, 0.2)


@pytest_asyncio.fixture
async def desk(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Desk]:
    topics = (
        media_ack(TENANT, "+"),
        media_end(TENANT, "+"),
        media_order(TENANT, "+"),
        f"xunlu/v1/{TENANT}/d/+/dn/rpc/+",
    )
    options = SessionOptions(client_id="desk", subscriptions=[Subscription(topic=one) for one in topics])
    async with rig(database, broker) as made, Session(broker.account("xunlu-streaming"), options) as session:
        await session.wait_connected()
        made_desk = Desk(made, session)
        listening = asyncio.create_task(made_desk.listen())
        yield made_desk
        for topic, said in made_desk.heard.items():
            if "/order/" in topic and said[-1]:
                await session.publish(topic, b"", retain=True)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_a_viewing_is_kept_from_its_first_picture_to_its_end_and_then_confirmed(desk: Desk) -> None:
    did = await desk.rig.device()
    await desk.execute(
        "insert into viewing (id, device_id, username) select 'v1', id, 'lin' from device where did = %s", did
    )
    async with desk.jobs():
        await desk.tell(frame("relay-1", viewings=[viewing("v1", did, sent_bytes=1000)]))
        going_on = await desk.viewing("v1")
        assert (going_on["username"], going_on["ended_at"], going_on["sent_bytes"]) == ("lin", None, 1000)
        assert media_ack(TENANT, "relay-1") not in desk.heard
        end = frame("relay-1", viewings=[viewing("v1", did, ended=True, sent_bytes=2000)])
        for count in (1, 2):
            await desk.tell(end)
            acks = await desk.said(media_ack(TENANT, "relay-1"), count)
            assert MediaAck.decode(acks[-1]).viewings == ("v1",)
            [row] = await desk.rig.rows("select * from viewing where id = 'v1'")
            assert (row["why"], row["sent_bytes"], row["username"]) == ("left", 2000, "lin")
            assert row["ended_at"] > row["began_at"]


async def test_a_look_that_the_database_forgot_is_kept_all_the_same(desk: Desk) -> None:
    did = await desk.rig.device()
    async with desk.jobs():
        await desk.tell(frame("relay-1", viewings=[viewing("v9", did), viewing("v8", "nobody")]))
        assert (await desk.viewing("v9"))["username"] == ""
    assert await desk.rig.rows("select from viewing where id = 'v8'") == []


async def test_viewings_of_a_killed_relay_end_when_they_were_last_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LOST_S", 0.5)
    did = await desk.rig.device()
    killed = frame("relay-1", viewings=[viewing("v1", did)])

    async def lost() -> list[dict[str, Any]]:
        return await desk.rig.rows("select * from viewing where id = 'v1' and why = 'lost'")

    async with desk.jobs():
        await desk.tell(killed)
        [row] = await eventually(lost)
        assert row["ended_at"] == row["seen_at"]
        # It was only the network: the relay tells that they go on.
        monkeypatch.setattr(media, "LOST_S", 60)
        await desk.tell(frame("relay-1", viewings=[viewing("v1", did)]))

        async def goes_on() -> list[dict[str, Any]]:
            return await desk.rig.rows("select from viewing where id = 'v1' and ended_at is null")

        assert await eventually(goes_on)


@pytest.mark.parametrize(
    "change",
    [
        "update account set disabled_at = now() where username = 'look'",
        "update account set role = 'clerk' where username = 'look'",
        "update account set unit_id = (select id from unit where name = 'elsewhere') where username = 'look'",
        "update viewing set account_id = null where id = 'look'",
    ],
)
@pytest.mark.parametrize("begun", [True, False])
async def test_a_look_ends_with_the_right_to_it(desk: Desk, change: str, begun: bool) -> None:
    did = await desk.recorder()
    await desk.execute(
        "insert into unit (tenant, parent_id, kind, name, path) select tenant, id, 'squad', 'elsewhere', '' from unit"
        " where parent_id is null"
    )
    await desk.look(did, "look", begun=begun)
    await desk.look(did, "stays", begun=begun)
    async with desk.jobs():
        await desk.tell(frame("relay-1", paths=[path(did)]))
        assert media_end(TENANT, "relay-1") not in desk.heard
        await desk.execute(change)
        await desk.tell(frame("relay-1", paths=[path(did)]))
        await desk.ended({"look"}, set())


async def test_a_device_that_moves_is_seen_by_its_new_squad_alone_and_a_disabled_one_by_nobody(desk: Desk) -> None:
    did, other = await desk.recorder(), await desk.recorder()
    await desk.execute(
        "insert into unit (tenant, parent_id, kind, name, path) select tenant, id, 'squad', n, '' from unit,"
        " unnest(array['old', 'new']) n where parent_id is null"
    )
    for unit, name in (("new", "of the new"), ("old", "of the old")):
        await desk.execute("update device set unit_id = (select id from unit where name = %s)", unit)
        await desk.look(did, name.replace(" ", "-"))
    async with desk.jobs():
        told = frame("relay-1", paths=[path(did), path(other), path("nobody")])
        await desk.tell(told)
        await desk.ended({"of-the-new"}, {"nobody"})
        await desk.execute("update device set unit_id = (select id from unit where name = 'new')")
        await desk.tell(told)
        await desk.ended({"of-the-old"}, {"nobody"})
        await desk.execute("update device set status = 'disabled' where did = %s", did)
        await desk.tell(told)
        await desk.ended({"of-the-old"}, {did, "nobody"})


def report(did: str, name: str = "rec-1", **values: Any) -> RecordingReport:
    started_ms = now_ms() - 60_000
    fields: dict[str, Any] = {
        "id": name, "did": did, "why": "hand", "order": "o1", "file": f"{did}/{name}.mp4", "started_ms": started_ms,
        "ended_ms": started_ms + 30_000, "size_bytes": 4, "sha256": "ab" * 32, "video": "H264", "audio": "opus",
        "gaps": (Gap(from_ms=started_ms + 1000, to_ms=started_ms + 2000),), **values,
    }  # fmt: skip
    return RecordingReport(**fields)


async def test_a_recording_belongs_to_who_wore_the_device_then_and_is_registered_once(desk: Desk) -> None:
    did = await desk.rig.device()
    await desk.execute(
        "insert into officer (tenant, unit_id, number, name) select tenant, unit_id, n, n from device, "
        "unnest(array['now', 'then']) n where did = %s",
        did,
    )
    for officer, bound, released in (("then", "2 hours", "30 seconds"), ("now", "20 seconds", None)):
        await desk.execute(
            "insert into binding (device_id, officer_id, bound_at, released_at) select d.id, o.id,"
            " now() - %s::interval, now() - %s::interval from device d, officer o where did = %s and o.number = %s",
            bound, released, did, officer,
        )  # fmt: skip
    await desk.execute(
        "insert into recording_order (id, device_id, why) select 'o1', id, 'hand' from device where did = %s", did
    )
    async with desk.jobs():
        for count in (1, 2):
            await desk.session.publish(media_recording(TENANT, "host-1"), report(did).encode())
            acks = await desk.said(media_ack(TENANT, "host-1"), count)
            assert MediaAck.decode(acks[-1]).recordings == ("rec-1",)
    [row] = await desk.rig.rows("select r.*, o.number from recording r join officer o on o.id = r.officer_id")
    assert (row["number"], row["order_id"], row["file"], row["complete"]) == ("then", "o1", f"{did}/rec-1.mp4", True)
    assert row["gaps"][0]["to_ms"] - row["gaps"][0]["from_ms"] == 1000


async def test_a_recording_of_an_unknown_device_stays_with_its_recorder_and_stops_nobody(desk: Desk) -> None:
    did = await desk.rig.device()
    async with desk.jobs():
        for payload in (
            b"{",
            report("nobody", "rec-0").encode(),
            report(did, "rec-2", order=None, why="always").encode(),
        ):
            await desk.session.publish(media_recording(TENANT, "host-2"), payload)
        [ack] = await desk.said(media_ack(TENANT, "host-2"))
        assert MediaAck.decode(ack).recordings == ("rec-2",)


async def test_the_broker_retains_what_the_database_says(desk: Desk) -> None:
    ordered, free = await desk.rig.device(), await desk.rig.device()
    await desk.session.publish(media_order(TENANT, free), RecordingOrder(id="old", why="hand").encode(), retain=True)
    await desk.execute(
        "insert into recording_order (id, device_id, why, username) select 'o1', id, 'hand', 'lin' from device "
        "where did = %s",
        ordered,
    )
    async with desk.jobs():
        await desk.last_said(media_order(TENANT, ordered), RecordingOrder(id="o1", why="hand", by="lin").encode())
        await desk.last_said(media_order(TENANT, free), b"")
        await desk.execute("update recording_order set until = now() where id = 'o1'")
        await desk.last_said(media_order(TENANT, ordered), b"")
    [row] = await desk.rig.rows("select ended_at from recording_order")
    assert row["ended_at"] is not None


async def test_an_sos_is_recorded_and_the_recorder_publishes_once_it_is_there(
    desk: Desk, database: TestDatabase
) -> None:
    did = await desk.recorder()
    await desk.execute("update device_state set availability = 'offline'")
    alarm = await desk.raise_sos(did)

    def requests() -> list[Request]:
        return [Request.decode(said[0]) for topic, said in desk.heard.items() if f"/{did}/dn/rpc/" in topic]

    async def asked() -> list[Request]:
        return requests()

    async with desk.jobs():
        await desk.last_said(media_order(TENANT, did), RecordingOrder(id=f"sos-{alarm}", why="sos").encode())
        assert requests() == []
        await desk.execute("update device_state set availability = 'online'")
        [request] = await eventually(asked)
        start = LiveStart.parse(request.args)
        assert claims_of(start.token, database).path == did
        [row] = await desk.rig.rows("select * from command")
        assert (row["rid"], row["created_by"], "token" in row["args"]) == (request.rid, None, False)


async def test_an_sos_starts_a_recorder_once_but_again_when_that_came_to_nothing(desk: Desk) -> None:
    did = await desk.recorder()
    await desk.raise_sos(did)
    async with desk.jobs():
        assert await eventually(lambda: desk.rig.rows("select from command where state = 'queued'"))
        await desk.execute("update recording_order set created_at = now() - interval '1 hour'")
        await desk.execute("update command set state = 'done', created_at = now() - interval '1 minute'")
        await a_later_sos_was_served(desk)
        assert len(await desk.commands_of(did)) == 1
        await desk.tell(frame("relay-1", paths=[path(did)]))
        await desk.execute("update command set state = 'failed', created_at = now() - interval '1 minute'")
        await a_later_sos_was_served(desk)
        assert len(await desk.commands_of(did)) == 1, "it is live"
        await desk.tell(frame("relay-1"))

        async def again() -> bool:
            return len(await desk.commands_of(did)) == 2

        assert await eventually(again)


async def test_the_recording_of_an_sos_goes_on_for_a_while_after_it_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = await desk.recorder()
    alarms = [f"sos-{await desk.raise_sos(did)}"]

    async def timed() -> list[dict[str, Any]]:
        return await desk.rig.rows("select from recording_order where until > now() + interval '4 minutes'")

    async def open_ended() -> list[dict[str, Any]]:
        return await desk.rig.rows("select from recording_order where until is null and ended_at is null")

    async with desk.jobs():
        assert await eventually(open_ended)
        await desk.execute("update alarm set state = 'resolved'")
        assert await eventually(timed)
        alarms.append(f"sos-{await desk.raise_sos(did)}")
        assert await eventually(open_ended)
        monkeypatch.setattr(orders, "AFTER_SOS_S", 0)
        await desk.execute("update alarm set state = 'false'")
        assert await eventually(lambda: desk.rig.rows("select from recording_order where ended_at is not null"))
        await a_later_sos_was_served(desk)
        assert len(await desk.rig.rows("select from recording_order where id = any(%s)", alarms)) == 1


async def test_an_old_or_a_late_sos_starts_nothing(desk: Desk) -> None:
    old, late = await desk.recorder(), await desk.recorder()
    await desk.raise_sos(old)
    await desk.execute("update alarm set received_at = now() - interval '2 hours'")
    await desk.raise_sos(late)
    await desk.execute("update alarm set late = true where received_at > now() - interval '1 minute'")
    async with desk.jobs():
        await a_later_sos_was_served(desk)
    assert await desk.commands_of(old) == await desk.commands_of(late) == []
    assert len(await desk.rig.rows("select from recording_order")) == 1


async def test_the_rule_can_be_switched_off(database: TestDatabase, broker: TestBroker) -> None:
    async with (
        rig(database, broker, sos_live=False) as made,
        Session(
            broker.account("xunlu-streaming"),
            SessionOptions(client_id="desk-off", subscriptions=[Subscription(topic=media_ack(TENANT, "+"))]),
        ) as session,
    ):
        await session.wait_connected()
        quiet = Desk(made, session)
        listening = asyncio.create_task(quiet.listen())
        await quiet.raise_sos(await quiet.recorder())
        async with quiet.jobs():
            await an_order_has_ended(quiet)
        assert await made.rows("select from recording_order") == []
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def a_later_sos_was_served(desk: Desk) -> None:
    """The rule has run since: somebody else's SOS, raised now, has got its order and its command."""
    did = await desk.recorder()
    await desk.raise_sos(did)

    async def served() -> list[dict[str, Any]]:
        return await desk.rig.rows("select from command c join device d on d.id = c.device_id where did = %s", did)

    assert await eventually(served)


async def an_order_has_ended(desk: Desk) -> None:
    """The jobs have looked at the orders."""
    did = await desk.rig.device()
    await desk.execute(
        "insert into recording_order (id, device_id, why, until) select 'due', id, 'always', now() from device"
        " where did = %s",
        did,
    )

    async def ended() -> list[dict[str, Any]]:
        return await desk.rig.rows("delete from recording_order where id = 'due' and ended_at is not null returning id")

    assert await eventually(ended)
