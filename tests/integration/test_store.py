"""The store against the real database: what its callers may rely on."""

import asyncio

import pytest

from tests.services import TestDatabase
from xunlu_platform.store.store import SYSTEM, Store

pytestmark = pytest.mark.integration

TURNS_MAX = 40


async def test_whoever_is_cancelled_while_waiting_for_a_connection_ends(database: TestDatabase) -> None:
    """In whichever turn of the loop it happens, the one in which the connection is handed over among them."""
    async with Store(database.dsn("jobs"), connections_max=1) as store:

        async def wait_and_go_on() -> None:
            async with store.session(SYSTEM):
                pass
            await asyncio.Event().wait()

        for turns in range(TURNS_MAX):
            async with store.session(SYSTEM):
                waiting = asyncio.create_task(wait_and_go_on())
                await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            done, _ = await asyncio.wait([waiting], timeout=20)
            assert done, f"cancelled after {turns} turns, it went on"
