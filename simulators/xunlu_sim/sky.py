"""What a receiver makes of a true position: noise, blocked sky, cold starts, re-acquisition.

Figures are fitted to real tracks (GeoLife 1.3; docs/simulators.md has the numbers): around the smoothed way the fixes
of walkers scatter with 1.2 m an axis; reception breaks 1.5 times an hour, for 165, 298 and 1,012 s in the quartiles;
the first fixes after a break are off and come back within seconds. Slow drift and the longest break are assumed.
"""

import math
import random
from dataclasses import dataclass

SCATTER_M = 1.2
DRIFT_M = 3.0
DRIFT_TAU_S = 120.0
BREAKS_PER_HOUR = 1.5
# Shortest, quartiles, longest.
BREAK_QUARTILES_S = (60.0, 165.0, 298.0, 1012.0, 1800.0)
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

    def __init__(
        self,
        rng: random.Random,
        *,
        breaks_per_hour: float = BREAKS_PER_HOUR,
        longest_break_s: float = BREAK_QUARTILES_S[-1],
    ) -> None:
        self._rng = rng
        self._longest_break_s = longest_break_s
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
            self.block(min(self._break_s(), self._longest_break_s))
        return self._fix()

    def _break_s(self) -> float:
        """A length from the quartiles, even in its logarithm between two of them."""
        quarter = self._rng.randrange(4)
        shorter, longer = BREAK_QUARTILES_S[quarter : quarter + 2]
        return math.exp(self._rng.uniform(math.log(shorter), math.log(longer)))

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
