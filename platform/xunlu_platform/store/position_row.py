"""A fix on its way into the database."""

from datetime import datetime
from typing import NamedTuple

POSITION_TYPES = (
    "int8", "timestamptz", "int8", "int8", "timestamptz", "float8", "float8", "float4", "float4", "float4", "float4",
    "float4", "float4", "int2", "int2", "int2", "bool", "text",
)  # fmt: skip


class PositionRow(NamedTuple):
    """A row of `position`, in the order of `copy_positions`."""

    device_id: int
    fix_at: datetime
    sid: int
    seq: int
    received_at: datetime
    lat: float
    lon: float
    alt_m: float | None
    speed_mps: float | None
    course_deg: float | None
    accuracy_m: float | None
    hdop: float | None
    battery_percent: float | None
    fix: int | None
    sat: int | None
    bds: int | None
    late: bool
    rec: str | None
