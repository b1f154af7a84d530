"""Metres: a plane that touches the ellipsoid at one place, UTM, a sphere for gates.

The plane is for streets and tracks of a city, not for a country: within 30 km of its origin distances are right to
0.3 %. Reports take geodesics (`track.length_m`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

Floats = npt.NDArray[np.float64]
Degrees = TypeVar("Degrees", float, Floats)

SEMI_MAJOR_AXIS_M = 6_378_137.0
ECCENTRICITY_SQUARED = 0.00669437999014
"""WGS-84 (EPSG:7030)."""

MEAN_RADIUS_M: Final = 6_371_008.8

UTM_SCALE_MIN: Final = 0.9996
"""Metres of UTM for a metre on the ground are no fewer than this, on the central meridian."""


def metres_per_degree(lat: Degrees) -> tuple[Degrees, Degrees]:
    """Length of a degree of latitude and of longitude at a latitude, from the radii of curvature."""
    phi: Any = np.radians(lat)
    w = np.sqrt(1 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2)
    meridian = SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) / w**3
    parallel = SEMI_MAJOR_AXIS_M / w * np.cos(phi)
    return np.radians(meridian), np.radians(parallel)


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres east (x) and north (y) of an origin in WGS-84 degrees."""

    lat: float
    lon: float

    def to_xy(self, lon_lat: Floats) -> Floats:
        """Project an (n, 2) array of longitude and latitude."""
        per_lat, per_lon = metres_per_degree(self.lat)
        return (lon_lat - (self.lon, self.lat)) * (per_lon, per_lat)

    def to_lon_lat(self, xy: Floats) -> Floats:
        """Back to longitude and latitude, rounded to 1e-7° (1 cm), so that equal places stay equal in files."""
        per_lat, per_lon = metres_per_degree(self.lat)
        return np.round(xy / (per_lon, per_lat) + (self.lon, self.lat), 7)

    def geometry_to_lon_lat(self, geometry: Any) -> Any:  # noqa: ANN401  shapely carries no types
        """The same for a geometry of shapely or an array of them."""
        return shapely.transform(geometry, self.to_lon_lat)

    def geometry_to_xy(self, geometry: Any) -> Any:  # noqa: ANN401  shapely carries no types
        """Project a geometry of shapely or an array of them."""
        return shapely.transform(geometry, self.to_xy)


def unwrapped(lon: Floats) -> Floats:
    """Longitudes without the leap at the antimeridian, within 180° of the first one; may leave ±180."""
    return lon if not len(lon) else lon[0] + wrapped(lon - lon[0])


def wrapped(lon: Floats) -> Floats:
    """Longitudes between -180 and 180; those that are so already stay exactly as they are."""
    return np.where(np.abs(lon) <= 180, lon, (lon + 180) % 360 - 180)


def to_utm(lon: Floats, lat: Floats) -> Floats:
    """Metres east and north in the zone of the median place, (n, 2); over Shanghai that is EPSG:32651.

    Within a zone a metre on the ground is 0.9996 to 1.001 metres here. Infinite where the projection has no answer,
    a quarter of the earth away.
    """
    if not len(lon):
        return np.empty((0, 2))
    zone = int((float(np.median(wrapped(unwrapped(lon)))) + 180) // 6) % 60 + 1
    south = float(np.median(lat)) < 0
    return np.column_stack(_utm(zone, south=south).transform(lon, lat))


@cache
def _utm(zone: int, *, south: bool) -> Any:  # noqa: ANN401  pyproj carries no types
    return Transformer.from_crs("EPSG:4326", f"EPSG:{(32700 if south else 32600) + zone}", always_xy=True)


def on_sphere(lon: Floats, lat: Floats) -> Floats:
    """Metres from the middle of a sphere, (n, 3): distances need no projection and no care at the antimeridian."""
    east, north = np.radians(lon), np.radians(lat)
    level = np.cos(north)
    return MEAN_RADIUS_M * np.column_stack((level * np.cos(east), level * np.sin(east), np.sin(north)))


def chords_m(one: Floats, other: Floats) -> Floats:
    """Straight distances between places of `on_sphere`; 0.3 % off the ellipsoid up to a hundred kilometres."""
    apart = (one - other) ** 2
    # Three sums of columns: numpy adds up rows of three eight times as slowly.
    chords: Floats = np.sqrt(apart[..., 0] + apart[..., 1] + apart[..., 2])
    return chords
