"""A track as a map draws it, by columns: an officer-day without 17,280 points as objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from xunlu_gis.plane import Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Fixes in order of time.

    Attributes:
        times: UTC seconds, (n,).
        degrees: longitudes and latitudes, WGS-84, (n, 2).
        speeds_mps: over ground, None where the receiver gave none.
    """

    times: Floats
    degrees: Floats
    speeds_mps: Sequence[float | None]

    @classmethod
    def of(cls, rows: Sequence[Sequence[float | None]]) -> Self:
        """From rows that begin with UTC second, longitude, latitude, speed; what follows is left out."""
        times, lons, lats, speeds, *_ = zip(*rows, strict=True) if rows else ((),) * 4
        degrees = np.array((lons, lats), dtype=float).T
        return cls(times=np.array(times, dtype=float), degrees=degrees, speeds_mps=speeds)
