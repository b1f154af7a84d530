"""Who may do what at the broker: the commands of decision 2, sent to the real one."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.repository import ROOT
from tests.services import TestBroker
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Broker, Session, SessionOptions, Subscription, Will

pytestmark = pytest.mark.integration

CONTROL = "$CONTROL/dynamic-security/v1"
WAIT_S = 5.0


def commands_of_the_decision() -> list[str]:
    """The JSON blocks of the page, in order: pending, approved, disabled."""
    page = (ROOT / "docs" / "decisions" / "0002-broker-accounts.md").read_text("utf-8")
    return re.findall(r"```json\n(.+?)```", page, re.DOTALL)


PENDING, APPROVED, DISABLED = commands_of_the_decision()


def fresh(prefix: str = "rec") -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


@asynccontextmanager
async def connected(
    broker: Broker, *filters: str, will: Will | None = None, client_id: str | None = None
) -> AsyncIterator[Session]:
    options = SessionOptions(
        client_id=client_id or fresh("test"), subscriptions=[Subscription(topic=f) for f in filters], will=will
    )
    async with Session(broker, options) as session:
        async with asyncio.timeout(WAIT_S):
            await session.wait_connected()
        yield session


async def send(api: Session, template: str, did: str, password: str = "") -> None:
    text = template.replace("DID", did).replace("PASSWORD", password).replace("TENANT", "main").replace("KIND", "d")
    await api.publish(CONTROL, text.encode())
    async with asyncio.timeout(WAIT_S):
        answer = await anext(api.messages())
    for response in json.loads(answer.payload)["responses"]:
        assert "error" not in response, response


@pytest.fixture
async def api(broker: TestBroker) -> AsyncIterator[Session]:
    async with connected(broker.account("xunlu-api"), f"{CONTROL}/response") as session:
        yield session


@pytest.fixture
async def server(broker: TestBroker) -> AsyncIterator[Session]:
    async with connected(broker.account("xunlu-ingest"), "xunlu/v1/main/#") as session:
        yield session


async def device(api: Session, broker: TestBroker, *, approved: bool) -> tuple[str, Broker]:
    did, password = fresh(), secrets.token_urlsafe(16)
    await send(api, PENDING, did, password)
    if approved:
        await send(api, APPROVED, did)
    return did, broker.device(did, password)


async def arrives(session: Session, topic: str) -> bytes:
    """Wait for a message on `topic`; others are passed over."""
    async with asyncio.timeout(WAIT_S):
        async for message in session.messages():
            session.acknowledge(message)
            if message.topic == topic:
                return message.payload
    raise AssertionError("messages() has no end")


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            if happened():
                return
            await asyncio.sleep(0.01)


async def test_an_approved_device_writes_its_own_topics_and_reads_its_own_answers(
    api: Session, server: Session, broker: TestBroker
) -> None:
    did, credentials = await device(api, broker, approved=True)
    async with connected(credentials, f"xunlu/v1/main/d/{did}/dn/#") as session:
        await session.publish(f"xunlu/v1/main/d/{did}/up/loc", b"here")
        assert await arrives(server, f"xunlu/v1/main/d/{did}/up/loc") == b"here"
        await server.publish(f"xunlu/v1/main/d/{did}/dn/ack", b"held")
        assert await arrives(session, f"xunlu/v1/main/d/{did}/dn/ack") == b"held"


async def test_a_pending_device_writes_its_state_and_nothing_else(
    api: Session, server: Session, broker: TestBroker
) -> None:
    did, credentials = await device(api, broker, approved=False)
    async with connected(credentials) as session:
        await session.publish(f"xunlu/v1/main/d/{did}/up/state", b"{}")
        assert await arrives(server, f"xunlu/v1/main/d/{did}/up/state") == b"{}"
        for channel in ("loc", "birth", "tele", "evt/sos"):
            with pytest.raises(TransportError):
                await session.publish(f"xunlu/v1/main/d/{did}/up/{channel}", b"{}")
        with pytest.raises(TransportError):
            await session.subscribe(Subscription(topic=f"xunlu/v1/main/d/{did}/dn/#"))


@pytest.mark.parametrize(
    "topic",
    [
        "xunlu/v1/main/d/OTHER/up/loc",
        "xunlu/v1/main/d/OWN/dn/ack",
        "xunlu/v1/other/d/OWN/up/loc",
        "xunlu/srv/api/state",
        "xunlu/v1/main/fleet/ingest-1",
        "xunlu/prov/req/nonce",
        CONTROL,
        "owntracks/OTHER/phone",
    ],
)
async def test_a_device_may_not_write_what_is_not_its_own(api: Session, broker: TestBroker, topic: str) -> None:
    did, credentials = await device(api, broker, approved=True)
    async with connected(credentials) as session:
        with pytest.raises(TransportError):
            await session.publish(topic.replace("OWN", did).replace("OTHER", fresh()), b"{}")


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "+/#",
        "xunlu/#",
        "xunlu/v1/main/d/+/dn/#",
        "xunlu/v1/+/d/OWN/dn/#",
        "xunlu/v1/main/d/OTHER/dn/#",
        "$share/g/xunlu/v1/main/d/+/dn/#",
        "xunlu/v1/main/d/OWN/up/#",
        "$CONTROL/#",
        "$SYS/#",
    ],
)
async def test_a_device_may_not_read_what_is_not_meant_for_it(api: Session, broker: TestBroker, topic: str) -> None:
    did, credentials = await device(api, broker, approved=True)
    async with connected(credentials) as session:
        with pytest.raises(TransportError):
            await session.subscribe(Subscription(topic=topic.replace("OWN", did).replace("OTHER", fresh())))


async def test_a_will_for_another_device_is_never_published(api: Session, server: Session, broker: TestBroker) -> None:
    victim, _ = await device(api, broker, approved=True)
    did, credentials = await device(api, broker, approved=True)
    forged = Will(topic=f"xunlu/v1/main/d/{victim}/up/state", payload=b"forged")
    async with connected(credentials, will=forged) as session:
        await send(api, DISABLED, did)
        await until(lambda: not session.connected)
    # The server's own message is behind every will that the broker has published.
    await server.publish("xunlu/v1/main/fleet/mark", b"mark")
    seen = []
    async with asyncio.timeout(WAIT_S):
        async for message in server.messages():
            server.acknowledge(message)
            seen.append(message.topic)
            if message.topic.endswith("/mark"):
                break
    assert forged.topic not in seen


async def test_a_will_of_its_own_is_published_when_the_signal_is_lost(
    api: Session, server: Session, broker: TestBroker
) -> None:
    did, credentials = await device(api, broker, approved=True)
    will = Will(topic=f"xunlu/v1/main/d/{did}/up/state", payload=b"offline", retain=False)
    async with connected(credentials, will=will) as session:
        session.break_connection()
        assert await arrives(server, will.topic) == b"offline"


async def test_a_stolen_client_id_brings_none_of_the_stored_messages(
    api: Session, server: Session, broker: TestBroker
) -> None:
    victim, credentials = await device(api, broker, approved=True)
    _, thief = await device(api, broker, approved=True)
    stored = SessionOptions(
        client_id=victim,
        clean_start=False,
        session_expiry_s=3600,
        subscriptions=[Subscription(topic=f"xunlu/v1/main/d/{victim}/dn/#")],
    )
    async with Session(credentials, stored) as session:
        await session.wait_connected()
    await server.publish(f"xunlu/v1/main/d/{victim}/dn/rpc/1", b"for the victim", expiry_s=600)
    async with Session(thief, replace(stored, subscriptions=())) as session:
        await session.wait_connected()
        await server.publish(f"xunlu/v1/main/d/{victim}/dn/rpc/2", b"for the victim", expiry_s=600)
        assert await session.batch(1, 0.5) == []


async def test_a_disabled_device_is_cut_off_and_refused(api: Session, broker: TestBroker) -> None:
    did, credentials = await device(api, broker, approved=True)
    async with connected(credentials) as session:
        await send(api, DISABLED, did)
        await until(lambda: session.refusal is not None)
        assert not session.connected


async def test_a_claimant_reads_the_answer_to_its_own_nonce(broker: TestBroker) -> None:
    nonce = secrets.token_hex(16)
    claim = broker.account("claim")
    async with (
        connected(broker.device("claim", claim.password), f"xunlu/prov/res/{nonce}") as claimant,
        connected(broker.account("xunlu-api"), "xunlu/prov/req/+") as api,
    ):
        await claimant.publish(f"xunlu/prov/req/{nonce}", b"please")
        assert await arrives(api, f"xunlu/prov/req/{nonce}") == b"please"
        await api.publish(f"xunlu/prov/res/{nonce}", b"welcome")
        assert await arrives(claimant, f"xunlu/prov/res/{nonce}") == b"welcome"


@pytest.mark.parametrize(
    "topic",
    [
        "xunlu/prov/res/+",
        "xunlu/prov/res/#",
        "xunlu/prov/+/+",
        "xunlu/prov/#",
        "xunlu/#",
        "#",
        "+/prov/res/+",
        "$share/g/xunlu/prov/res/+",
        "$share/xunlu/prov/res/+",
        "xunlu/prov/res/+/#",
        "xunlu/prov/req/+",
        "xunlu/v1/main/#",
    ],
)
async def test_a_claimant_cannot_read_the_answers_to_others(broker: TestBroker, topic: str) -> None:
    async with connected(broker.account("claim")) as claimant:
        with pytest.raises(TransportError):
            await claimant.subscribe(Subscription(topic=topic))


@pytest.mark.parametrize("topic", ["xunlu/prov/res/x", "xunlu/v1/main/d/x/up/state", "xunlu/prov/req/x/y", CONTROL])
async def test_a_claimant_may_only_ask(broker: TestBroker, topic: str) -> None:
    async with connected(broker.account("claim")) as claimant:
        with pytest.raises(TransportError):
            await claimant.publish(topic, b"{}")


async def test_only_the_api_makes_accounts(broker: TestBroker) -> None:
    async with connected(broker.account("xunlu-ingest")) as session:
        with pytest.raises(TransportError):
            await session.publish(CONTROL, PENDING.encode())


async def test_workers_share_a_subscription(broker: TestBroker, api: Session) -> None:
    did, credentials = await device(api, broker, approved=True)
    shared = f"$share/{did}/xunlu/v1/+/d/{did}/up/#"
    async with (
        connected(broker.account("xunlu-ingest"), shared) as first,
        connected(broker.account("xunlu-ingest"), shared) as second,
        connected(credentials) as session,
    ):
        for number in range(20):
            await session.publish(f"xunlu/v1/main/d/{did}/up/tele", str(number).encode())
        taken = [await worker.batch(20, WAIT_S) for worker in (first, second)]
        async with asyncio.timeout(WAIT_S):
            while sum(map(len, taken)) < 20:
                taken.append(await first.batch(20, 0.05) + await second.batch(20, 0.05))
    assert sorted(int(message.payload) for batch in taken for message in batch) == list(range(20))
    assert all(taken[:2]), "both workers get their share"


async def test_a_message_beyond_the_limit_is_refused_by_the_broker(
    api: Session, server: Session, broker: TestBroker
) -> None:
    did, credentials = await device(api, broker, approved=True)
    async with connected(credentials) as session:
        with pytest.raises(TransportError):
            await session.publish(f"xunlu/v1/main/d/{did}/up/loc", b"x" * 1_000_000)
        async with asyncio.timeout(WAIT_S):
            await session.wait_connected()
        await session.publish(f"xunlu/v1/main/d/{did}/up/tele", b"small")
    assert await arrives(server, f"xunlu/v1/main/d/{did}/up/tele") == b"small"


async def test_nobody_comes_in_without_an_account(broker: TestBroker) -> None:
    options = SessionOptions(client_id=fresh("test"))
    async with Session(broker.device("claim", "wrong"), options) as session:
        await until(lambda: session.refusal is not None)
    assert session.connection == 0
