"""The agent at the real broker: introduction, confirmation, lost signal, approval, claim."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.integration.agent_rig import TENANT, Recorder, Server, device_accounts, session, task
from tests.services import TestBroker
from tests.unit.xunlu_edge.rig import Keyboard
from xunlu_edge.health import checks, pages
from xunlu_edge.identity import load_identity
from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Message, Session
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.topics import PROVISION_REQUEST_FILTER, down, provision_response

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(broker: TestBroker) -> AsyncIterator[Server]:
    async with session(broker.account("xunlu-ingest"), "xunlu/v1/+/d/+/up/#") as ingest:
        server = Server(ingest)
        async with task(server.listen(), "server"):
            yield server


@pytest.fixture
async def accounts(broker: TestBroker) -> AsyncIterator[BrokerAccounts]:
    async with device_accounts(broker) as accounts:
        yield accounts


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
