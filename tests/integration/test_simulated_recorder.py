"""Simulated recorders, which are real agents, against the whole platform through a network that a test breaks."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, running_platform
from tests.integration.ingest_rig import Rig, eventually, rig
from tests.services import TestBroker, TestDatabase
from xunlu_kit.clock import SystemClock
from xunlu_sim.clock import DriftingClock
from xunlu_sim.fleet import FleetOptions, SimulatedRecorder
from xunlu_sim.impairment import Impairment, impaired
from xunlu_sim.way import Place

pytestmark = pytest.mark.integration

WAIT_S = 40.0


class East:
    """A walk to the east that counts its steps."""

    def __init__(self) -> None:
        self.steps = 0

    def second(self) -> Place:
        self.steps += 1
        return Place(31.23, 121.47, 1.4, 90.0).moved(1.4 * self.steps, 0)


@dataclass
class Street:
    """A recorder on its way, the network it hangs on, and the platform at the other end."""

    recorder: SimulatedRecorder
    way: East
    network: Impairment
    rig: Rig
    administrator: Caller

    @contextlib.asynccontextmanager
    async def walking(self) -> AsyncIterator[str]:
        """Let it walk until the end of the block; it claims its identity and is approved. Gives its name."""
        task = asyncio.create_task(self.recorder.run(), name="recorder")
        try:
            device = await eventually(self._claimed, timeout_s=WAIT_S)
            assert device["status"] == "pending"
            did = str(device["did"])
            assert (await self.administrator.post(f"/devices/{did}/approve")).status_code == 200
            await eventually(lambda: self.rig.positions(did), timeout_s=WAIT_S)
            yield did
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _claimed(self) -> dict[str, Any] | None:
        found = (await self.administrator.get("/devices", params={"q": self.recorder.serial})).json()["items"]
        return found[0] if found else None

    async def steps(self, count: int) -> None:
        """Wait until it has walked some more seconds."""
        goal = self.way.steps + count

        async def there() -> bool:
            return self.way.steps >= goal

        await eventually(there, timeout_s=count + WAIT_S)

    async def events(self, did: str, kind: str) -> list[dict[str, Any]]:
        return await self.rig.rows(
            "select e.* from event e join device d on d.id = e.device_id where d.did = %s and e.type = %s", did, kind
        )

    async def sequences(self, did: str) -> list[int]:
        """All that is stored of the recorder, fixes and events."""
        rows = await self.rig.rows(
            "select p.seq from position p join device d on d.id = p.device_id where d.did = %s"
            " union all select e.seq from event e join device d on d.id = e.device_id where d.did = %s order by seq",
            did,
            did,
        )
        return [row["seq"] for row in rows]


@pytest_asyncio.fixture
async def street(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Street]:
    async with (
        running_platform(database, broker) as platform,
        rig(database, broker) as made,
        made.working(),
        impaired(broker.host, broker.tls_port) as network,
    ):
        options = FleetOptions(
            recorders=1,
            broker_host="127.0.0.1",
            broker_port=network.port,
            ca_file=broker.ca_file,
            claim_file=broker.secrets / "mqtt-claim",
            state=tmp_path,
            calm=True,
        )
        way = East()
        recorder = SimulatedRecorder(1, options, way)
        recorder.serial = f"SIM-{secrets.token_hex(4)}"
        yield Street(recorder, way, network, made, await platform.sign_in("administrator"))


async def test_what_happens_without_a_network_is_back_filled_and_nothing_is_missing(street: Street) -> None:
    async with street.walking() as did:
        street.recorder.kit.keys.press("sos")
        await eventually(lambda: street.events(did, "sos"), timeout_s=WAIT_S)
        before = len(await street.sequences(did))
        await street.network.lose()
        street.recorder.kit.keys.press("mark")
        await street.steps(4)
        assert await street.events(did, "mark") == []
        await street.network.find()
        await eventually(lambda: street.events(did, "mark"), timeout_s=WAIT_S)

        async def whole() -> bool:
            stored = await street.sequences(did)
            return len(stored) > before + 4 and stored == list(range(1, len(stored) + 1))

        await eventually(whole, timeout_s=WAIT_S)
        assert sum(position["late"] for position in await street.rig.positions(did)) >= 2


async def test_a_wrong_clock_and_its_setting_are_reported_and_never_move_a_fix(street: Street) -> None:
    street.recorder.clock = DriftingClock(SystemClock(), offset_ms=90_000)
    async with street.walking() as did:

        async def jumps(count: int) -> list[int] | None:
            told = [event["payload"]["jump_ms"] for event in await street.events(did, "clock")]
            return sorted(told) if len(told) >= count else None

        assert await eventually(lambda: jumps(1), timeout_s=WAIT_S) == [pytest.approx(90_000, abs=2_000)]
        street.recorder.clock.set_right()
        before, _ = await eventually(lambda: jumps(2), timeout_s=WAIT_S)
        assert before == pytest.approx(-90_000, abs=500)
        for position in await street.rig.positions(did):
            assert abs((position["received_at"] - position["fix_at"]).total_seconds()) < 45
