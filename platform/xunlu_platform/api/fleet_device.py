"""One device as consoles are told of it: from its row in the database, and from the frames that change it."""

from dataclasses import dataclass

from xunlu_platform.api.movements import Fields
from xunlu_platform.store.store import Row
from xunlu_protocol.fleet import FleetDevice
from xunlu_protocol.shadow import RecorderConfig

LOST = "lost"
"""Why a device is offline whose connection broke."""
MOVING_MPS = 1.0

# Fields that a map thins out; any other change goes to everybody who may see the device.
POSITION_FIELDS = frozenset({"lat", "lon", "tms", "acc", "spd", "cog", "sat", "bds"})


@dataclass(slots=True)
class Device:
    """One device.

    Attributes:
        path: unit path, for the scope.
        fields: what consoles are told, by the names of docs/api.md.
        st_sid: session of the availability.
        config: its reported configuration, None for plain devices.
        changed_ms: UTC milliseconds of the last change.
    """

    path: str
    fields: Fields
    st_sid: int = 0
    config: RecorderConfig | None = None
    changed_ms: int = 0

    @property
    def did(self) -> str:
        """Its name."""
        return str(self.fields["did"])


def changed_fields(device: Device, change: FleetDevice) -> Fields:
    """A frame's values in the names of the event stream, without what is older than what is known."""
    given = change.model_dump(exclude_unset=True)
    fields: Fields = {}
    if change.tms is not None and change.tms >= (device.fields.get("tms") or 0):
        names = (("lat", "lat"), ("lon", "lon"), ("tms", "tms"), ("acc", "acc"), ("speed", "spd"), ("cog", "cog"))
        fields |= {ours: given[theirs] for theirs, ours in (*names, ("sat", "sat"), ("bds", "bds")) if theirs in given}
        if device.fields["why"] == LOST and change.tms > device.fields["st_ms"]:
            # It came over another connection than the lost one, whose word a worker may tell last.
            fields |= {"st": "online", "st_ms": change.tms, "why": None}
    if change.st is not None and (change.st_sid or 0) >= device.st_sid:
        device.st_sid = change.st_sid or 0
        fields |= {"st": change.st, "st_ms": change.st_tms, "why": change.why}
    if "rec" in given:
        fields["rec"] = change.rec or None
    return fields | {name: given[name] for name in ("batt", "tele") if name in given}


_STATIC = ("did", "kind", "num", "name", "py", "unit", "serial")
_MOVING = ("lat", "lon", "tms", "acc", "spd", "cog", "sat", "bds", "st", "st_ms", "why", "rec", "tele")


def device_of(row: Row) -> Device:
    """A device as the database tells of it: a row of `fleet.devices`."""
    tele = row["tele"] or {}
    fields = {name: row[name] for name in (*_STATIC, *_MOVING)}
    fields |= {"batt": tele.get("batt"), "sos": None, "interval_s": None, "live": None, "srec": False, "talk": None}
    config = RecorderConfig.model_validate_json(row["config"]) if row["config"] else None
    device = Device(row["path"], fields, row["st_sid"] or 0, config)
    fields["interval_s"] = interval_s_of(device)
    return device


def interval_s_of(device: Device) -> float | None:
    """How often the device reports now, by its own configuration; the slower one of two when in doubt."""
    config, fields = device.config, device.fields
    if config is None:
        return None
    if fields.get("sos"):
        return config.sos_s
    if fields.get("rec"):
        return config.recording_s
    return config.moving_s if (fields.get("spd") or 0) > MOVING_MPS else max(config.still_s, config.moving_s)
