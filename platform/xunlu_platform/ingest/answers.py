"""What goes out after a commit: confirmations to the devices, frames to the API processes."""

import asyncio
import logging
from collections.abc import Iterable

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session
from xunlu_platform.ingest.metrics import Metrics
from xunlu_platform.store.arrivals import Held, Outcome
from xunlu_protocol.confirm import RANGES_MAX, Confirmation
from xunlu_protocol.fleet import FleetDevice, FleetFrame, Notice
from xunlu_protocol.topics import down, fleet

log = logging.getLogger(__name__)

CONFIRMATION_EXPIRY_S = 120
CONFIRMATIONS_AT_ONCE = 200
FRAME_DEVICES_MAX = 400
PENDING_CONFIRMATIONS_MAX = 100_000
PENDING_NOTICES_MAX = 10_000


class Confirmations:
    """Tells each device what the database holds, at most once an interval; the newest word replaces the one before."""

    def __init__(self, session: Session, metrics: Metrics, tenant: str, interval_s: float) -> None:
        self._session = session
        self._metrics = metrics
        self._tenant = tenant
        self._interval_s = interval_s
        self._due: dict[tuple[str, int], Held] = {}

    def add(self, names: dict[int, str], held: Iterable[Held]) -> None:
        """Note what a commit left behind. Beyond the bound a device is confirmed when it next sends."""
        for one in held:
            key = names[one.device_id], one.sid
            if key in self._due or len(self._due) < PENDING_CONFIRMATIONS_MAX:
                self._due[key] = one

    async def run(self) -> None:
        """Send what is due, for ever."""
        while True:
            await asyncio.sleep(self._interval_s)
            due, self._due = list(self._due.items()), {}
            for start in range(0, len(due), CONFIRMATIONS_AT_ONCE):
                part = due[start : start + CONFIRMATIONS_AT_ONCE]
                results = await asyncio.gather(*(self._send(*entry) for entry in part), return_exceptions=True)
                if failed := [result for result in results if isinstance(result, BaseException)]:
                    # A device that hears nothing sends again, and is confirmed then.
                    log.warning("confirmations not sent", extra={"count": len(failed), "error": str(failed[0])})

    async def _send(self, key: tuple[str, int], held: Held) -> None:
        did, sid = key
        confirmation = Confirmation(sid=sid, upto=held.upto, missing=held.missing[:RANGES_MAX])
        if len(held.missing) > RANGES_MAX:
            # What cannot be listed is not confirmed: the rest comes when these are filled.
            confirmation = confirmation.model_copy(update={"upto": held.missing[RANGES_MAX][0] - 1})
        topic = down(self._tenant, did, "ack")
        await self._session.publish(topic, confirmation.encode(), expiry_s=CONFIRMATION_EXPIRY_S)
        self._metrics.confirmations.inc()


class Frames:
    """Coalesces what changed; the newest of each device, a few times a second."""

    def __init__(self, session: Session, metrics: Metrics, tenant: str, source: str, interval_s: float) -> None:
        self._session = session
        self._metrics = metrics
        self._topic = fleet(tenant, source)
        self._interval_s = interval_s
        self._devices: dict[str, FleetDevice] = {}
        self._notices: dict[Notice, None] = {}

    def add(self, devices: dict[str, FleetDevice], outcome: Outcome, names: dict[int, str]) -> None:
        """Note what a commit changed."""
        for did, change in devices.items():
            before = self._devices.get(did)
            self._devices[did] = _newer(before, change) if before is not None else change
        notices = [Notice(what="event", id=str(number), did=names[device]) for device, number in outcome.events]
        notices += [Notice(what="alarm", id=str(number), did=names[device]) for device, number in outcome.alarms]
        notices += [Notice(what="movement", id=str(number), did=names[device]) for device, number in outcome.movements]
        notices += [Notice(what="command", id=rid, did=names[device]) for device, rid in outcome.commands]
        for notice in notices[: PENDING_NOTICES_MAX - len(self._notices)]:
            self._notices[notice] = None

    async def run(self) -> None:
        """Send frames, for ever."""
        while True:
            await asyncio.sleep(self._interval_s)
            if not self._session.connected:
                continue
            devices, self._devices = list(self._devices.values()), {}
            notices, self._notices = tuple(self._notices), {}
            for start in range(0, len(devices), FRAME_DEVICES_MAX):
                await self._send(FleetFrame(devices=tuple(devices[start : start + FRAME_DEVICES_MAX])))
            for start in range(0, len(notices), FRAME_DEVICES_MAX):
                await self._send(FleetFrame(notices=notices[start : start + FRAME_DEVICES_MAX]))

    async def _send(self, frame: FleetFrame) -> None:
        try:
            await self._session.publish(self._topic, frame.model_dump_json(exclude_unset=True).encode(), qos=0)
            self._metrics.frames.inc()
        except TransportError as error:
            # The API reads everything again from the database within seconds.
            log.debug("frame not sent", extra={"error": str(error)})


def _newer(before: FleetDevice, change: FleetDevice) -> FleetDevice:
    if before.tms is not None and change.tms is not None and change.tms < before.tms:
        return before
    return before.model_copy(update=change.model_dump(exclude_unset=True))
