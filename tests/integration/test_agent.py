"""The agent at the real broker: introduction, confirmation, lost signal, approval, claim."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.services import TestBroker
from tests.unit.xunlu_edge.rig import Keyboard, Receiver, bench_hardware, epoch_bytes
from xunlu_edge.agent import Agent
from xunlu_edge.health import checks, pages
from xunlu_edge.identity import Identity, load_identity, store_identity
from xunlu_edge.settings import AgentSettings
from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Broker, Message, Session, SessionOptions, Subscription
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.dynamic_security import RESPONSE_TOPIC
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.topics import PROVISION_REQUEST_FILTER, down, provision_response

pytestmark = pytest.mark.integration

WAIT_S = 10.0
TENANT = "main"


class Server:
    """Hears everything that devices write, in order, and answers by hand."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.session.messages():
            self.session.acknowledge(message)
            if message.payload:
                self.heard.append((message.topic, json.loads(message.payload)))
                self._news.set()

    def of(self, did: str, channel: str) -> list[Any]:
        topic = f"xunlu/v1/{TENANT}/d/{did}/up/{channel}"
        return [value for heard, value in self.heard if heard == topic or heard.startswith(f"{topic}/")]

    def has(self, did: str, channel: str, count: int) -> bool:
        return len(self.of(did, channel)) >= count

    def sequences(self, did: str) -> set[int]:
        values = [*self.of(did, "loc"), *self.of(did, "evt")]
        return {one["seq"] for value in values for one in (value if isinstance(value, list) else [value])}

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def confirm(self, did: str, sid: int, upto: int) -> None:
        await self.session.publish(down(TENANT, did, "ack"), Confirmation(sid=sid, upto=upto).encode())


@asynccontextmanager
async def session(broker: Broker, *filters: str) -> AsyncIterator[Session]:
    options = SessionOptions(
        client_id=f"test-{secrets.token_hex(4)}", subscriptions=[Subscription(topic=one) for one in filters]
    )
    async with Session(broker, options) as open_session:
        async with asyncio.timeout(WAIT_S):
            await open_session.wait_connected()
        yield open_session


@asynccontextmanager
async def task(coroutine: Any, name: str) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(coroutine, name=name)
    try:
        yield running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def server(broker: TestBroker) -> AsyncIterator[Server]:
    async with session(broker.account("xunlu-ingest"), "xunlu/v1/+/d/+/up/#") as ingest:
        server = Server(ingest)
        async with task(server.listen(), "server"):
            yield server


@pytest.fixture
async def accounts(broker: TestBroker) -> AsyncIterator[BrokerAccounts]:
    async with session(broker.account("xunlu-api"), RESPONSE_TOPIC) as api:
        accounts = BrokerAccounts(api, TENANT)

        async def hear() -> None:
            async for message in api.messages():
                api.acknowledge(message)
                accounts.handle(message)

        async with task(hear(), "accounts"):
            yield accounts


class Recorder:
    """A real agent with a receiver that says what it is told."""

    def __init__(self, broker: TestBroker, state: Path) -> None:
        self.did = f"rec-{secrets.token_hex(4)}"
        self.password = secrets.token_urlsafe(16)
        self.hardware = bench_hardware()
        self.began_ms = SystemClock().time_ms() // 1000 * 1000 - 3_600_000
        self.seen = 0
        self.settings = AgentSettings(
            state=state,
            broker_host=broker.host,
            broker_port=broker.tls_port,
            broker_ca_file=broker.ca_file,
            serial=self.did,
            claim_password_file=broker.secrets / "mqtt-claim",
            retry_cap_s=0.2,
            resend_after_s=1,
        )

    def know_itself(self) -> None:
        identity = Identity(did=self.did, tenant=TENANT, username=self.did, password=self.password)
        store_identity(self.settings.state, identity)

    def see(self, count: int) -> None:
        """Hear `count` fixes, each so far from the last that it is reported."""
        assert isinstance(self.hardware.gnss, Receiver)
        for number in range(self.seen, self.seen + count):
            self.hardware.gnss.said.put_nowait(epoch_bytes(self.began_ms + number * 10_000, 31.2 + number * 0.0003))
        self.seen += count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Agent]:
        agent = Agent(self.settings, self.hardware)
        async with task(agent.run(), "agent") as run:
            yield agent
            agent.stop()
            await run


