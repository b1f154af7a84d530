"""What one console is told: limited to its scope and its map, and to a number of bytes a second.

States, alarms and selected devices always go out. Positions queue, the one that has waited longest first, and each is
merged with what waits already; so the bound costs freshness on a full map, never memory and never a state. Comings and
goings leave in their order, so many a tick; of more than can wait a desk learns only that it has to read again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter
from pydantic_core import to_json

from xunlu_platform.api.fleet import Alarm, Fleet, is_open
from xunlu_platform.api.fleet_device import POSITION_FIELDS, Device
from xunlu_platform.api.movements import Fields, Happening
from xunlu_platform.store.store import Scope

BYTES_PER_TICK = 16_000
MESSAGES_WAITING_MAX = 1000
MOVEMENTS_WAITING_MAX = 1000
MOVEMENTS_PER_TICK = 40
SELECTED_MAX = 200
VIEW_MARGIN = 0.3
# Of a device outside the map the desk learns this often that it still reports, so that it can tell who went silent.
PULSE_TICKS = 100

Longitude = Annotated[float, Field(ge=-540, le=540)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


class View(BaseModel):
    """What the map shows; a map that crosses the date line has longitudes beyond 180."""

    type: Literal["view"]
    bbox: tuple[Longitude, Latitude, Longitude, Latitude]
    zoom: Annotated[float, Field(ge=0, le=30)] = 0
    selected: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=SELECTED_MAX)] = []


class Ping(BaseModel):
    """To measure the link."""

    type: Literal["ping"]
    t: float


Asked: TypeAdapter[View | Ping] = TypeAdapter(Annotated[View | Ping, Field(discriminator="type")])


class FleetViewer:
    """The side of one console in the fleet; `wait` and `take` are called by its connection.

    Attributes:
        account_id: whose console it is.
        overflowed: more messages waited than the bound; the connection must end and resume.
    """

    def __init__(self, fleet: Fleet, account_id: int, scope: Scope) -> None:
        self.account_id = account_id
        self.overflowed = False
        self._fleet = fleet
        self._scope = scope
        self._view: View | None = None
        self._bounds = (-540.0, -90.0, 540.0, 90.0)
        self._selected: frozenset[str] = frozenset()
        self._urgent: dict[str, Fields] = {}
        self._queued: dict[str, Fields] = {}
        self._hidden: set[str] = set()
        self._unpulsed: set[str] = set()
        self._ticks = 0
        self._gone: set[str] = set()
        self._alarms: dict[int, Fields] = {}
        # None: the desk is to read again. It begins so, because nobody knows what came before.
        self._movements: dict[str, Fields] | None = None
        self._messages: list[Fields] = []
        self._ticked = asyncio.Event()

    # -- called by the fleet ------------------------------------------------------------------------------------------

    def device_changed(self, device: Device, change: Fields) -> None:
        """Queue a change, or remember that it is withheld."""
        did = device.did
        if not self._scope.sees(device.path):
            return
        self._gone.discard(did)
        if did in self._selected or not POSITION_FIELDS.issuperset(change):
            self._put(self._urgent, did, self._queued.pop(did, {}) | change)
        elif self._shows(device):
            self._put(self._queued, did, change)
        else:
            self._hidden.add(did)
            self._unpulsed.add(did)

    def alarm_changed(self, alarm: Alarm) -> None:
        """Queue an alarm."""
        if fields := alarm.seen_by(self._scope):
            self._alarms[fields["id"]] = fields

    def moved(self, movements: Sequence[Happening] | None) -> None:
        """Queue comings and goings."""
        if movements is None or self._movements is None:
            self._movements = None
            return
        self._movements |= {fields["id"]: fields for fields in self._seen(movements)}
        if len(self._movements) > MOVEMENTS_WAITING_MAX:
            self._movements = None

    def told(self, path: str, message: Fields) -> None:
        """Queue a leaving, or a message of its own."""
        if message["type"] not in ("organisation", "zones") and not self._scope.sees(path):
            return
        if message["type"] == "gone":
            for waiting in (self._urgent, self._queued):
                waiting.pop(message["did"], None)
            self._gone.add(message["did"])
        elif len(self._messages) >= MESSAGES_WAITING_MAX:
            self.overflowed = True
        else:
            self._messages.append(message)

    def tick(self) -> None:
        """Wake the connection."""
        self._ticks += 1
        if self._ticks % PULSE_TICKS == 0:
            self._pulse()
        self._ticked.set()

    def _pulse(self) -> None:
        unpulsed, self._unpulsed = self._unpulsed, set()
        for did in unpulsed:
            if device := self._fleet.devices.get(did):
                self._put(self._queued, did, {"tms": device.fields["tms"]})

    # -- called by the connection -------------------------------------------------------------------------------------

    def look(self, view: View) -> None:
        """The map moved: what it shows now and did not get before is queued."""
        west, south, east, north = view.bbox
        wide, high = (east - west) * VIEW_MARGIN, (north - south) * VIEW_MARGIN
        self._view = view
        self._bounds = (west - wide, south - high, east + wide, north + high)
        self._selected = frozenset(view.selected)
        for did in list(self._hidden):
            device = self._fleet.devices.get(did)
            if device is None:
                self._hidden.discard(did)
            elif did in self._selected or self._shows(device):
                self._hidden.discard(did)
                self._put(self._queued, did, {name: device.fields[name] for name in POSITION_FIELDS})

    async def wait(self) -> None:
        """Wait for the end of a tick."""
        await self._ticked.wait()
        self._ticked.clear()

    def snapshot(self, now_ms: int) -> bytes:
        """Everything in scope."""
        devices = [device.fields for device in self._fleet.devices.values() if self._scope.sees(device.path)]
        alarms = self._seen(one for one in self._fleet.alarms.values() if is_open(one))
        told = {"type": "snapshot", "cursor": str(now_ms), "now_ms": now_ms, "devices": devices, "alarms": alarms}
        return to_json(told)

    def resume(self, since_ms: int, now_ms: int) -> bytes:
        """What changed in scope since then, or everything if more was told than is remembered or can wait."""
        told = self._fleet.lately.since(since_ms)
        for path, message in told or ():
            self.told(path, message)
        seen = {did: one for did, one in self._fleet.devices.items() if self._scope.sees(one.path)}
        gone, self._gone = sorted(self._gone - seen.keys()), set()
        if told is None or self.overflowed:
            self._messages, self.overflowed = [], False
            return self.snapshot(now_ms)
        changed = {did: one for did, one in seen.items() if one.changed_ms >= since_ms}
        # What the map of before withheld nobody knows any more: the others come as this one shows them.
        self._hidden = seen.keys() - changed.keys()
        alarms = self._seen(one for one in self._fleet.alarms.values() if is_open(one) or one.changed_ms >= since_ms)
        return self._delta(now_ms, [to_json(one.fields) for one in changed.values()], alarms, gone)

    def take(self, now_ms: int) -> list[bytes]:
        """What is to be sent now."""
        messages, self._messages = self._messages, []
        messages += self._take_movements()
        out = [to_json(message | {"now_ms": now_ms}) for message in messages]
        alarms, self._alarms = list(self._alarms.values()), {}
        gone, self._gone = sorted(self._gone), set()
        devices = self._take_devices()
        if devices or alarms or gone:
            out.append(self._delta(now_ms, devices, alarms, gone))
        return out

    def _take_devices(self) -> list[bytes]:
        urgent, self._urgent = self._urgent, {}
        out = [to_json({"did": did, **change}) for did, change in urgent.items()]
        left = BYTES_PER_TICK - sum(map(len, out))
        while left > 0 and self._queued:
            did = next(iter(self._queued))
            out.append(to_json({"did": did, **self._queued.pop(did)}))
            left -= len(out[-1])
        return out

    def _take_movements(self) -> list[Fields]:
        if self._movements is None:
            self._movements = {}
            return [{"type": "movements", "movements": None}]
        taken = list(self._movements)[:MOVEMENTS_PER_TICK]
        movements = [self._movements.pop(number) for number in taken]
        return [{"type": "movements", "movements": movements}] if movements else []

    def _seen(self, happenings: Iterable[Happening]) -> list[Fields]:
        return [fields for one in happenings if (fields := one.seen_by(self._scope))]

    @staticmethod
    def _delta(now_ms: int, devices: Iterable[bytes], alarms: list[Any], gone: list[str]) -> bytes:
        head = to_json({"type": "delta", "cursor": str(now_ms), "now_ms": now_ms, "alarms": alarms, "gone": gone})
        return head[:-1] + b',"devices":[' + b",".join(devices) + b"]}"

    @staticmethod
    def _put(waiting: dict[str, Fields], did: str, change: Fields) -> None:
        before = waiting.get(did)
        waiting[did] = change if before is None else before | change

    def _shows(self, device: Device) -> bool:
        lat, lon = device.fields["lat"], device.fields["lon"]
        if lat is None or lon is None:
            return False
        west, south, east, north = self._bounds
        return bool(south <= lat <= north) and any(west <= lon + turn <= east for turn in (0, 360, -360))
