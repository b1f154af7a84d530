"""Location: a fix, in the names of OwnTracks (booklet, `_type=location`), so that its clients work unchanged.

Coordinates are WGS-84 degrees; CGCS2000 agrees with it to centimetres. A missing fix is telemetry, not a location.
"""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, Sequence, SessionCounter, UtcSeconds, Wire, decode_json
from xunlu_protocol.errors import ProtocolError

LOCATIONS_PER_MESSAGE_MAX = 50

Constellation = Literal["BDS", "GPS", "GLONASS", "GALILEO", "QZSS", "NAVIC"]


class Location(Wire):
    """One fix.

    Attributes:
        kind: always `location`.
        lat: degrees north, WGS-84.
        lon: degrees east, WGS-84.
        tst: UTC seconds of the fix, never of sending.
        acc: horizontal accuracy, metres.
        alt: metres above mean sea level.
        vac: vertical accuracy, metres.
        vel: speed over ground, km/h (OwnTracks' unit).
        cog: course over ground, degrees from north.
        batt: battery, percent.
        bs: 0 unknown, 1 unplugged, 2 charging, 3 full.
        conn: `w` Wi-Fi, `m` mobile, `o` offline.
        t: what caused the report (`p` ping, `u` manual, `t` timer …).
        tms: the fix time in milliseconds; when absent, `tst` · 1000.
        sid: session counter, kept across reboots; 0 for plain devices.
        seq: sequence within the session; None lets the fix time identify the fix.
        hist: back-filled.
        fix: 0 none, 1 single, 2 differential, 4 RTK fixed, 5 RTK float (NMEA 0183 GGA quality).
        sat: satellites used.
        bds: Beidou satellites used.
        sys: constellations used.
        hdop: horizontal dilution of precision.
        rec: id of the recording that was running.
    """

    kind: Literal["location"] = Field(alias="_type")
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    tst: UtcSeconds
    acc: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    alt: Annotated[float, Field(ge=-1000, le=100_000)] | None = None
    vac: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    vel: Annotated[float, Field(ge=-1, le=5000)] | None = None
    cog: Annotated[float, Field(ge=0, le=360)] | None = None
    batt: Annotated[float, Field(ge=0, le=100)] | None = None
    bs: Annotated[int, Field(ge=0, le=3)] | None = None
    conn: Annotated[str, Field(max_length=4)] | None = None
    t: Annotated[str, Field(max_length=4)] | None = None
    tms: Annotated[int, Field(ge=0, le=32_503_680_000_000)] | None = None
    sid: SessionCounter = 0
    seq: Sequence | None = None
    hist: bool | None = None
    fix: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8] | None = None
    sat: Annotated[int, Field(ge=0, le=200)] | None = None
    bds: Annotated[int, Field(ge=0, le=200)] | None = None
    sys: Annotated[tuple[Constellation, ...], Field(max_length=6)] | None = None
    hdop: Annotated[float, Field(ge=0, le=100)] | None = None
    rec: Identifier | None = None

    @property
    def fix_ms(self) -> int:
        """UTC milliseconds of the fix."""
        return self.tms if self.tms is not None else self.tst * 1000

    @property
    def sequence(self) -> int:
        """What identifies the fix within its session: `seq`, or the fix time where the device keeps no sequence."""
        return self.seq if self.seq is not None else self.fix_ms


@dataclass(frozen=True, slots=True)
class Decoded:
    """A payload's locations and what was wrong with the others."""

    locations: list[Location]
    errors: list[ProtocolError]


def decode_locations(payload: bytes) -> Decoded:
    """Parse one location or an array of at most 50; a bad element never costs its neighbours.

    Raises:
        ProtocolError: the payload as a whole is unusable (reason `size`, `json`, `type` or `count`).
    """
    value = decode_json(payload)
    elements: SequenceOf[object] = value if isinstance(value, list) else [value]
    if len(elements) > LOCATIONS_PER_MESSAGE_MAX:
        raise ProtocolError("count", f"{len(elements)} locations in one message; at most {LOCATIONS_PER_MESSAGE_MAX}.")
    decoded = Decoded([], [])
    for element in elements:
        try:
            decoded.locations.append(Location.parse(element))
        except ProtocolError as error:
            decoded.errors.append(error)
    return decoded


def encode_locations(locations: SequenceOf[Location]) -> bytes:
    """Serialise an array for `up/loc/hist` (or `up/loc`)."""
    return b"[" + b",".join(location.encode() for location in locations) + b"]"