@pytest.fixture
async def recorder(broker: TestBroker, accounts: BrokerAccounts, tmp_path: Path) -> Recorder:
    recorder = Recorder(broker, tmp_path)
    await accounts.put(recorder.did, recorder.password, "approved", "recorder")
    recorder.know_itself()
    return recorder


async def test_a_recorder_introduces_itself_in_order_and_says_goodbye(server: Server, recorder: Recorder) -> None:
    did = recorder.did
    async with recorder.running() as agent:
        await server.until(lambda: server.of(did, "shadow"))
        channels = [topic.rsplit("/", 1)[1] for topic, _ in server.heard if f"/{did}/" in topic]
        assert channels[:3] == ["birth", "state", "shadow"]
        (birth,) = server.of(did, "birth")
        assert (birth["sid"], birth["serial"]) == (agent.outbox.sid, did)
        assert set(birth["caps"]) == {"record", "track_interval", "reboot"}
    await server.until(lambda: len(server.of(did, "state")) == 2)
    assert [(s["st"], s.get("why")) for s in server.of(did, "state")] == [("online", None), ("offline", "shutdown")]


async def test_only_the_platforms_confirmation_empties_the_outbox(server: Server, recorder: Recorder) -> None:
    async with recorder.running() as agent:
        recorder.see(5)
        await server.until(lambda: server.sequences(recorder.did) >= {1, 2, 3, 4, 5})
        assert agent.outbox.count >= 5
        await server.confirm(recorder.did, agent.outbox.sid, 2**40)
        # Messages are taken in order: the report of a configuration proves that the confirmation before it was taken.
        await server.session.publish(down(TENANT, recorder.did, "shadow"), b'{"version": 7, "config": {}}')
        await server.until(lambda: server.of(recorder.did, "shadow")[-1]["version"] == 7)
        assert agent.outbox.count == 0


async def test_the_health_page_names_broker_receiver_and_outbox(server: Server, recorder: Recorder) -> None:
    clock = SystemClock()
    async with recorder.running() as agent:
        before = checks(agent, clock)
        assert (before["broker"]["ok"], before["gnss"]["ok"], before["outbox"]["ok"]) == (False, False, True)
        recorder.see(3)
        await server.until(lambda: server.sequences(recorder.did) >= {1, 2, 3})
        page = await pages(agent, clock)["/healthz"]()
        assert page.status == 200
        assert json.loads(page.body)["checks"]["outbox"]["waiting"] >= 3


async def test_a_lost_signal_loses_no_fix_and_no_sos(server: Server, recorder: Recorder) -> None:
    did = recorder.did
    async with recorder.running() as agent:
        await server.until(lambda: server.of(did, "shadow"))
        assert isinstance(recorder.hardware.keys, Keyboard)
        for births in (1, 2, 3):
            agent.link.break_connection()
            recorder.see(20)
            recorder.hardware.keys.pressed.put_nowait("mark")
            await server.until(partial(server.has, did, "birth", births + 1))
        await server.until(lambda: server.sequences(did) >= set(range(1, 64)))
        assert len(server.of(did, "evt/mark")) >= 3
        lost = [state for state in server.of(did, "state") if state.get("why") == "lost"]
        assert all(state["sid"] == agent.outbox.sid for state in lost)


async def test_what_an_earlier_session_left_behind_arrives_with_its_own_identity(
    server: Server, recorder: Recorder
) -> None:
    async with recorder.running() as first:
        recorder.see(4)
        await server.until(lambda: server.sequences(recorder.did) >= {1, 2, 3, 4})
    server.heard.clear()
    async with recorder.running() as second:
        await server.until(lambda: server.of(recorder.did, "loc/hist"))
        (batch,) = server.of(recorder.did, "loc/hist")
        assert second.outbox.sid == first.outbox.sid + 1
        assert [(one["sid"], one["seq"], one["hist"]) for one in batch] == [
            (first.outbox.sid, seq, True) for seq in range(1, 5)
        ]


