"""When a visit begins and ends."""

from dataclasses import dataclass, fields
from math import isfinite

from xunlu_gis.errors import ZoneError


@dataclass(frozen=True, kw_only=True, slots=True)
class FenceRules:
    """Hysteresis by distance and by confirmation, so that a fix that jumps neither alarms nor ends a visit.

    Attributes:
        enter_fixes: so many fixes in a row inside confirm that somebody entered …
        enter_s: … or fixes inside over so many seconds.
        leave_fixes: so many fixes in a row outside of the grown zone confirm that somebody left …
        leave_s: … if they also span so many seconds.
        band_m: how far a zone is grown before somebody counts as outside; the accuracy of a fix where that is more.
        accuracy_max_m: a fix that is less accurate is heard but moves nothing.
        accuracy_default_m: of a fix that names none.
        gap_s: a longer silence ends a visit at the last fix before it.
    """

    enter_fixes: int = 2
    enter_s: float = 10.0
    leave_fixes: int = 2
    leave_s: float = 20.0
    band_m: float = 15.0
    accuracy_max_m: float = 50.0
    accuracy_default_m: float = 15.0
    gap_s: float = 600.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isfinite(value) and 0 <= value <= 86_400):
                raise ZoneError(f"{field.name}={value} must lie between 0 and 86400.")
        if self.enter_fixes < 1 or self.leave_fixes < 1:
            raise ZoneError("enter_fixes and leave_fixes must be at least 1.")
