"""What the API says and does while the broker is away."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase, free_ports

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    """With nobody at the broker's address."""
    [nobody] = free_ports(1)
    async with running_platform(database, broker, broker_port=nobody) as running:
        await running.sql(
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) values"
            " ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved'),"
            " ('R2', 'main', 2, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'pending')"
        )
        yield running


async def test_the_health_page_names_the_broker_and_the_rest_goes_on(platform: Platform) -> None:
    health = await platform.client.get("/healthz")
    assert health.status_code == 503
    assert (health.json()["checks"]["broker"]["ok"], health.json()["checks"]["database"]["ok"]) == (False, True)
    assert (await platform.client.get("/readyz")).status_code == 200
    dispatcher = await platform.sign_in("dispatcher")
    assert len((await dispatcher.get("/devices")).json()["items"]) == 2


async def test_a_command_that_cannot_be_sent_says_so_at_once(platform: Platform) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    command = (await dispatcher.post("/devices/R1/commands", json={"name": "photo"})).json()
    assert command["state"] == "failed"
    assert "broker" in command["why"]


async def test_an_approval_that_the_broker_cannot_take_changes_nothing(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    answer = await administrator.post("/devices/R2/approve")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/broker-unreachable")
    assert (await administrator.get("/devices/R2")).json()["status"] == "pending"
    configured = await administrator.put("/devices/R1/shadow", json={"config": {}})
    assert configured.status_code == 503
    assert (await administrator.get("/devices/R1")).json()["shadow"]["desired_version"] == 0
    assert (await administrator.get("/audit")).json()["items"] == []
