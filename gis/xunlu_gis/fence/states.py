"""Where devices stand towards their zones: a value that goes in and comes out of `Fences.evaluate`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from xunlu_gis.errors import ZoneError

Rows = npt.NDArray[np.void]

NEVER_MS: Final = -(1 << 60)

OUTSIDE, ENTERING, INSIDE, LEAVING = range(4)
"""Phases of a visit. Nothing is kept of whoever is outside."""

DEVICE: Final = np.dtype(
    [("device", "i8"), ("heard_ms", "i8"), ("believed_ms", "i8"), ("lon", "f8"), ("lat", "f8")]
)  # fmt: skip
"""Last fix heard, its place, and last fix that was confident."""

PRESENCE: Final = np.dtype(
    [
        ("device", "i8"), ("zone", "i8"), ("phase", "i1"), ("entered_ms", "i8"), ("warned", "?"),
        ("since_ms", "i8"), ("fixes", "i8"), ("lon", "f8"), ("lat", "f8"),
    ]
)  # fmt: skip
"""A visit: `since_ms`, `lon`, `lat` are the first fix of the entering or leaving that is not confirmed yet, `fixes` how
many there are; `warned`: the dwell event is out."""


def _none(dtype: np.dtype[np.void]) -> Rows:
    return np.empty(0, dtype=dtype)


@dataclass(frozen=True, kw_only=True, slots=True)
class States:
    """States of any number of devices.

    Attributes:
        devices: rows of `DEVICE`, in order of device.
        presences: rows of `PRESENCE`, in order of device and zone.
    """

    devices: Rows = field(default_factory=lambda: _none(DEVICE))
    presences: Rows = field(default_factory=lambda: _none(PRESENCE))

    @classmethod
    def resting(cls, device: int, heard_ms: int, lon: float, lat: float) -> Self:
        """The state after a silence longer than `FenceRules.gap_s`, whatever was before: outside of everything.

        A stretch may be looked at again from such a silence, if no late fix falls into it.
        """
        return cls(devices=np.array([(device, heard_ms, heard_ms, lon, lat)], dtype=DEVICE))

    @classmethod
    def from_json(cls, states: Mapping[int, Any]) -> Self:
        """Read what `as_json` gave, by device.

        Raises:
            ZoneError: it is something else.
        """
        try:
            devices = [(device, *states[device]["heard"]) for device in sorted(states)]
            presences = [(device, *row) for device in sorted(states) for row in states[device]["zones"]]
            return cls(devices=np.array(devices, dtype=DEVICE), presences=np.array(presences, dtype=PRESENCE))
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise ZoneError("A stored state of zones cannot be read; delete it, and it begins anew.") from error

    def as_json(self) -> dict[int, dict[str, Any]]:
        """By device, `{"heard": [ms, ms, lon, lat], "zones": [[zone, phase, …], …]}`; a hundred bytes or two each."""
        states: dict[int, dict[str, Any]] = {
            device: {"heard": heard, "zones": []} for device, *heard in self.devices.tolist()
        }
        for device, *row in self.presences.tolist():
            states[device]["zones"].append(row)
        return states

    def inside(self) -> dict[int, dict[int, int]]:
        """Who is where: by device and zone, UTC milliseconds of entering; somebody who is leaving is still inside."""
        found: dict[int, dict[int, int]] = {}
        here = self.presences[self.presences["phase"] >= INSIDE]
        for device, zone, entered_ms in here[["device", "zone", "entered_ms"]].tolist():
            found.setdefault(device, {})[zone] = entered_ms
        return found
