"""An epoch: everything a receiver said about one instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xunlu_protocol.location import Constellation


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """One instant of a receiver, with or without a fix.

    Attributes:
        utc_ms: the receiver's UTC, milliseconds since 1970; None until it has told time and date.
        quality: NMEA 0183 GGA quality: 0 none, 1 single, 2 differential, 4 RTK fixed, 5 RTK float, 6 estimated,
            7 manual, 8 simulator.
        lat: degrees north, WGS-84.
        lon: degrees east, WGS-84.
        alt_m: metres above mean sea level.
        speed_mps: over ground.
        course_deg: over ground, from true north, 0–360.
        hdop: horizontal dilution of precision.
        satellites: used in the fix, all constellations.
        used: satellites used by constellation, as the GSA sentences list them.
    """

    utc_ms: int | None = None
    quality: int = 0
    lat: float | None = None
    lon: float | None = None
    alt_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None
    satellites: int = 0
    used: Mapping[Constellation, int] = field(default_factory=dict)

    @property
    def beidou(self) -> int:
        """Beidou satellites used."""
        return self.used.get("BDS", 0)
