"""Fixes by columns, as fences read them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xunlu_gis.errors import ZoneError
from xunlu_gis.plane import Floats

Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]

TIME_MS_MAX = 1 << 53


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixes:
    """Fixes of one or many devices, in any order.

    Attributes:
        device: whose, (n,).
        time_ms: UTC of the fix, never of its arrival, (n,).
        lon: degrees east, WGS-84, (n,).
        lat: degrees north, WGS-84, (n,).
        accuracy_m: NaN where the receiver gave none, (n,).
        confident: False: heard, but moves nothing (`track.clean` says why), (n,).
    """

    device: Times
    time_ms: Times
    lon: Floats
    lat: Floats
    accuracy_m: Floats
    confident: Flags

    @classmethod
    def of(
        cls,
        device: npt.ArrayLike,
        time_ms: npt.ArrayLike,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        accuracy_m: npt.ArrayLike | None = None,
        confident: npt.ArrayLike | None = None,
    ) -> Self:
        """Make columns of anything that numpy reads; a single `device` stands for all.

        Raises:
            ZoneError: the columns have different lengths.
        """
        times = np.asarray(time_ms, dtype=np.int64).ravel()
        columns: dict[str, Any] = {
            "device": np.broadcast_to(np.asarray(device, dtype=np.int64), times.shape) if np.ndim(device) == 0
            else np.asarray(device, dtype=np.int64),
            "time_ms": times,
            "lon": np.asarray(lon, dtype=float),
            "lat": np.asarray(lat, dtype=float),
            "accuracy_m": np.full(len(times), np.nan) if accuracy_m is None else np.asarray(accuracy_m, dtype=float),
            "confident": np.ones(len(times), bool) if confident is None else np.asarray(confident, dtype=bool),
        }  # fmt: skip
        if any(column.shape != times.shape for column in columns.values()):
            raise ZoneError("Columns of fixes must have equal lengths.")
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.time_ms)

    def __getitem__(self, which: Any) -> "Fixes":  # noqa: ANN401  whatever indexes an array
        return Fixes(
            device=self.device[which],
            time_ms=self.time_ms[which],
            lon=self.lon[which],
            lat=self.lat[which],
            accuracy_m=self.accuracy_m[which],
            confident=self.confident[which],
        )

    @property
    def usable(self) -> Flags:
        """Which fixes say where and when at all."""
        placed = (np.abs(self.lon) <= 180) & (np.abs(self.lat) <= 90)
        return placed & (self.time_ms >= 0) & (self.time_ms < TIME_MS_MAX)

    def in_order(self) -> "Fixes":
        """By device and time, equal times by place, so that no order of arrival shows; the first of equal times."""
        ordered = self[np.lexsort((self.lat, self.lon, self.time_ms, self.device))]
        again = (np.diff(ordered.device) == 0) & (np.diff(ordered.time_ms) == 0)
        return ordered[np.concatenate(([True], ~again))] if again.any() else ordered
