"""Devices made by hand over the API: a telephone that cannot claim an identity."""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session, SessionOptions, Subscription

pytestmark = pytest.mark.integration

LOCATION = b'{"_type":"location","lat":31.2,"lon":121.4,"tst":1790000000}'


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        yield running


def fresh() -> str:
    return f"phone-{secrets.token_hex(4)}"


async def test_a_device_made_by_hand_is_approved_and_its_name_is_taken_once(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    new = {"did": fresh(), "unit_id": 2}
    made = await administrator.post("/devices", json=new)
    assert (made.status_code, made.json()["username"]) == (201, new["did"])
    device = (await administrator.get(f"/devices/{new['did']}")).json()
    assert (device["status"], device["kind"], device["serial"]) == ("approved", "tracker", new["did"])
    assert (await administrator.post("/devices", json=new)).status_code == 409
    [written] = [
        row for row in (await administrator.get("/audit")).json()["items"] if row["action"] == "device.register"
    ]
    assert made.json()["password"] not in str(written)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"did": "xunlu-api"}, 422),
        ({"did": "claim"}, 422),
        ({"did": "a/b"}, 422),
        ({"kind": "car"}, 422),
        ({"vendor": "\x00"}, 422),
        ({"unit_id": 99}, 404),
    ],
)
async def test_a_device_that_cannot_be_is_refused(
    platform: Platform, change: dict[str, str | int], status: int
) -> None:
    administrator = await platform.sign_in("administrator")
    answer = await administrator.post("/devices", json={"did": fresh(), "unit_id": 1} | change)
    assert answer.status_code == status, answer.text


async def test_an_administrator_of_a_squad_makes_devices_of_that_squad_only(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator", unit=3)
    assert (await administrator.post("/devices", json={"did": fresh(), "unit_id": 2})).status_code == 404
    assert (await administrator.post("/devices", json={"did": fresh(), "unit_id": 3})).status_code == 201


async def test_a_tracker_writes_for_itself_and_for_nobody_else(platform: Platform, broker: TestBroker) -> None:
    administrator = await platform.sign_in("administrator")
    did = fresh()
    made = (await administrator.post("/devices", json={"did": did, "unit_id": 1})).json()
    async with Session(broker.device(did, made["password"]), SessionOptions(client_id=did)) as phone:
        await phone.wait_connected()
        await phone.publish(f"owntracks/{did}/phone", LOCATION)
        for topic in ("owntracks/other/phone", f"owntracks/{did}", f"owntracks/{did}/phone/x"):
            with pytest.raises(TransportError):
                await phone.publish(topic, LOCATION)
        with pytest.raises(TransportError):
            await phone.subscribe(Subscription(topic="owntracks/+/+"))
