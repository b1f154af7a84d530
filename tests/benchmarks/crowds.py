"""Ten thousand officers on foot, seen from the server's end: reports for ingest, or frames as ingest tells them on."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence

from tests.benchmarks.bureau import TENANT, Bureau
from tests.processes import running
from xunlu_kit.mqtt import Session, SessionOptions
from xunlu_protocol.fleet import FleetDevice, FleetFrame
from xunlu_protocol.topics import fleet
from xunlu_sim.bulk import BulkDevice, crowd

ACCOUNT = "xunlu-api"
FRAME_DEVICES = 400
FOREVER_S = 86_400


@contextlib.asynccontextmanager
async def reporting(bureau: Bureau) -> AsyncIterator[None]:
    """Every device reports once a second at QoS 1, and a real worker stores it and tells the API: the whole way."""
    command = ["--broker", f"{bureau.broker.host}:{bureau.broker.port}", "--username", ACCOUNT]
    command += ["--password-file", str(bureau.broker.secrets / "mqtt-api"), "--seconds", str(FOREVER_S)]
    command += ["--devices", str(len(bureau.dids)), "--per-s", str(len(bureau.dids))]
    environment = dict(os.environ)
    async with bureau.ingesting(), running("xunlu_sim", "bulk", *command, environment=environment):
        yield


@contextlib.asynccontextmanager
async def framed(bureau: Bureau) -> AsyncIterator[None]:
    """The API hears of every device once a second, as from workers on machines of their own."""
    options = SessionOptions(client_id="bench-frames")
    async with Session(bureau.broker.account(ACCOUNT), options) as session, asyncio.TaskGroup() as tasks:
        await session.wait_connected()
        task = tasks.create_task(_send_frames(session, crowd(bureau.dids)), name="frames")
        yield
        task.cancel()


async def _send_frames(session: Session, devices: Sequence[BulkDevice]) -> None:
    """Frames of `FRAME_DEVICES` in turn, evenly over the second."""
    parts = [devices[start : start + FRAME_DEVICES] for start in range(0, len(devices), FRAME_DEVICES)]
    due_s = time.monotonic()
    while True:
        for part in parts:
            now_ms = time.time_ns() // 1_000_000
            frame = FleetFrame(devices=tuple(_told(device, now_ms) for device in part))
            await session.publish(fleet(TENANT, "bench"), frame.model_dump_json(exclude_unset=True).encode(), qos=0)
            due_s += 1 / len(parts)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))


def _told(device: BulkDevice, now_ms: int) -> FleetDevice:
    fix = device.next_fix(now_ms)
    return FleetDevice(
        did=device.did, lat=fix.lat, lon=fix.lon, tms=fix.tms, acc=fix.acc, speed=1.25, cog=fix.cog, sat=fix.sat,
        bds=fix.bds,
    )  # fmt: skip
