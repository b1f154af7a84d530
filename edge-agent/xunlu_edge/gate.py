"""The quality gate: which fixes deserve to be reported."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from xunlu_edge.gnss.epoch import Epoch
from xunlu_protocol.shadow import RecorderConfig

GateReason = Literal["no_fix", "estimated", "no_time", "repeated", "satellites", "hdop", "null_island", "jump"]

# Receivers that know no date say 1980 (the GPS epoch) or 1999 (its first roll-over).
EARLIEST_MS = 1_000_000_000_000
SPEED_MAX_MPS = 100.0
# A receiver that stays at a new place was wrong before, not now.
JUMPS_BELIEVED = 3
METRES_PER_DEGREE = 111_195.0
# Metres of accuracy for each unit of HDOP, single and differential.
ERROR_M = 5.0
ERROR_DIFFERENTIAL_M = 2.5
ERROR_RTK_M = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Fix:
    """An epoch that passed the gate: time and place are there.

    Attributes:
        utc_ms: UTC of the fix, milliseconds.
        lat: degrees north, WGS-84.
        lon: degrees east, WGS-84.
        accuracy_m: estimated horizontal accuracy (one sigma).
        epoch: everything else the receiver said.
    """

    utc_ms: int
    lat: float
    lon: float
    accuracy_m: float
    epoch: Epoch


class Gate:
    """Holds back what would lie on the map, and counts why.

    Attributes:
        held_back: epochs held back, by reason.
    """

    def __init__(self) -> None:
        self.held_back: Counter[GateReason] = Counter()
        self._last: Fix | None = None
        self._jumps = 0

    def judge(self, epoch: Epoch, config: RecorderConfig) -> Fix | None:
        """The fix of an epoch, or None with its reason counted."""
        if (reason := self._reason(epoch, config)) is not None:
            self.held_back[reason] += 1
            return None
        fix = _fix_of(epoch)
        if self._is_jump(fix):
            self._jumps += 1
            if self._jumps < JUMPS_BELIEVED:
                self.held_back["jump"] += 1
                return None
        self._jumps = 0
        self._last = fix
        return fix

    def _reason(self, epoch: Epoch, config: RecorderConfig) -> GateReason | None:
        checks: tuple[tuple[GateReason, bool], ...] = (
            ("no_fix", epoch.quality == 0 or epoch.lat is None or epoch.lon is None),
            ("estimated", epoch.quality in (6, 7, 8)),
            ("no_time", epoch.utc_ms is None or epoch.utc_ms < EARLIEST_MS),
            ("repeated", self._last is not None and epoch.utc_ms == self._last.utc_ms),
            ("satellites", epoch.satellites < config.satellites_min),
            ("hdop", epoch.hdop is not None and epoch.hdop > config.hdop_max),
            ("null_island", epoch.lat == 0 and epoch.lon == 0),
        )
        return next((reason for reason, holds in checks if holds), None)

    def _is_jump(self, fix: Fix) -> bool:
        if self._last is None:
            return False
        elapsed_s = abs(fix.utc_ms - self._last.utc_ms) / 1000
        allowed_m = SPEED_MAX_MPS * elapsed_s + fix.accuracy_m + self._last.accuracy_m
        return distance_m(self._last.lat, self._last.lon, fix.lat, fix.lon) > allowed_m


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two near points on a sphere (equirectangular; 0.5 % below 100 km)."""
    east = (lon2 - lon1 + 180) % 360 - 180
    return METRES_PER_DEGREE * math.hypot(lat2 - lat1, east * math.cos(math.radians((lat1 + lat2) / 2)))


def _fix_of(epoch: Epoch) -> Fix:
    assert epoch.utc_ms is not None
    assert epoch.lat is not None
    assert epoch.lon is not None
    error_m = {2: ERROR_DIFFERENTIAL_M, 4: ERROR_RTK_M, 5: ERROR_RTK_M}.get(epoch.quality, ERROR_M)
    hdop = epoch.hdop if epoch.hdop is not None else 2.0
    return Fix(
        utc_ms=epoch.utc_ms,
        lat=epoch.lat,
        lon=epoch.lon,
        accuracy_m=round(max(hdop, 0.5) * error_m, 1),
        epoch=epoch,
    )
