"""Positions as texts of named fields, the way every format but GeoJSON carries them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from xunlu_gis.track.point import TrackPoint

_NAMES: Final = {
    "lat": ("lat", "latitude", "纬度", "y"),
    "lon": ("lon", "lng", "long", "longitude", "经度", "x"),
    "fix_time": ("fix_time", "time_utc", "time", "timestamp", "datetime", "date_time", "tst", "时间", "定位时间"),
    "received_at": ("received_at",),
    "sid": ("sid",),
    "seq": ("seq",),
    "alt_m": ("alt_m", "alt", "altitude", "ele", "elevation", "海拔"),
    "speed_mps": ("speed_mps", "speed", "速度"),
    "course_deg": ("course_deg", "course", "heading", "bearing", "cog", "方向"),
    "accuracy_m": ("accuracy_m", "accuracy", "acc", "精度"),
    "fix": ("fix",),
    "sat": ("sat", "satellites", "卫星数"),
    "bds": ("bds",),
    "hdop": ("hdop",),
    "late": ("late",),
}
"""Fields of a point and what others call them, in lower case; the first that is there counts."""

_MEANS: Final = {name: (rank, field) for field, names in _NAMES.items() for rank, name in enumerate(names)}

EXTRAS: Final = tuple(name for name in TrackPoint._fields if name not in {"fix_time", "lat", "lon"})
"""What a format without columns of its own carries beside time and place."""

Row = dict[str, Any]
"""Fields of a point that are known; and, where the format tells, `piece`, the number of its unbroken stretch, `name` of
the track or device, and `datum` in the words of the file."""


def names_of(field: str) -> tuple[str, ...]:
    """What a field may be called."""
    return _NAMES[field]


def row_of(texts: Mapping[str, str | None]) -> Row:
    """What can be understood of texts by their names, in lower case."""
    ranked: dict[str, tuple[int, str]] = {}
    for name, text in texts.items():
        if text and name in _MEANS:
            rank, field = _MEANS[name]
            if field not in ranked or rank < ranked[field][0]:
                ranked[field] = rank, text
    return _understood((field, text) for field, (_, text) in ranked.items())


def rows_of(names: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[Row]:
    """The same for lines of a table; of two columns that mean one field, the better name counts for all lines."""
    ranked: dict[str, tuple[int, int]] = {}
    for column, name in enumerate(names):
        if name in _MEANS:
            rank, field = _MEANS[name]
            ranked[field] = min(ranked.get(field, (rank, column)), (rank, column))
    columns = [(field, column) for field, (_, column) in ranked.items()]
    for line in lines:
        width = len(line)
        yield _understood((field, line[column]) for field, column in columns if column < width)


def _understood(texts: Iterable[tuple[str, str]]) -> Row:
    return {field: value for field, text in texts if text and (value := _PARSERS.get(field, number)(text)) is not None}


def text_of(value: object) -> str:
    """A field as text, such that `row_of` gives it back; empty for what is not known."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def number(text: str | None) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def instant(text: str | None) -> datetime | None:
    """ISO 8601, or seconds or milliseconds since 1970; without an offset it is UTC."""
    words = (text or "").strip().replace("/", "-")
    try:
        if ":" in words or "-" in words[1:]:
            return aware(datetime.fromisoformat(words))
        since_1970 = float(words)
        return datetime.fromtimestamp(since_1970 / 1000 if since_1970 > 1e11 else since_1970, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def aware(time: datetime) -> datetime:
    """In UTC; a time without an offset is taken for UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _integer(text: str | None) -> int | None:
    """Whole numbers of any size without a detour over floats, which would round a session id."""
    try:
        return int(text or "")
    except ValueError:
        value = number(text)
        return None if value is None else int(value)


def _flag(text: str | None) -> bool | None:
    return None if not text else text.strip().lower() in {"true", "t", "1", "yes"}


_PARSERS: Final[dict[str, Callable[[str | None], object]]] = {
    "fix_time": instant,
    "received_at": instant,
    "sid": _integer,
    "seq": _integer,
    "fix": _integer,
    "sat": _integer,
    "bds": _integer,
    "late": _flag,
}
