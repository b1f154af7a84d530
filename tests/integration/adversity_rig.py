"""A worker under attack: floods that leave others their time, and a log that must stay short."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from tests.integration.ingest_rig import eventually
from tests.media import Relay, running_relay
from tests.media_client import figures
from tests.services import TestBroker

LOG_LINES_MAX = 60
TURN_DATAGRAMS = 100
TURN_S = 0.01


@contextlib.asynccontextmanager
async def quiet_relay(broker: TestBroker, folder: Path, **settings: Any) -> AsyncIterator[Relay]:
    """A worker; whatever a test does to it, its log stays short and tells of no mistake."""
    async with running_relay(broker, folder, **settings) as one:
        yield one
    said = one.log.read_text("utf-8")
    assert "Traceback" not in said
    assert len(said.splitlines()) <= LOG_LINES_MAX


async def paced(send: Callable[[bytes], object], datagrams: Iterable[bytes]) -> None:
    """Send and let other tasks run between so many datagrams; a flood that blocks the test floods nobody."""
    for number, datagram in enumerate(datagrams, 1):
        send(datagram)
        if number % TURN_DATAGRAMS == 0:
            await asyncio.sleep(TURN_S)


async def counted(relay: Relay, name: str, more: float) -> None:
    """Wait until a counter of the worker stands so high."""

    async def there() -> bool:
        return bool((await figures(relay))[name] >= more)

    await eventually(there)
