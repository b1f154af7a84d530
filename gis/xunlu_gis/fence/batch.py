"""Fixes in order, beside what was known of their devices before: one batch of `Fences.evaluate`."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from xunlu_gis.fence.fixes import Fixes, Flags, Numbers, Times
from xunlu_gis.fence.ordered import located
from xunlu_gis.fence.rules import FenceRules
from xunlu_gis.fence.states import DEVICE, NEVER_MS, Rows, States
from xunlu_gis.fence.visit import Place
from xunlu_gis.plane import Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Columns of n fixes and of their g devices.

    Attributes:
        fixes: in order of device and time, each later than what its device's state has heard.
        devices: ids in order, (g,).
        known: rows of `states.DEVICE` before the batch, `NEVER_MS` for a device without state, (g,).
        start: index of the first fix of each device, (g,).
        end: index after its last, (g,).
        group: number of the device of each fix, (n,).
        accuracy_m: of each fix, the default where it names none, (n,).
        believed: which fixes move states, (n,).
        before_ms: time of the fix heard before each, `NEVER_MS` without one, (n,).
        believed_before_ms: time of the believed fix before each, `NEVER_MS` without one, (n,).
        silence: which fixes end a silence, (n,).
    """

    fixes: Fixes
    devices: Times
    known: Rows
    start: Numbers
    end: Numbers
    group: Numbers
    accuracy_m: Floats
    believed: Flags
    before_ms: Times
    believed_before_ms: Times
    silence: Flags

    @classmethod
    def of(cls, fixes: Fixes, states: States, rules: FenceRules) -> Self:
        """Look up what is known; `fixes` holds at least one."""
        times = fixes.time_ms
        new = np.concatenate(([True], np.diff(fixes.device) != 0))
        (start,) = np.nonzero(new)
        group = np.cumsum(new) - 1
        devices = fixes.device[start]
        known = known_rows(states, devices)
        given = np.isfinite(fixes.accuracy_m) & (fixes.accuracy_m >= 0)
        accuracy_m = np.where(given, fixes.accuracy_m, rules.accuracy_default_m)
        believed = fixes.confident & (accuracy_m <= rules.accuracy_max_m)
        before_ms = np.concatenate(([NEVER_MS], times[:-1]))
        before_ms[start] = known["heard_ms"]
        index = np.maximum.accumulate(np.where(believed, np.arange(len(times)), -1))
        last = np.concatenate(([-1], index[:-1]))
        believed_before_ms = np.where(last >= start[group], times[last], known["believed_ms"][group])
        return cls(
            fixes=fixes,
            devices=devices,
            known=known,
            start=start,
            end=np.concatenate((start[1:], [len(times)])),
            group=group,
            accuracy_m=accuracy_m,
            believed=believed,
            before_ms=before_ms,
            believed_before_ms=believed_before_ms,
            silence=(before_ms != NEVER_MS) & (times - before_ms > rules.gap_s * 1000),
        )

    @property
    def last_ms(self) -> Times:
        """Time of each device's last fix, (g,)."""
        return self.fixes.time_ms[self.end - 1]

    def per_device(self, flags: Flags) -> Times:
        """How many fixes of each device are flagged, (g,)."""
        return np.add.reduceat(flags.astype(np.int64), self.start)

    def place(self, index: int) -> Place:
        """When and where a fix was."""
        fixes = self.fixes
        return Place(int(fixes.time_ms[index]), float(fixes.lon[index]), float(fixes.lat[index]))

    def place_before(self, index: int) -> Place | None:
        """The fix of the same device heard before one; None when it is its first."""
        group = self.group[index]
        if index > self.start[group]:
            return self.place(index - 1)
        row = self.known[group]
        return None if row["heard_ms"] == NEVER_MS else place_of(row)

    def heard(self) -> Rows:
        """What is known of the devices after the batch, rows of `states.DEVICE`."""
        rows = np.empty(len(self.devices), dtype=DEVICE)
        last = self.end - 1
        rows["device"], rows["heard_ms"] = self.devices, self.last_ms
        rows["lon"], rows["lat"] = self.fixes.lon[last], self.fixes.lat[last]
        rows["believed_ms"] = np.where(self.believed[last], self.last_ms, self.believed_before_ms[last])
        return rows


def place_of(row: Any) -> Place:  # noqa: ANN401  a row of a structured array
    """When and where a device was last heard, from a row of `states.DEVICE`."""
    return Place(int(row["heard_ms"]), float(row["lon"]), float(row["lat"]))


def known_rows(states: States, devices: Times) -> Rows:
    """Rows of `states.DEVICE` for some devices, in any order; `NEVER_MS` for those without a state."""
    rows = np.zeros(len(devices), dtype=DEVICE)
    rows["device"], rows["heard_ms"], rows["believed_ms"] = devices, NEVER_MS, NEVER_MS
    at, found = located(states.devices["device"], devices)
    rows[found] = states.devices[at[found]]
    return rows
