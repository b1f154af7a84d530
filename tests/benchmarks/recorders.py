"""Recorders as processes: what a real agent needs to report to a bureau."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.benchmarks.bureau import Bureau
from xunlu_sim.nmea import epoch
from xunlu_sim.sky import Reception
from xunlu_sim.way import Place

WALK_MPS = 1.3
HOST = "127.0.0.1"
SKY = Reception(east_m=0, north_m=0, hdop=0.8, gps=9, bds=12)
EXPECTED = """
insert into expected_device (serial, vendor, model, unit_id)
  select %s, 'bench', 'agent', id from unit where parent_id is null
"""


def agent_environment(bureau: Bureau, state: Path, serial: str, receiver_port: int, **more: object) -> dict[str, str]:
    """What an agent process of a recorder with this serial finds in its environment.

    Args:
        bureau: that expects it.
        state: its folder.
        serial: of the device.
        receiver_port: of its GNSS receiver.
        more: settings.
    """
    settings = {
        "STATE": state,
        "GNSS": f"tcp://{HOST}:{receiver_port}",
        "BROKER_HOST": bureau.broker.host,
        "BROKER_PORT": bureau.broker.tls_port,
        "BROKER_CA_FILE": bureau.broker.ca_file,
        "CLAIM_PASSWORD_FILE": bureau.broker.secrets / "mqtt-claim",
        "SERIAL": serial,
        "VENDOR": "bench",
        "MODEL": "agent",
    } | {name.upper(): value for name, value in more.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XUNLU_AGENT_")}
    return inherited | {f"XUNLU_AGENT_{name}": str(value) for name, value in settings.items()}


@contextlib.asynccontextmanager
async def walking_receiver() -> AsyncIterator[int]:
    """A receiver on TCP: sentences of somebody who walks east, once a second to each who listens; yields its port."""

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = Place(31.23, 121.47, speed_mps=WALK_MPS, course_deg=90)
        try:
            while True:
                place = place.moved(WALK_MPS, 0)
                writer.write(epoch(time.time_ns() // 1_000_000, place, SKY))
                await writer.drain()
                await asyncio.sleep(1)
        except OSError:
            writer.close()

    server = await asyncio.start_server(speak, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
