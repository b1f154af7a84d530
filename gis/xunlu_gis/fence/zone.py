"""A zone: a shape, a rule, and a validity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence.schedule import Schedule
from xunlu_gis.fence.shape import Shape

ZoneKind = Literal["responsibility", "post", "forbidden", "watch", "patrol"]
EventKind = Literal["enter", "leave", "dwell"]

ALARM_ON: Final[Mapping[ZoneKind, EventKind]] = {
    "responsibility": "leave",
    "post": "leave",
    "forbidden": "enter",
    "watch": "enter",
}
"""What alarms by kind; the line of a patrol alarms nobody. A stay beyond `dwell_s_max` alarms in every kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """One version of a zone: an edit is a new version with an id of its own, and begins with initial states.

    Attributes:
        id: of the version.
        kind: what is expected of people there.
        shape: where it is.
        valid_from_ms: UTC, included.
        valid_to_ms: UTC, excluded; None while it is the newest.
        schedule: when it is in force within its validity; None: always.
        dwell_s_max: a longer stay is an event of its own; None: nobody stays too long.
    """

    id: int
    kind: ZoneKind
    shape: Shape
    valid_from_ms: int
    valid_to_ms: int | None = None
    schedule: Schedule | None = None
    dwell_s_max: float | None = None

    def __post_init__(self) -> None:
        if self.dwell_s_max is not None and not 0 < self.dwell_s_max < float("inf"):
            raise ZoneError(f"The longest stay of zone {self.id} must be a positive number of seconds.")
