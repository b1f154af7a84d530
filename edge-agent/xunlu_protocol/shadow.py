"""Shadow configuration: desired by the server (`dn/shadow`) and reported by the device (`up/shadow`), both retained."""

import hashlib
from typing import Annotated, Self

from pydantic import Field

from xunlu_protocol.base import Wire

IntervalSeconds = Annotated[float, Field(ge=0.2, le=3600)]


class RecorderConfig(Wire):
    """How a recorder reports.

    Attributes:
        still_s: seconds between fixes while standing.
        moving_s: while moving.
        recording_s: while recording.
        sos_s: while an SOS is on.
        telemetry_s: seconds between telemetry messages without change.
        hdop_max: a fix with a larger HDOP is held back.
        satellites_min: a fix with fewer satellites is held back.
        thumbnail_s: seconds between two `up/thumb`; 0 sends none.
        low_battery_percent: below it, `low_batt` is raised once.
        low_storage_mb: below it, `storage` is raised once.
    """

    still_s: IntervalSeconds = 15
    moving_s: IntervalSeconds = 5
    recording_s: IntervalSeconds = 2
    sos_s: IntervalSeconds = 1
    telemetry_s: Annotated[float, Field(ge=1, le=3600)] = 60
    hdop_max: Annotated[float, Field(ge=0.5, le=50)] = 8
    satellites_min: Annotated[int, Field(ge=3, le=20)] = 4
    thumbnail_s: Annotated[float, Field(ge=0, le=3600)] = 60
    low_battery_percent: Annotated[float, Field(ge=0, le=100)] = 20
    low_storage_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 2048

    @property
    def fingerprint(self) -> str:
        """Short hash that birth and shadow carry."""
        return hashlib.sha256(self.encode()).hexdigest()[:16]


class Shadow(Wire):
    """A version and a configuration; the desired one wins when its version is not the reported one.

    Attributes:
        version: counts the desired configurations of the device, from 1.
        config: the whole configuration.
        why: `up/shadow` only: why a desired version was not taken over.
    """

    version: Annotated[int, Field(ge=0)]
    config: RecorderConfig
    why: Annotated[str, Field(max_length=500)] | None = None

    @classmethod
    def initial(cls) -> Self:
        """What a device without any desired configuration runs."""
        return cls(version=0, config=RecorderConfig())