async def test_a_pending_recorder_writes_its_state_only_and_goes_on_when_it_is_approved(
    server: Server, broker: TestBroker, accounts: BrokerAccounts, tmp_path: Path
) -> None:
    recorder = Recorder(broker, tmp_path)
    await accounts.put(recorder.did, recorder.password, "pending", "recorder")
    recorder.know_itself()
    async with recorder.running() as agent:
        recorder.see(2)
        await server.until(lambda: server.of(recorder.did, "state"))
        assert server.of(recorder.did, "state")[-1]["why"] == "pending"
        assert agent.link.approved is False
        await accounts.set_status(recorder.did, "approved", "recorder")
        await server.until(lambda: server.sequences(recorder.did) >= {1, 2})
        assert agent.link.approved


async def test_a_recorder_without_identity_claims_one_and_keeps_it(
    server: Server, broker: TestBroker, accounts: BrokerAccounts, tmp_path: Path
) -> None:
    recorder = Recorder(broker, tmp_path)

    async def answer(message: Message, api: Session) -> None:
        api.acknowledge(message)
        request = ProvisionRequest.decode(message.payload)
        if request.serial != recorder.did:
            return
        await accounts.put(recorder.did, recorder.password, "approved", "recorder")
        response = ProvisionResponse(
            status="approved", did=recorder.did, tenant=TENANT, username=recorder.did, password=recorder.password
        )
        await api.publish(provision_response(message.topic.rsplit("/", 1)[1]), response.encode())

    async def provision() -> None:
        async with session(broker.account("xunlu-api"), PROVISION_REQUEST_FILTER) as api:
            async for message in api.messages():
                await answer(message, api)

    async with task(provision(), "provisioning"), recorder.running():
        await server.until(lambda: server.of(recorder.did, "shadow"))
    identity = load_identity(recorder.settings.state)
    assert identity is not None
    assert (identity.did, identity.password) == (recorder.did, recorder.password)


async def test_a_desired_configuration_is_taken_over_and_reported(server: Server, recorder: Recorder) -> None:
    did = recorder.did
    desired = {"version": 1, "config": {"moving_s": 3}}
    await server.session.publish(down(TENANT, did, "shadow"), json.dumps(desired).encode(), retain=True)
    async with recorder.running() as agent:
        await server.until(lambda: any(shadow["version"] == 1 for shadow in server.of(did, "shadow")))
        assert agent.situation.config.moving_s == 3
    await server.session.publish(down(TENANT, did, "shadow"), b"", retain=True)


async def test_a_command_over_the_broker_is_answered_and_repeated_without_being_done_twice(
    server: Server, recorder: Recorder
) -> None:
    did = recorder.did
    request = json.dumps({"rid": "c1", "name": "record_start", "args": {}, "exp": 2**31}).encode()
    async with recorder.running() as agent:
        await server.until(lambda: server.of(did, "shadow"))
        for _ in range(2):
            await server.session.publish(down(TENANT, did, "rpc", "c1"), request, expiry_s=30)
        await server.until(lambda: len(server.of(did, "rpc")) >= 5)
        steps = [reply["st"] for reply in server.of(did, "rpc")]
        assert steps[0] == "delivered"
        assert steps[-1] in ("done", "running", "delivered")
        assert "done" in steps
        assert [event["rec"] for event in server.of(did, "evt/rec_start")] == ["R1"]
        assert agent.link.malformed == 0


async def test_nonsense_from_the_server_is_counted_and_harms_nothing(server: Server, recorder: Recorder) -> None:
    did = recorder.did
    async with recorder.running() as agent:
        await server.until(lambda: server.of(did, "shadow"))
        for payload in (b"", b"{", b'{"sid": 1, "upto": -1}', b"\xff" * 100):
            await server.session.publish(down(TENANT, did, "ack"), payload)
        recorder.see(2)
        await server.until(lambda: server.sequences(did) >= {1, 2})
        assert agent.link.malformed == 4
