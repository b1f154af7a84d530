"""The fleet in memory: the newest of every device, and who wants to hear what changed.

Frames of the ingest workers change it at once; reading everything again from the database twice a minute makes good
whatever frame or notice was lost. One task owns it; viewers only read.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from xunlu_kit.clock import Clock
from xunlu_kit.mqtt import Message
from xunlu_platform.api.fleet_device import POSITION_FIELDS, Device, changed_fields, device_of, interval_s_of
from xunlu_platform.api.lately import Lately
from xunlu_platform.api.movements import Fields, Happening, Movements
from xunlu_platform.dispatch.floors import Floors
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.errors import StoreError
from xunlu_platform.store.fleet import read_alarms, read_commands, read_devices, read_events
from xunlu_platform.store.store import Row, Store
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.fleet import FleetFrame, Notice

log = logging.getLogger(__name__)

TICK_S = 0.1
HEAL_S = 30.0
FRAMES_WAITING_MAX = 2000
CLOSED_ALARMS_KEPT_S = 2 * 3600


@dataclass(slots=True)
class Alarm(Happening):
    """One alarm, open or closed a short while ago."""

    changed_ms: int


class Viewer(Protocol):
    """Somebody who wants to hear what changed.

    Attributes:
        account_id: whose stream it is.
    """

    account_id: int

    def device_changed(self, device: Device, change: Fields) -> None:
        """A device has new values in some fields; called once a tick at most."""

    def alarm_changed(self, alarm: Alarm) -> None:
        """An alarm is new or changed."""

    def moved(self, movements: Sequence[Happening] | None) -> None:
        """Some came or went, or did not after all; None: more than can be told."""

    def told(self, path: str, message: Fields) -> None:
        """An event, a step of a command, a change of the organisation, or a device that left the unit `path`."""

    def tick(self) -> None:
        """That was all for now."""


@dataclass(slots=True)
class _Notices:
    """What is to be read again at the next tick."""

    devices: set[str] = field(default_factory=set)
    everything: bool = False
    alarms: set[int] = field(default_factory=set)
    events: set[int] = field(default_factory=set)
    movements: set[int] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    zones: bool = False


class Fleet:
    """Owner of what is known of every device.

    Attributes:
        devices: by name.
        alarms: by id.
        lately: what viewers were told.
        began_ms: when this process read everything; a cursor from before it is too old.
        dropped: frames that came faster than they could be read.
    """

    def __init__(self, store: Store, clock: Clock, relays: Relays, floors: Floors) -> None:
        self.devices: dict[str, Device] = {}
        self.alarms: dict[int, Alarm] = {}
        self.lately = Lately()
        self.began_ms = 0
        self.dropped = 0
        self._store = store
        self._clock = clock
        self._movements = Movements(store)
        self._told = (relays, floors)
        self._viewers: set[Viewer] = set()
        self._frames: list[bytes] = []
        self._changes: dict[str, Fields] = {}
        self._notices = _Notices()
        self._healed_s = 0.0

    def join(self, viewer: Viewer) -> None:
        """Hear what changes from now on."""
        self._viewers.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Hear nothing any more."""
        self._viewers.discard(viewer)

    def streams_of(self, account_id: int) -> int:
        """How many viewers of an account listen now."""
        return sum(viewer.account_id == account_id for viewer in self._viewers)

    def receive(self, message: Message) -> None:
        """Take a fleet frame; it is read at the next tick."""
        if len(self._frames) >= FRAMES_WAITING_MAX:
            self.dropped += 1
            return
        self._frames.append(message.payload)

    async def run(self) -> None:
        """Keep the fleet up to date, for ever."""
        while True:
            try:
                await self._turn()
            except StoreError as error:
                log.warning("fleet not read", extra={"error": str(error)})
            for viewer in self._viewers:
                viewer.tick()
            await asyncio.sleep(TICK_S)

    async def _turn(self) -> None:
        frames, self._frames = self._frames, []
        for payload in frames:
            self._apply(payload)
            # A frame is a few milliseconds: whoever asks for a page meanwhile does not wait for all of them.
            await asyncio.sleep(0)
        if self._clock.monotonic_s() - self._healed_s > HEAL_S:
            await self.refresh()
        await self._follow_notices()
        for source in self._told:
            for did in source.take_changed():
                if device := self.devices.get(did):
                    self._update(device, source.fields(did))
        changes, self._changes = self._changes, {}
        for did, change in changes.items():
            if device := self.devices.get(did):
                for viewer in self._viewers:
                    viewer.device_changed(device, change)

    # -- frames -------------------------------------------------------------------------------------------------------

    def _apply(self, payload: bytes) -> None:
        try:
            frame = FleetFrame.decode(payload)
        except ProtocolError as error:
            log.warning("frame not understood", extra={"reason": error.reason})
            return
        for change in frame.devices:
            if device := self.devices.get(change.did):
                self._update(device, changed_fields(device, change))
        for notice in frame.notices:
            self._note(notice)

    def _note(self, notice: Notice) -> None:
        notices = self._notices
        match notice.what:
            case "device":
                notices.devices.add(notice.did or notice.id)
            case "organisation":
                notices.everything = True
            case "zone":
                notices.zones = True
            case "alarm" if notice.id.isdecimal():
                notices.alarms.add(int(notice.id))
            case "event" if notice.id.isdecimal():
                notices.events.add(int(notice.id))
            case "movement" if notice.id.isdecimal():
                notices.movements.add(int(notice.id))
            case "command":
                notices.commands.add(notice.id)

    def _update(self, device: Device, fields: Fields) -> None:
        changed = {name: value for name, value in fields.items() if device.fields.get(name) != value}
        if not changed:
            return
        device.fields.update(changed)
        interval_s = interval_s_of(device)
        if interval_s != device.fields.get("interval_s"):
            changed["interval_s"] = device.fields["interval_s"] = interval_s
        self._changed(device, changed)

    def _changed(self, device: Device, fields: Fields) -> None:
        device.changed_ms = self._clock.time_ms()
        self._changes.setdefault(device.did, {}).update(fields)

    # -- what the database knows --------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Read everything again.

        Raises:
            StoreError: the database does not answer.
        """
        began_ms = self._clock.time_ms()
        self._take_rows(await read_devices(self._store), every=True)
        alarms = await read_alarms(self._store)
        closed = [number for number, alarm in self.alarms.items() if is_open(alarm)]
        gone = set(closed) - {row["id"] for row in alarms}
        self._take_alarms(alarms + (await read_alarms(self._store, gone) if gone else []))
        self._tell_movements(await self._movements.unannounced())
        self.began_ms = self.began_ms or began_ms
        self._healed_s = self._clock.monotonic_s()

    async def _follow_notices(self) -> None:
        notices = self._notices
        if notices.everything:
            self._take_rows(await read_devices(self._store), every=True)
            self._tell("/", {"type": "organisation"})
        elif notices.devices:
            rows = await read_devices(self._store, notices.devices)
            self._take_rows(rows)
            self._drop(notices.devices - {row["did"] for row in rows})
        if notices.alarms:
            self._take_alarms(await read_alarms(self._store, notices.alarms))
        if notices.movements:
            self._tell_movements(await self._movements.announced(notices.movements))
        for row in await read_events(self._store, notices.events) if notices.events else ():
            self._tell_of(row["did"], {"type": "event", "event": row})
        for row in await read_commands(self._store, notices.commands) if notices.commands else ():
            self._tell_of(row["did"], {"type": "command", "command": row})
        if notices.zones:
            self._tell("/", {"type": "zones"})
        # Only now: what could not be read is read at the next turn.
        self._notices = _Notices()

    def _take_rows(self, rows: Iterable[Row], *, every: bool = False) -> None:
        seen = set()
        for row in rows:
            seen.add(row["did"])
            fresh = device_of(row)
            for source in self._told:
                fresh.fields |= source.fields(fresh.did)
            known = self.devices.get(row["did"])
            if known is None:
                self.devices[fresh.did] = fresh
                self._changed(fresh, fresh.fields)
            else:
                self._merge(known, fresh)
        if every:
            self._drop(self.devices.keys() - seen)

    def _merge(self, known: Device, fresh: Device) -> None:
        """The database is right about everything but what a frame told a moment ago."""
        known.config = fresh.config
        if known.path != fresh.path:
            # To a viewer of the old unit it has gone, to one of the new it is new.
            self._tell_gone(known)
            known.path = fresh.path
            self._changed(known, known.fields)
        fields = dict(fresh.fields)
        if (known.fields.get("tms") or 0) > (fields.get("tms") or 0):
            fields = {name: value for name, value in fields.items() if name not in POSITION_FIELDS | {"rec"}}
        if known.st_sid > fresh.st_sid:
            fields = {name: value for name, value in fields.items() if name not in ("st", "st_ms", "why")}
        fields["sos"] = known.fields.get("sos")
        self._update(known, fields)

    def _drop(self, dids: Iterable[str]) -> None:
        for did in list(dids):
            if device := self.devices.pop(did, None):
                self._tell_gone(device)

    def _take_alarms(self, rows: Iterable[Row]) -> None:
        now_ms = self._clock.time_ms()
        for row in rows:
            path, fields = alarm_fields(row)
            known = self.alarms.get(row["id"])
            if known is not None and known.fields == fields:
                continue
            alarm = self.alarms[row["id"]] = Alarm(path, row["zone_path"], fields, now_ms)
            self._mark_sos(alarm)
            for viewer in self._viewers:
                viewer.alarm_changed(alarm)
        kept_ms = now_ms - CLOSED_ALARMS_KEPT_S * 1000
        self.alarms = {n: one for n, one in self.alarms.items() if is_open(one) or one.changed_ms > kept_ms}

    def _mark_sos(self, alarm: Alarm) -> None:
        device = self.devices.get(alarm.fields["did"])
        if device is None or alarm.fields["kind"] != "sos":
            return
        ids = (
            number
            for number, one in self.alarms.items()
            if one.fields["did"] == device.did and one.fields["kind"] == "sos" and is_open(one)
        )
        self._update(device, {"sos": max(ids, default=None)})

    def _tell_movements(self, movements: Sequence[Happening] | None) -> None:
        for viewer in self._viewers:
            viewer.moved(movements)

    def _tell_of(self, did: str, message: Fields) -> None:
        if device := self.devices.get(did):
            self._tell(device.path, message)

    def _tell_gone(self, device: Device) -> None:
        self._tell(device.path, {"type": "gone", "did": device.did})

    def _tell(self, path: str, message: Fields) -> None:
        self.lately.add(self._clock.time_ms(), path, message)
        for viewer in self._viewers:
            viewer.told(path, message)


def is_open(alarm: Alarm) -> bool:
    """Whether somebody still has to do something about it."""
    return alarm.fields["state"] in ("new", "acknowledged")


def alarm_fields(row: Row) -> tuple[str, Fields]:
    """Unit path and what consoles are told of a row of `fleet.alarms`."""
    hidden = ("officer_", "unit_", "path", "zone_path")
    fields = {name: value for name, value in row.items() if not name.startswith(hidden)}
    named = row["officer_id"] is not None
    fields["officer"] = (
        {"id": row["officer_id"], "number": row["officer_number"], "name": row["officer_name"]} if named else None
    )
    fields["unit"] = {"id": row["unit_id"], "name": row["unit_name"]}
    return row["path"], fields
