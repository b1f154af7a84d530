"""Fixtures for everybody: the real database and the real broker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.services import (
    Services,
    TestBroker,
    TestDatabase,
    forget_retained,
    fresh_database,
    make_template,
    running_services,
)
from xunlu_protocol.topics import PREFIX


@pytest_asyncio.fixture(scope="session")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """Database server and broker, for the whole session; not crash-safe, because that is slow."""
    async with running_services(tmp_path_factory.mktemp("services"), durable=False) as running:
        await make_template(running)
        yield running


@pytest_asyncio.fixture
async def database(services: Services) -> AsyncIterator[TestDatabase]:
    """A fresh, migrated database of this test alone."""
    async with fresh_database(services) as fresh:
        yield fresh


@pytest.fixture
def broker(services: Services) -> TestBroker:
    """The broker; shared, so tests use device names of their own."""
    return services.test_broker


@pytest_asyncio.fixture
async def quiet_net(broker: TestBroker) -> None:
    """No talk group, floor or invitation of an earlier test is retained: the broker is shared, units are numbered."""
    await forget_retained(broker, f"{PREFIX}/main/ptt/#", f"{PREFIX}/main/g/+/floor", f"{PREFIX}/main/d/+/dn/talk")
