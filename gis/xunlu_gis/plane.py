"""A plane in metres that touches the ellipsoid at one place: for streets and tracks of a city, not for a country.

Within 30 km of its origin distances are right to 0.3 %; reports take geodesics (`track.length_m`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]

SEMI_MAJOR_AXIS_M = 6_378_137.0
ECCENTRICITY_SQUARED = 0.00669437999014
"""WGS-84 (EPSG:7030)."""


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Length of a degree of latitude and of longitude at a latitude, from the radii of curvature."""
    phi = np.radians(lat)
    w = np.sqrt(1 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2)
    meridian = SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) / w**3
    parallel = SEMI_MAJOR_AXIS_M / w * np.cos(phi)
    return float(np.radians(meridian)), float(np.radians(parallel))


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
