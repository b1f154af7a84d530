"""What a receiver makes of a true position: noise, blocked sky, cold starts, re-acquisition.

Figures are fitted to 70 user-days of real tracks (GeoLife 1.3; docs/simulators.md has the numbers): around the smoothed
way the fixes of walkers scatter with 1.2 m a axis; reception breaks 1.5 times an hour, for 300 s in the median with
quartiles of 166 s and 1,000 s; the fixes after a break are off and come back within seconds.
"""

import math
import random
from dataclasses import dataclass

SCATTER_M = 1.2
DRIFT_M = 3.0
DRIFT_TAU_S = 120.0
BREAKS_PER_HOUR = 1.5
BREAK_MEDIAN_S = 300.0
BREAK_LOG_SIGMA = 1.3
BREAK_S_MAX = 1800.0
REACQUIRED_M = 18.0
REACQUIRED_TAU_S = 6.0
COLD_START_S = (20.0, 35.0)


@dataclass(frozen=True, slots=True)
class Reception:
    """One second of a receiver.

    Attributes:
        east_m: how far the measured position is east of the true one.
        north_m: how far north.
        hdop: horizontal dilution of precision.
        gps: GPS satellites used.
        bds: Beidou satellites used.
    """

    east_m: float
    north_m: float
    hdop: float
    gps: int
    bds: int


class Sky:
    """Reception over time; call `second` once for every second of the simulation."""

    def __init__(self, rng: random.Random, *, breaks_per_hour: float = BREAKS_PER_HOUR) -> None:
        self._rng = rng
        self._break_chance = breaks_per_hour / 3600
        self._blocked_s = rng.uniform(*COLD_START_S) if breaks_per_hour else 0.0
        self._drift = [0.0, 0.0]
        self._settling = [0.0, 0.0]

    def block(self, seconds: float) -> None:
        """A tunnel, a basement, a jammer: no fix for a while."""
        self._blocked_s = max(self._blocked_s, seconds)

    def second(self) -> Reception | None:
        """Reception of the next second, None without a fix."""
        if self._blocked_s > 0:
            self._blocked_s -= 1
            if self._blocked_s <= 0:
                self._settling = [self._rng.gauss(0, REACQUIRED_M) for _ in range(2)]
            return None
        if self._rng.random() < self._break_chance:
            length_s = BREAK_MEDIAN_S * math.exp(self._rng.gauss(0, BREAK_LOG_SIGMA))
            self.block(min(BREAK_S_MAX, length_s))
        return self._fix()

    def _fix(self) -> Reception:
        keep = math.exp(-1 / DRIFT_TAU_S)
        for axis in range(2):
            self._drift[axis] = keep * self._drift[axis] + self._rng.gauss(0, DRIFT_M * math.sqrt(1 - keep * keep))
            self._settling[axis] *= math.exp(-1 / REACQUIRED_TAU_S)
        east, north = (d + s + self._rng.gauss(0, SCATTER_M) for d, s in zip(self._drift, self._settling, strict=True))
        lost = math.hypot(*self._settling)
        return Reception(
            east_m=east,
            north_m=north,
            hdop=round(max(0.5, self._rng.gauss(0.9, 0.1) + lost / 10), 1),
            gps=max(3, round(self._rng.gauss(9, 1) - lost / 5)),
            bds=max(3, round(self._rng.gauss(12, 1.5) - lost / 4)),
        )
