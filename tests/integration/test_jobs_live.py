"""What the jobs process keeps of live video: viewings, recordings and orders; and whose viewings it ends."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, eventually
from tests.integration.jobs_rig import Desk, hurry, running_desk
from tests.integration.live_rig import frame, now_ms, viewing
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs import media
from xunlu_protocol.media import Gap, MediaAck, RecordingOrder, RecordingReport
from xunlu_protocol.topics import media_ack, media_end, media_order, media_recording

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest_asyncio.fixture
async def desk(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Desk]:
    async with running_desk(database, broker) as made:
        yield made


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
    async with desk.jobs(), desk.relaying(did):
        assert media_end(TENANT, "relay-1") not in desk.heard
        await desk.execute(change)
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
    async with desk.jobs(), desk.relaying(did, other, "nobody"):
        await desk.ended({"of-the-new"}, {"nobody"})
        await desk.execute("update device set unit_id = (select id from unit where name = 'new')")
        await desk.ended({"of-the-old"}, {"nobody"})
        await desk.execute("update device set status = 'disabled' where did = %s", did)
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
