"""What a receiver says: NMEA 0183 sentences of a combined Beidou and GPS receiver, once a second."""

import functools
import operator
from datetime import UTC, datetime

from xunlu_sim.sky import Reception
from xunlu_sim.way import Place

GPS_SYSTEM, BDS_SYSTEM = 1, 4
KNOT_MPS = 1852 / 3600


def sentence(body: str) -> bytes:
    """A sentence with its checksum (NMEA 0183 §5.3)."""
    return f"${body}*{functools.reduce(operator.xor, body.encode()):02X}\r\n".encode()


def epoch(utc_ms: int, place: Place, reception: Reception | None) -> bytes:
    """RMC, GGA and one GSA for each constellation; without reception what a receiver says while it searches."""
    at = datetime.fromtimestamp(utc_ms / 1000, UTC)
    hms = at.strftime("%H%M%S") + f".{at.microsecond // 1000:03d}"
    if reception is None:
        return sentence(f"GNRMC,{hms},V,,,,,,,{at:%d%m%y},,,N") + sentence(f"GNGGA,{hms},,,,,0,00,99.9,,M,,M,,")
    where = f"{_degrees(place.lat, 2, 'NS')},{_degrees(place.lon, 3, 'EW')}"
    used = reception.gps + reception.bds
    return b"".join(
        (
            sentence(f"GNRMC,{hms},A,{where},{place.speed_mps / KNOT_MPS:.2f},{place.course_deg:.1f},{at:%d%m%y},,,A"),
            sentence(f"GNGGA,{hms},{where},1,{used:02d},{reception.hdop:.1f},{place.alt_m:.1f},M,11.0,M,,"),
            _used(reception.gps, reception.hdop, GPS_SYSTEM),
            _used(reception.bds, reception.hdop, BDS_SYSTEM),
        )
    )


def _used(satellites: int, hdop: float, system: int) -> bytes:
    """GSA lists twelve satellites; more go into a second sentence."""
    out = b""
    numbers = [f"{number:02d}" for number in range(1, satellites + 1)]
    for start in range(0, len(numbers), 12):
        part = numbers[start : start + 12]
        out += sentence(
            f"GNGSA,A,3,{','.join(part + [''] * (12 - len(part)))},{hdop * 1.6:.1f},{hdop:.1f},1.2,{system}"
        )
    return out


def _degrees(value: float, width: int, hemispheres: str) -> str:
    hundred_thousandths = round(abs(value) * 60 * 100_000)
    degrees, rest = divmod(hundred_thousandths, 60 * 100_000)
    return f"{degrees:0{width}d}{rest / 100_000:08.5f},{hemispheres[1] if value < 0 else hemispheres[0]}"
