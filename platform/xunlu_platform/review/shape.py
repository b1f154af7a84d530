"""The shape of a stretch of track: what is drawn of it, where somebody stopped, how far and how long they moved.

Every piece but one that begins after a break starts with the last fix before it. So shapes of neighbouring times fit
together where their ends are equal, whoever made them and when, and nothing is ever drawn across a break.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

import numpy as np

from xunlu_gis.plane import Floats
from xunlu_gis.track import DEFAULT, LEVELS_M, Track, breaks, clean, kept_in_time, stops, trips
from xunlu_gis.track.piece import step_lengths_m
from xunlu_gis.track.track import Ints

BEFORE_MS: Final = 900_000
"""Fixes so long before a time show whether its first one goes on from somewhere."""
AFTER_MS: Final = 300_000
"""Fixes so long after a time show a stop that ends there."""

POINT: Final = np.dtype([("t_ms", "<i4"), ("lon", "<i4"), ("lat", "<i4"), ("speed", "<u2")])
"""How points lie in the database: milliseconds after the hour, 1e-7 degrees, cm/s or `SPEED_UNKNOWN`."""
SPEED_UNKNOWN: Final = 0xFFFF
DEGREE: Final = 1e7


class Ends(NamedTuple):
    """Session and sequence of the first and of the last fix of a piece, which tell what lies between two of them."""

    first_sid: int
    first_seq: int
    last_sid: int
    last_seq: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Piece:
    """An unbroken way; columns have the shape (n,), n at least 1.

    Attributes:
        late: whether it was back-filled.
        ends: of the fixes before any simplification.
        time_ms: UTC milliseconds in order.
        lon: degrees east, WGS-84.
        lat: degrees north, WGS-84.
        speed_mps: over ground, NaN where unknown.
    """

    late: bool
    ends: Ends
    time_ms: Ints
    lon: Floats
    lat: Floats
    speed_mps: Floats

    def joined(self, after: "Piece") -> "Piece":
        """With a piece that begins where this one ends."""
        return Piece(
            late=self.late,
            ends=Ends(*self.ends[:2], *after.ends[2:]),
            time_ms=np.concatenate((self.time_ms, after.time_ms[1:])),
            lon=np.concatenate((self.lon, after.lon[1:])),
            lat=np.concatenate((self.lat, after.lat[1:])),
            speed_mps=np.concatenate((self.speed_mps, after.speed_mps[1:])),
        )

    def since(self, at_ms: int) -> "Piece":
        """Without what lies before a moment within it; it then begins on the way between two fixes."""
        first = int(np.searchsorted(self.time_ms, at_ms, side="right"))

        def cut(column: Floats) -> Floats:
            return np.concatenate(([np.interp(at_ms, self.time_ms, column)], column[first:]))

        times = np.concatenate(([at_ms], self.time_ms[first:]))
        lon, lat, speed_mps = cut(self.lon), cut(self.lat), cut(self.speed_mps)
        return Piece(late=self.late, ends=self.ends, time_ms=times, lon=lon, lat=lat, speed_mps=speed_mps)


class Stop(NamedTuple):
    """A stop, UTC milliseconds and WGS-84 degrees."""

    from_ms: int
    to_ms: int
    lon: float
    lat: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shape:
    """Of a stretch of time.

    Attributes:
        pieces: in order of time.
        stops: in order of time, cut at the ends of the time.
        length_m: geodesic, of the believed fixes; the step to the first fix counts here, that from the last one later.
        moving_s: between stops, without what lies across breaks.
    """

    pieces: tuple[Piece, ...] = ()
    stops: tuple[Stop, ...] = ()
    length_m: float = 0.0
    moving_s: float = 0.0

    @property
    def points(self) -> int:
        """How many points are drawn."""
        return sum(len(piece.time_ms) for piece in self.pieces)

    def packed(self, since_ms: int) -> dict[str, Any]:
        """Columns of `track_piece`, with times relative to a moment at most 24 days away."""
        points = [_pack(piece, since_ms) for piece in self.pieces]
        return {
            "points": b"".join(points),
            "pieces": [[len(piece.time_ms), piece.late, *piece.ends] for piece in self.pieces],
            "stops": [[one.from_ms - since_ms, one.to_ms - since_ms, one.lon, one.lat] for one in self.stops],
            "length_m": self.length_m,
            "moving_s": self.moving_s,
        }

    @classmethod
    def unpacked(cls, row: dict[str, Any], since_ms: int) -> Self:
        """From columns of `track_piece`."""
        points = np.frombuffer(row["points"], POINT)
        pieces, first = [], 0
        for count, late, *ends in row["pieces"]:
            pieces.append(_unpack(points[first : first + count], since_ms, late, Ends(*ends)))
            first += count
        stopped = [Stop(since_ms + begin, since_ms + end, lon, lat) for begin, end, lon, lat in row["stops"]]
        return cls(pieces=tuple(pieces), stops=tuple(stopped), length_m=row["length_m"], moving_s=row["moving_s"])


def _pack(piece: Piece, since_ms: int) -> bytes:
    points = np.empty(len(piece.time_ms), POINT)
    points["t_ms"] = piece.time_ms - since_ms
    points["lon"], points["lat"] = np.round(piece.lon * DEGREE), np.round(piece.lat * DEGREE)
    speed = np.clip(np.round(piece.speed_mps * 100), 0, SPEED_UNKNOWN - 1)
    points["speed"] = np.where(np.isfinite(speed), speed, SPEED_UNKNOWN)
    return points.tobytes()


def _unpack(points: Any, since_ms: int, late: bool, ends: Ends) -> Piece:  # noqa: ANN401  a structured array
    speed = np.where(points["speed"] == SPEED_UNKNOWN, np.nan, points["speed"] / 100)
    lon, lat = points["lon"] / DEGREE, points["lat"] / DEGREE
    times = points["t_ms"].astype(np.int64) + since_ms
    return Piece(late=late, ends=ends, time_ms=times, lon=lon, lat=lat, speed_mps=speed)


def shapes(track: Track, from_ms: int, to_ms: int, bounds_m: Sequence[float] = LEVELS_M) -> list[Shape]:
    """The shape of a time on each level.

    Args:
        track: fixes of one device in order of fix time, with those `BEFORE_MS` and `AFTER_MS` around.
        from_ms: UTC milliseconds, included.
        to_ms: UTC milliseconds, excluded.
        bounds_m: of the simplification; 0 keeps every believed fix.
    """
    # Most hours without a shape have no fix either, only some around them: these need no cleaning.
    if np.equal(*np.searchsorted(track.time_ms, (from_ms, to_ms))):
        return [Shape() for _ in bounds_m]
    whole = clean(track).cleaned
    low, high = np.searchsorted(whole.time_ms, (from_ms, to_ms)).tolist()
    if low == high:
        return [Shape() for _ in bounds_m]
    broken = np.zeros(len(whole), dtype=bool)
    broken[[one.before + 1 for one in breaks(whole)]] = True
    broken[0] = True
    steps = np.concatenate(((0.0,), step_lengths_m(whole.degrees)))
    stopped = stops(whole)
    moved_ms = sum(max(0, min(way.to_ms, to_ms) - max(way.from_ms, from_ms)) for way in trips(whole, stopped))
    measured = Shape(
        stops=tuple(_clipped((Stop(s.from_ms, s.to_ms, s.lon, s.lat) for s in stopped), from_ms, to_ms)),
        length_m=float(steps[low:high][~broken[low:high]].sum()),
        moving_s=moved_ms / 1000,
    )
    runs = _runs(whole, broken, low, high)
    return [replace(measured, pieces=tuple(_piece(run, late, bound) for run, late in runs)) for bound in bounds_m]


def _runs(track: Track, broken: Any, low: int, high: int) -> list[tuple[Track, bool]]:  # noqa: ANN401  booleans, (n,)
    """The unbroken ways with one lateness among the fixes `low` to before `high`, each with the fix it goes on from."""
    late = track.received_ms - track.time_ms > DEFAULT.late_s * 1000
    changes = np.flatnonzero(broken[low + 1 : high] | (late[low + 1 : high] != late[low : high - 1])) + low + 1
    begins = [low, *changes.tolist()]
    return [
        (track[first if broken[first] else first - 1 : end], bool(late[first]))
        for first, end in zip(begins, [*begins[1:], high], strict=True)
    ]


def _piece(run: Track, late: bool, bound_m: float) -> Piece:
    ends = Ends(int(run.sid[0]), int(run.seq[0]), int(run.sid[-1]), int(run.seq[-1]))
    kept = run[kept_in_time(run, bound_m)]
    return Piece(late=late, ends=ends, time_ms=kept.time_ms, lon=kept.lon, lat=kept.lat, speed_mps=kept.speed_mps)


def _clipped(stopped: Iterable[Stop], from_ms: int, to_ms: int) -> list[Stop]:
    cut = (one._replace(from_ms=max(one.from_ms, from_ms), to_ms=min(one.to_ms, to_ms)) for one in stopped)
    return [one for one in cut if one.to_ms > one.from_ms]
