"""Provisioning by claim: over the real broker, as a device does it."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Broker, Session, SessionOptions, Subscription
from xunlu_platform.api import provisioning
from xunlu_platform.app import open_services
from xunlu_platform.auth.broker_accounts import ROLES_PAGE
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.topics import provision_request, provision_response, up

pytestmark = pytest.mark.integration

ONLINE = b'{"st":"online","sid":1,"tst":1790000000}'
LOCATION = b'{"_type":"location","lat":31.2,"lon":121.4,"tst":1790000000,"sid":1,"seq":1}'


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        await running.services.mqtt.wait_connected()
        yield running


async def claim(broker: TestBroker, request: bytes, nonce: str | None = None) -> ProvisionResponse:
    nonce = nonce or secrets.token_hex(16)
    options = SessionOptions(
        client_id=f"claim-{nonce[:20]}", subscriptions=[Subscription(topic=provision_response(nonce))]
    )
    async with Session(broker.account("claim"), options) as session, asyncio.timeout(10):
        await session.wait_connected()
        await session.publish(provision_request(nonce), request)
        async for message in session.messages():
            return ProvisionResponse.decode(message.payload)
    raise AssertionError


def request(serial: str) -> bytes:
    return ProvisionRequest(serial=serial, vendor="Xunlu", model="SIM-4G").encode()


def fresh_serial() -> str:
    """The broker is shared by all tests, so names are not used twice."""
    return f"T{secrets.token_hex(6)}"


async def publishes(broker: Broker, topic: str, payload: bytes) -> bool:
    async with (
        Session(broker, SessionOptions(client_id=f"test-{secrets.token_hex(6)}")) as session,
        asyncio.timeout(10),
    ):
        await session.wait_connected()
        try:
            await session.publish(topic, payload)
        except TransportError:
            return False
    return True


async def test_an_unknown_device_becomes_pending_and_may_write_its_state_only(
    platform: Platform, broker: TestBroker
) -> None:
    serial = fresh_serial()
    answer = await claim(broker, request(serial))
    assert (answer.status, answer.did, answer.tenant) == ("pending", serial, "main")
    assert answer.username
    assert answer.password
    device = broker.device(answer.username, answer.password)
    assert await publishes(device, up("main", serial, "state"), ONLINE)
    assert not await publishes(device, up("main", serial, "loc"), LOCATION)
    administrator = await platform.sign_in("administrator")
    listed = (await administrator.get("/devices?status=pending")).json()["items"]
    assert [(each["did"], each["unit"]["id"]) for each in listed] == [(serial, 1)]


async def test_an_approved_device_may_report_and_a_disabled_one_may_not_connect(
    platform: Platform, broker: TestBroker
) -> None:
    serial = fresh_serial()
    answer = await claim(broker, request(serial))
    device = broker.device(answer.username or "", answer.password or "")
    administrator = await platform.sign_in("administrator")
    assert (await administrator.post(f"/devices/{serial}/approve")).json()["status"] == "approved"
    assert await publishes(device, up("main", serial, "loc"), LOCATION)
    assert not await publishes(device, up("main", "somebody-else", "loc"), LOCATION)
    assert (await administrator.post(f"/devices/{serial}/disable")).json()["status"] == "disabled"
    with pytest.raises(TimeoutError):
        async with Session(device, SessionOptions(client_id="disabled")) as session, asyncio.timeout(1):
            await session.wait_connected()
    assert (await administrator.post(f"/devices/{serial}/enable")).json()["status"] == "approved"
    assert await publishes(device, up("main", serial, "loc"), LOCATION)


async def test_a_device_of_the_imported_list_is_approved_and_bound_at_once(
    platform: Platform, broker: TestBroker
) -> None:
    serial = fresh_serial()
    clerk = await platform.sign_in("clerk")
    await clerk.post("/officers", json={"unit_id": 2, "number": "D2001", "name": "王小明"})
    text = f"serial,vendor,model,unit,officer_number,inspection_report\n{serial},Xunlu,SIM-4G,东街中队,D2001,报告-7\n"
    imported = await clerk.post("/expected-devices", content=text.encode(), headers={"Content-Type": "text/csv"})
    assert imported.json() == {"imported": 1}
    answer = await claim(broker, request(serial))
    assert answer.status == "approved"
    device = (await clerk.get(f"/devices/{serial}")).json()
    assert (device["unit"]["name"], device["officer"]["name"]) == ("东街中队", "王小明")
    assert device["inspection_report"] == "报告-7"


async def test_a_flood_of_strangers_keeps_out_strangers_and_not_the_imported_list(
    platform: Platform, broker: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning, "PENDING_MAX", 0)
    expected = fresh_serial()
    text = f"serial,vendor,model,unit\n{expected},Xunlu,SIM-4G,东街中队\n"
    clerk = await platform.sign_in("clerk")
    await clerk.post("/expected-devices", content=text.encode(), headers={"Content-Type": "text/csv"})
    assert (await claim(broker, request(fresh_serial()))).status == "refused"
    assert (await claim(broker, request(expected))).status == "approved"


async def test_one_serial_never_gets_a_second_identity_but_the_same_nonce_gets_the_same_answer(
    platform: Platform, broker: TestBroker
) -> None:
    serial, nonce = fresh_serial(), secrets.token_hex(16)
    first = await claim(broker, request(serial), nonce)
    again = await claim(broker, request(serial), nonce)
    other = await claim(broker, request(serial))
    assert again == first
    assert (other.status, other.did, other.password) == ("refused", None, None)
    assert "administrator" in (other.why or "")
    stolen = await claim(broker, request(fresh_serial()), nonce)
    assert stolen.status == "refused"


async def test_a_device_whose_answer_died_with_the_process_is_answered_again_until_it_has_spoken(
    database: TestDatabase, broker: TestBroker
) -> None:
    serial, nonce = fresh_serial(), secrets.token_hex(16)
    async with running_platform(database, broker) as platform:
        await platform.services.mqtt.wait_connected()
        lost = await claim(broker, request(serial), nonce)
    async with open_services(platform.services.settings) as services:
        await services.mqtt.wait_connected()
        assert (await claim(broker, request(serial))).status == "refused", "another nonce is somebody else"
        again = await claim(broker, request(serial), nonce)
        assert (again.status, again.did, again.username) == (lost.status, lost.did, lost.username)
        assert again.password != lost.password
        state = up("main", serial, "state")
        assert await publishes(broker.device(serial, again.password or ""), state, ONLINE)
        await platform.sql("insert into device_state (device_id) select id from device where did = %s", [serial])
    async with open_services(platform.services.settings) as services:
        await services.mqtt.wait_connected()
        assert (await claim(broker, request(serial), nonce)).status == "refused"
    claims = await platform.sql("select detail->>'again' from audit where action = 'device.claim' order by id")
    assert claims == [(None,), ("true",)]


async def test_new_credentials_replace_lost_ones(platform: Platform, broker: TestBroker) -> None:
    serial = fresh_serial()
    lost = await claim(broker, request(serial))
    administrator = await platform.sign_in("administrator")
    fresh = (await administrator.post(f"/devices/{serial}/new-credentials")).json()
    assert fresh["password"] != lost.password
    assert await platform.sql("select did from device where claim_hash is not null") == []
    device = broker.device(fresh["username"], fresh["password"])
    assert await publishes(device, up("main", serial, "state"), ONLINE)


@pytest.mark.parametrize("serial", ["xunlu-api", "claim", "XUNLU-ingest"])
async def test_a_serial_that_is_a_name_of_our_own_never_becomes_an_account(
    platform: Platform, broker: TestBroker, serial: str
) -> None:
    answer = await claim(broker, request(serial))
    assert answer.did
    assert answer.did.startswith("d-")
    assert platform.services.mqtt.connected


@pytest.mark.parametrize("payload", [b"{", b"{}", b'{"serial": "a b", "vendor": "x", "model": "y"}', b"\xff"])
async def test_a_claim_that_is_none_is_refused_with_the_reason(
    platform: Platform, broker: TestBroker, payload: bytes
) -> None:
    answer = await claim(broker, payload)
    assert (answer.status, answer.did) == ("refused", None)
    assert answer.why


async def test_rules_that_differ_from_the_database_are_mended(platform: Platform, broker: TestBroker) -> None:
    serial = fresh_serial()
    answer = await claim(broker, request(serial))
    await platform.sql("update device set status = 'approved' where did = %s", [serial])
    lost = {"did": "no-account", "status": "approved", "kind": "recorder"}
    device = {"did": serial, "status": "approved", "kind": "recorder"}
    assert await platform.services.broker_accounts.reconcile([device, lost]) == ["no-account"]
    assert await publishes(
        broker.device(answer.username or "", answer.password or ""), up("main", serial, "loc"), LOCATION
    )


async def test_a_telephone_gets_an_account_by_hand_and_reports_as_owntracks_does(
    platform: Platform, broker: TestBroker
) -> None:
    did = fresh_serial()
    administrator = await platform.sign_in("administrator")
    new = {"did": did, "serial": did, "vendor": "OwnTracks", "model": "Android", "unit_id": 2}
    made = await administrator.post("/devices", json=new)
    assert made.status_code == 201
    telephone = broker.device(made.json()["username"], made.json()["password"])
    assert await publishes(telephone, f"owntracks/{did}/phone", LOCATION)
    assert not await publishes(telephone, "owntracks/somebody-else/phone", LOCATION)
    assert (await administrator.post("/devices", json=new)).status_code == 409
    assert (await administrator.post("/devices", json={**new, "did": "xunlu-api"})).status_code == 422


async def test_more_devices_than_one_page_of_the_plug_in_are_compared(platform: Platform) -> None:
    accounts = platform.services.broker_accounts
    dids = [fresh_serial() for _ in range(ROLES_PAGE + 20)]
    await asyncio.gather(*(accounts.put(did, "irrelevant here", "pending", "recorder") for did in dids))
    devices = [{"did": did, "status": "pending", "kind": "recorder"} for did in dids]
    assert await accounts.reconcile(devices) == []
    for device in devices[:2]:
        device["status"] = "approved"
    assert await accounts.reconcile(devices) == []
