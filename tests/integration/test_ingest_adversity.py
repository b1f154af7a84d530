"""Ingest when something around it goes wrong: nothing is confirmed that is not stored, and nothing stops it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, Rig, eventually, fix, now_s, rig
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Subscription
from xunlu_platform.ingest import worker
from xunlu_platform.ingest.batch import Batch, Item
from xunlu_platform.ingest.handlers import FILTERS
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event, SequenceRange
from xunlu_protocol.location import encode_locations
from xunlu_protocol.topics import down

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def made(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Rig]:
    async with rig(database, broker) as made:
        yield made


async def sequences(made: Rig, did: str) -> list[int]:
    return [row["seq"] for row in await made.positions(did)]


async def stored(made: Rig, did: str, *seqs: int) -> None:
    async def all_there() -> bool:
        return await sequences(made, did) == list(seqs)

    assert await eventually(all_there)


async def test_what_a_restored_database_has_lost_is_asked_for_and_stored_again(made: Rig) -> None:
    did = await made.device()
    async with made.working():
        await made.session.subscribe(Subscription(topic=down(TENANT, did, "ack")))
        fixes = [fix(seq, age_s=10 - seq) for seq in (1, 2, 3)]
        await made.publish(did, "loc", encode_locations(fixes))
        await stored(made, did, 1, 2, 3)
        await made.connection.execute("delete from position")
        await made.connection.execute("delete from device_session")
        said: list[Confirmation] = []
        async for message in made.session.messages():
            made.session.acknowledge(message)
            said.append(Confirmation.decode(message.payload))
            if said[-1].upto == 0:
                break
            await made.publish(did, "loc", fixes[1].encode())
        await made.publish(did, "loc/hist", encode_locations(fixes))
        await stored(made, did, 1, 2, 3)


async def test_a_database_that_refuses_everything_is_waited_for(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RETRY_CAP_S", 0.1)
    did = await made.device()
    async with made.working() as task:
        await made.publish(did, "loc", fix(1, age_s=3).encode())
        await stored(made, did, 1)
        await made.connection.execute("revoke insert on position, dead_letter from xunlu_ingest")
        for seq in (2, 3):
            await made.publish(did, "loc", fix(seq, age_s=3 - seq).encode())

        async def tried() -> Any:
            return await made.rows(
                "select from pg_stat_database where datname = current_database() and xact_rollback > 3"
            )

        assert await eventually(tried)
        await made.connection.execute("grant insert on position, dead_letter to xunlu_ingest")
        await stored(made, did, 1, 2, 3)
        assert not task.done()
        assert not await made.letters(did)


async def test_a_filter_that_fails_costs_one_message_and_not_the_worker(
    made: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(item: Item, batch: Batch) -> None:
        if item.message.payload == b"13":
            raise RuntimeError

    monkeypatch.setattr(worker, "FILTERS", (stumble, *FILTERS))
    did = await made.device()
    async with made.working():
        await made.publish(did, "loc", b"13")
        await made.publish(did, "loc", fix(1).encode())
        await stored(made, did, 1)
    [letter] = await made.letters(did)
    assert letter["reason"] == "failure"


async def test_a_long_track_that_a_full_outbox_thinned_comes_in_whole(
    database: TestDatabase, broker: TestBroker
) -> None:
    """Events come first: until the survivors follow, every one of them is a hole."""
    async with rig(database, broker, batch_messages_max=50) as made, made.working():
        did, survivors = await made.device(), 20_000
        for start in range(1, survivors, 500):
            gone = tuple(SequenceRange(first=2 * n, last=2 * n) for n in range(start, start + 500))
            event = Event(tst=now_s(), sid=1, seq=2 * survivors + 1 + start // 500, thinned=gone)
            await made.publish(did, "evt", event.encode(), "storage")
        for start in range(1, 2 * survivors, 100):
            some = [fix(seq, age_s=90_000 - seq) for seq in range(start, start + 100, 2)]
            await made.publish(did, "loc/hist", encode_locations(some))

        async def settled() -> bool:
            return len(await sequences(made, did)) + 50 * len(await made.letters(did)) >= survivors

        assert await eventually(settled, timeout_s=60)
        assert not await made.letters(did)
