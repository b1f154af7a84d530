"""A track by columns: a million fixes are arrays, not objects."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from xunlu_gis.plane import Floats
from xunlu_gis.track.point import TrackPoint

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

UNKNOWN: Final = -1
"""Of `fix` and `sat` where the device said nothing."""

ACCURACY_DEFAULT_M: Final = 15.0
ACCURACY_MIN_M: Final = 3.0
RANGE_ERROR_M: Final = 5.0
"""User equivalent range error: metres of accuracy for each unit of HDOP."""
ACCURACY_MAX_M: Final = 20_037_509.0
"""Half the equator: nothing on Earth is farther off."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Track:
    """Fixes of one device in the order in which they are to be believed; every column has the shape (n,).

    Attributes:
        time_ms: UTC milliseconds of the fix.
        lon: degrees east, WGS-84.
        lat: degrees north, WGS-84.
        accuracy_m: horizontal; NaN where unknown, as the next three.
        speed_mps: over ground.
        course_deg: from north.
        hdop: horizontal dilution of precision.
        fix: NMEA 0183 GGA quality, or `UNKNOWN`.
        sat: satellites used, or `UNKNOWN`.
        sid: session of the device; 0 where it keeps none.
        seq: sequence within the session.
        received_ms: UTC milliseconds of arrival; the fix time where nobody recorded it.
    """

    time_ms: Ints
    lon: Floats
    lat: Floats
    accuracy_m: Floats
    speed_mps: Floats
    course_deg: Floats
    hdop: Floats
    fix: Ints
    sat: Ints
    sid: Ints
    seq: Ints
    received_ms: Ints

    @classmethod
    def of(cls, time_ms: npt.ArrayLike, lon: npt.ArrayLike, lat: npt.ArrayLike, **more: npt.ArrayLike | None) -> Self:
        """From columns; what is not given is unknown.

        Args:
            time_ms: one for each fix.
            lon: one for each fix.
            lat: one for each fix.
            more: other columns by name.

        Raises:
            ValueError: columns differ in length.
            TypeError: no column has such a name.
        """
        times = np.asarray(time_ms, dtype=np.int64)
        given = {"time_ms": times, "lon": lon, "lat": lat, **more}
        columns: dict[str, Any] = {one.name: _column(one.name, given.pop(one.name, None), times) for one in fields(cls)}
        if given:
            raise TypeError(f"A track has no column {', '.join(given)}.")
        return cls(**columns)

    @classmethod
    def of_points(cls, points: Sequence[TrackPoint]) -> Self:
        """From rows, in their order."""
        names = [one.name for one in fields(cls) if one.name not in {"time_ms", "received_ms"}]
        columns = {name: [getattr(point, name) for point in points] for name in names}
        times = [round(point.fix_time.timestamp() * 1000) for point in points]
        received = [round(point.received_at.timestamp() * 1000) for point in points]
        for name in ("fix", "sat"):
            columns[name] = [UNKNOWN if value is None else value for value in columns[name]]
        return cls.of(times, received_ms=received, **columns)

    def __len__(self) -> int:
        return len(self.time_ms)

    def __getitem__(self, chosen: slice | Ints | Bools) -> Self:
        """Some of the fixes: a slice, indices or a mask."""
        return type(self)(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    def joined(self, after: Self) -> Self:
        """With fixes that follow."""
        both = {one.name: (getattr(self, one.name), getattr(after, one.name)) for one in fields(self)}
        return type(self)(**{name: np.concatenate(columns) for name, columns in both.items()})

    @property
    def degrees(self) -> Floats:
        """Longitudes and latitudes, (n, 2)."""
        return np.column_stack((self.lon, self.lat))

    @property
    def time_s(self) -> Floats:
        """Fix times as UTC seconds."""
        return self.time_ms / 1000

    @property
    def likely_accuracy_m(self) -> Floats:
        """The device's own; else from the dilution of precision, at least 3 m; else 15 m; at most half the equator."""
        guessed = np.maximum(ACCURACY_MIN_M, RANGE_ERROR_M * np.minimum(self.hdop, ACCURACY_MAX_M))
        guessed = np.where(np.isfinite(guessed), guessed, ACCURACY_DEFAULT_M)
        likely = np.where(np.isfinite(self.accuracy_m) & (self.accuracy_m >= 0), self.accuracy_m, guessed)
        return np.minimum(likely, ACCURACY_MAX_M)


_INTEGERS: Final = {"fix": UNKNOWN, "sat": UNKNOWN, "sid": 0, "seq": 0}


def _column(name: str, values: npt.ArrayLike | None, times: Ints) -> Ints | Floats:
    if values is None and name == "received_ms":
        return times
    whole = name in _INTEGERS or name.endswith("_ms")
    if values is None:
        values = np.full(len(times), _INTEGERS.get(name, np.nan))
    column: Ints | Floats = np.asarray(values, dtype=np.int64) if whole else np.asarray(values, dtype=np.float64)
    if column.shape != times.shape:
        raise ValueError(f"{name} has {len(column)} values for {len(times)} fixes.")
    return column
