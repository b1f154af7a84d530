"""NMEA 0183 to epochs: bytes in, values out, no input or output.

Read: GGA, GNS, RMC, GSA, VTG and ZDA of any talker. Beidou speaks as `GB` (NMEA 0183 v4.11) or `BD` (Chinese practice);
combined receivers as `GN`, with a system id in GSA since v4.11. An epoch is what shares one UTC time, whatever
the order of its sentences.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pynmeagps import NMEAMessage, NMEAReader
from pynmeagps.exceptions import NMEAMessageError, NMEAParseError, NMEATypeError

from xunlu_edge.gnss.epoch import Epoch
from xunlu_edge.gnss.sentences import SentenceReader
from xunlu_protocol.location import Constellation

MPS_PER_KNOT = 1852 / 3600
MPS_PER_KMH = 1 / 3.6
# Beyond these a number is no measurement; the wire contract draws the same lines.
SATELLITES_MAX = 200
ALTITUDES_M = (-1000, 100_000)
KMH_MAX = 5000
KNOTS_MAX = 2600
YEAR_END = 3000

TALKERS: Mapping[str, Constellation] = {
    "GP": "GPS",
    "GB": "BDS",
    "BD": "BDS",
    "GL": "GLONASS",
    "GA": "GALILEO",
    "GQ": "QZSS",
    "QZ": "QZSS",
    "PQ": "QZSS",
    "GI": "NAVIC",
}
# GSA field 18 (NMEA 0183 v4.11).
SYSTEM_IDS: Mapping[str, Constellation] = {
    "1": "GPS",
    "2": "GLONASS",
    "3": "GALILEO",
    "4": "BDS",
    "5": "QZSS",
    "6": "NAVIC",
}
# Where a combined GSA has no system id: numbers of NMEA 0183 v4.11 table 20 and of common receivers.
NUMBER_RANGES: tuple[tuple[range, Constellation], ...] = (
    (range(1, 65), "GPS"),
    (range(65, 100), "GLONASS"),
    (range(193, 200), "QZSS"),
    (range(201, 265), "BDS"),
    (range(301, 337), "GALILEO"),
    (range(401, 465), "BDS"),
)
# GNS and RMC mode letters as GGA qualities, best first.
MODE_QUALITIES: Mapping[str, int] = {"R": 4, "F": 5, "P": 3, "D": 2, "A": 1, "E": 6, "M": 7, "S": 8}


@dataclass(slots=True)
class _Open:
    """An epoch that still grows."""

    at: time | None = None
    day: date | None = None
    quality: int | None = None
    mode_quality: int | None = None
    void: bool = False
    lat: float | None = None
    lon: float | None = None
    alt_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None
    satellites: int = 0
    used: dict[Constellation, set[int]] = field(default_factory=dict)
    empty: bool = True


class NmeaDecoder:
    """Collects sentences into epochs.

    An epoch closes when a sentence of another time comes, or when the line falls silent and its owner calls `flush`.

    Attributes:
        rejected: counts by reason: those of `SentenceReader`, and `field` for a sentence whose fields make no sense.
    """

    def __init__(self) -> None:
        self._sentences = SentenceReader()
        self.rejected: Counter[str] = self._sentences.rejected
        self._open = _Open()
        self._last: datetime | None = None
        self._readers: Mapping[str, Callable[[NMEAMessage], None]] = {
            "GGA": self._read_gga,
            "GNS": self._read_gns,
            "RMC": self._read_rmc,
            "GSA": self._read_gsa,
            "VTG": self._read_vtg,
            "ZDA": self._read_zda,
        }

    def feed(self, chunk: bytes) -> list[Epoch]:
        """Take bytes as they come; returns the epochs they closed."""
        closed: list[Epoch] = []
        for sentence in self._sentences.feed(chunk):
            # Address field: `$`, two letters of talker, three of type. Longer ones are a vendor's own.
            read = self._readers.get(sentence[3:6].decode("ascii", "replace"))
            if read is None or sentence[6:7] != b"," or sentence[1:2] == b"P":
                continue
            try:
                message = NMEAReader.parse(sentence + b"\r\n")
                if message is None:
                    continue
                if self._belongs_elsewhere(message):
                    closed += self.flush()
                read(message)
                self._open.empty = False
            except (NMEAParseError, NMEAMessageError, NMEATypeError, ValueError, TypeError, AttributeError):
                # pynmeagps leaves out the attributes of fields that a short sentence does not have.
                self.rejected["field"] += 1
        return closed

    @property
    def is_open(self) -> bool:
        """Whether an epoch has begun and not closed."""
        return not self._open.empty

    def flush(self) -> list[Epoch]:
        """Close the open epoch, as after 300 ms of silence; empty when nothing is open."""
        grown, self._open = self._open, _Open()
        return [] if grown.empty else [self._close(grown)]

    def _belongs_elsewhere(self, message: NMEAMessage) -> bool:
        at = getattr(message, "time", None)
        return isinstance(at, time) and self._open.at is not None and at != self._open.at

    def _close(self, grown: _Open) -> Epoch:
        listed = {system: min(len(numbers), SATELLITES_MAX) for system, numbers in grown.used.items() if numbers}
        quality = grown.quality if grown.quality is not None else grown.mode_quality or 0
        return Epoch(
            utc_ms=self._utc_ms(grown),
            quality=0 if grown.void else quality,
            lat=grown.lat,
            lon=grown.lon,
            alt_m=grown.alt_m,
            speed_mps=grown.speed_mps,
            course_deg=grown.course_deg,
            hdop=grown.hdop,
            # GGA stops at 12 on many receivers; GSA lists them all.
            satellites=min(max(grown.satellites, sum(listed.values())), SATELLITES_MAX),
            used=listed,
        )

    def _utc_ms(self, grown: _Open) -> int | None:
        if grown.at is None:
            return None
        if grown.day is not None:
            utc = datetime.combine(grown.day, grown.at, UTC)
        elif self._last is not None:
            # Without a date of its own an epoch is the one nearest to the last: midnight may lie between.
            utc = datetime.combine(self._last.date(), grown.at, UTC)
            utc += timedelta(days=round((self._last - utc) / timedelta(days=1)))
        else:
            return None
        self._last = utc
        return round(utc.timestamp() * 1000)

    # -- sentences ----------------------------------------------------------------------------------------------------

    def _read_time(self, message: NMEAMessage) -> None:
        if isinstance(message.time, time):
            self._open.at = message.time

    def _read_position(self, message: NMEAMessage) -> None:
        lat, lon = _number(message.lat, -90, 90), _number(message.lon, -180, 180)
        if lat is not None and lon is not None:
            self._open.lat, self._open.lon = lat, lon

    def _read_gga(self, message: NMEAMessage) -> None:
        self._read_time(message)
        self._read_position(message)
        self._open.quality = int(_number(message.quality, 0, 8) or 0)
        self._open.satellites = max(self._open.satellites, int(_number(message.numSV, 0, SATELLITES_MAX) or 0))
        self._open.hdop = _number(message.HDOP, 0, 100)
        self._open.alt_m = _number(message.alt, *ALTITUDES_M)

    def _read_gns(self, message: NMEAMessage) -> None:
        self._read_time(message)
        self._read_position(message)
        self._open.mode_quality = best_quality(message.posMode)
        self._open.satellites = max(self._open.satellites, int(_number(message.numSV, 0, SATELLITES_MAX) or 0))
        self._open.hdop = _number(message.HDOP, 0, 100) or self._open.hdop
        self._open.alt_m = _number(message.alt, *ALTITUDES_M) or self._open.alt_m

    def _read_rmc(self, message: NMEAMessage) -> None:
        self._read_time(message)
        self._open.void = message.status != "A"
        if self._open.lat is None:
            self._read_position(message)
        if isinstance(message.date, date):
            self._open.day = message.date
        if (knots := _number(message.spd, 0, KNOTS_MAX)) is not None:
            self._open.speed_mps = knots * MPS_PER_KNOT
        self._open.course_deg = _number(message.cog, 0, 360)
        if self._open.mode_quality is None and message.status == "A":
            self._open.mode_quality = best_quality(getattr(message, "posMode", "A")) or 1

    def _read_gsa(self, message: NMEAMessage) -> None:
        numbers = {
            number
            for i in range(1, 13)
            if isinstance(number := getattr(message, f"svid_{i:02}", None), int) and number > 0
        }
        known = SYSTEM_IDS.get(str(getattr(message, "systemId", ""))) or TALKERS.get(message.talker)
        for number in numbers:
            if (system := known or _by_number(number)) is not None:
                self._open.used.setdefault(system, set()).add(number)
        if self._open.hdop is None:
            self._open.hdop = _number(message.HDOP, 0, 100)

    def _read_vtg(self, message: NMEAMessage) -> None:
        if self._open.speed_mps is None and (kmh := _number(message.sogk, 0, KMH_MAX)) is not None:
            self._open.speed_mps = kmh * MPS_PER_KMH
        if self._open.course_deg is None:
            self._open.course_deg = _number(message.cogt, 0, 360)

    def _read_zda(self, message: NMEAMessage) -> None:
        self._read_time(message)
        if message.day and message.month and 0 < int(message.year or 0) < YEAR_END:
            self._open.day = date(int(message.year), int(message.month), int(message.day))


def best_quality(modes: str) -> int:
    """GGA quality of a GNS or RMC mode indicator, one letter for each constellation; 0 when all say `N`."""
    return next((quality for letter, quality in MODE_QUALITIES.items() if letter in modes), 0)


def _number(value: Any, low: float, high: float) -> float | None:  # noqa: ANN401  pynmeagps gives '' for an empty field
    """None too for what cannot be: some receivers write such numbers for "unknown", and no message could carry them."""
    return float(value) if isinstance(value, int | float) and low <= value <= high else None


def _by_number(number: int) -> Constellation | None:
    return next((system for numbers, system in NUMBER_RANGES if number in numbers), None)
