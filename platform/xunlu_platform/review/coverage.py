"""What patrols have seen of a zone: streets with the time when each was seen last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import shapely
import shapely.geometry

from xunlu_gis.coverage import NEVER_SEEN, Coverage, Ground, StreetAge, Way
from xunlu_gis.track import Track, clean
from xunlu_gis.track.piece import unbroken
from xunlu_platform.errors import TooMuchError

PIECES_MAX: Final = 20_000
"""Of at most 50 m: a thousand kilometres of street."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Seen:
    """A zone, and what was seen of it.

    Attributes:
        ground: the zone with its streets.
        coverage: by area and by street.
        ages: of the streets that were not seen since a time.
    """

    ground: Ground
    coverage: Coverage
    ages: list[StreetAge]

    @property
    def street_all_m(self) -> float:
        """Metres of street in the zone."""
        return sum(piece.length_m for piece in self.ground.pieces)

    def area(self) -> dict[str, Any]:
        """The part that was seen, a GeoJSON geometry."""
        return dict(shapely.geometry.mapping(shapely.set_precision(self.coverage.area, 1e-6)))

    def streets(self) -> dict[str, Any]:
        """Every piece of street as GeoJSON, with `name`, `length_m` and `seen_ms` (UTC; null: never)."""
        features = [
            {
                "type": "Feature",
                "properties": {
                    "name": piece.name,
                    "length_m": round(piece.length_m, 1),
                    "seen_ms": None if seen_ms == NEVER_SEEN else seen_ms,
                },
                "geometry": shapely.geometry.mapping(shapely.set_precision(piece.line, 1e-6, mode="pointwise")),
            }
            for piece, seen_ms in zip(self.ground.pieces, self.coverage.seen_ms.tolist(), strict=True)
        ]
        return {"type": "FeatureCollection", "features": features}


def find_coverage(ground: Ground, tracks: Iterable[Track], unseen_since_ms: int) -> Seen:
    """What some devices have seen together.

    Args:
        ground: the zone.
        tracks: of each device, as it was stored.
        unseen_since_ms: streets that were seen before this time only count as not seen.

    Raises:
        TooMuchError: the zone has more than `PIECES_MAX` pieces of street.
    """
    if len(ground.pieces) > PIECES_MAX:
        raise TooMuchError("This zone holds more than 1,000 km of street. Ask about a smaller one.")
    coverage = ground.coverage([way for track in tracks for way in _ways(clean(track).cleaned)])
    return Seen(ground=ground, coverage=coverage, ages=ground.ages(coverage.seen_ms, unseen_since_ms))


def _ways(track: Track) -> Iterator[Way]:
    for first, end in unbroken(track):
        if end - first > 1:
            yield Way(track.time_ms[first:end], track.lon[first:end], track.lat[first:end])
