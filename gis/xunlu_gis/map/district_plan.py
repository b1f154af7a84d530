"""The skeleton of the demo district in metres: river, creek, arterials, expressways, metro, railway.

Streets follow a grid whose direction turns from one bank of the river to the other, as cities do that grew on both
sides. `warp` bends the square grid (u, v) into the plane (x, y).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely import LineString, Polygon

from xunlu_gis.map.sheet import Geometry
from xunlu_gis.plane import Floats

CORE_U: Final = (-2900.0, 2950.0)
CORE_V: Final = (-2150.0, 2100.0)
"""The ring road: inside lies the district, outside thins out."""

OUTER_U: Final = (-5200.0, 5200.0)
OUTER_V: Final = (-4200.0, 4200.0)

RIVER_NAME: Final = "明江"
CREEK_NAME: Final = "清溪河"
BANK_ROAD_M: Final = 70.0
"""From the water to the road along it; between them lies the riverside green."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arterial:
    """A road of the skeleton: along `u` or `v` at a constant other coordinate."""

    name: str
    along: str
    at: float
    kind: str = "secondary"
    bridge: bool = False


ARTERIALS: Final = (
    Arterial(name="环城北路", along="u", at=CORE_V[1], kind="primary", bridge=True),
    Arterial(name="文昌路", along="u", at=980),
    Arterial(name="人民大道", along="u", at=90, kind="primary", bridge=True),
    Arterial(name="建设路", along="u", at=-730),
    Arterial(name="和平路", along="u", at=-1420, bridge=True),
    Arterial(name="环城南路", along="u", at=CORE_V[0], kind="primary"),
    Arterial(name="环城西路", along="v", at=CORE_U[0], kind="primary"),
    Arterial(name="老城路", along="v", at=-2080),
    Arterial(name="中山大道", along="v", at=-1240, kind="primary"),
    Arterial(name="新桥路", along="v", at=-420),
    Arterial(name="望江路", along="v", at=330),
    Arterial(name="迎春路", along="v", at=2130, kind="primary"),
    Arterial(name="环城东路", along="v", at=CORE_U[1], kind="primary"),
    Arterial(name="北苑路", along="u", at=3150),
    Arterial(name="南园路", along="u", at=-3200),
    Arterial(name="西山路", along="v", at=-4000),
    Arterial(name="东海路", along="v", at=4050),
)


def warp(uv: Floats) -> Floats:
    """Bend grid coordinates (n, 2) into the plane: the grid leans 14° west of the river and back east of it."""
    u, v = uv[:, 0], uv[:, 1]
    bend = (u - 1200) / 900
    slope = 0.075 - 0.175 * np.tanh(bend)
    rise = 0.075 * u - 0.175 * 900 * np.log(np.cosh(bend)) + 120
    return np.column_stack((u - slope * v + 25 * np.sin(v / 700), v + rise + 30 * np.sin(u / 800)))


def across(u: Floats, v: Floats) -> Geometry:
    """A smooth line through warped grid coordinates."""
    return LineString(warp(np.column_stack((u, v))))


def arterial_line(arterial: Arterial) -> Geometry:
    """The course of an arterial from one end of the map to the other."""
    low, high = OUTER_U if arterial.along == "u" else OUTER_V
    along = np.linspace(low, high, 140)
    constant = np.full_like(along, arterial.at)
    return across(along, constant) if arterial.along == "u" else across(constant, along)


def _river_centre() -> tuple[Floats, Floats, Floats]:
    y = np.linspace(-6000, 6000, 240)
    x = 1230 + 300 * np.sin(y / 1250 + 0.6) + 0.06 * y
    return x, y, 185 + 30 * np.sin(y / 900)


def river(widened_m: float = 0) -> Geometry:
    """The river from bank to bank, or wider."""
    x, y, half = _river_centre()
    west = np.column_stack((x - half - widened_m, y))
    east = np.column_stack((x + half + widened_m, y))
    return Polygon(np.concatenate((west, east[::-1])))


def creek(widened_m: float = 0) -> Geometry:
    """The creek that comes from the west and ends in the river."""
    u = np.linspace(-6200, 1750, 170)
    return across(u, 1480 + 130 * np.sin(u / 430)).buffer(24 + widened_m, cap_style="flat")


def bank_roads() -> list[tuple[str, Geometry]]:
    """Roads along the river and the creek, one for each bank."""
    x, y, half = _river_centre()
    wet = river(BANK_ROAD_M - 1)
    banks = creek(30).boundary
    stretch = across(np.linspace(-5200, 1700, 80), np.full(80, 1480.0)).buffer(400, cap_style="flat")
    north, south = sorted(
        (line for line in shapely.get_parts(banks.intersection(stretch).difference(wet)) if line.length > 2000),
        key=lambda line: float(line.centroid.y),
        reverse=True,
    )[:2]
    return [
        ("滨江西路", LineString(np.column_stack((x - half - BANK_ROAD_M, y)))),
        ("滨江东路", LineString(np.column_stack((x + half + BANK_ROAD_M, y)))),
        ("清溪北路", north),
        ("清溪南路", south),
    ]


def expressways() -> list[tuple[str, Geometry]]:
    """Elevated roads: above the streets, not part of their network."""
    u, v = np.linspace(*OUTER_U, 140), np.linspace(*OUTER_V, 120)
    return [
        ("文昌高架路", across(u, np.full_like(u, 955.0))),
        ("中山高架路", across(np.full_like(v, -1215.0), v)),
    ]


METRO_STATIONS: Final = (
    (-2650.0, -700.0),
    (-1830.0, -600.0),
    (-1240.0, -110.0),
    (-420.0, 140.0),
    (360.0, 330.0),
    (2130.0, 480.0),
    (2800.0, 900.0),
)
"""Grid coordinates of the stations of the metro line, west to east."""


def metro() -> Geometry:
    """The metro: a smooth curve through its stations and out of the map at both ends."""
    stations = np.array(((-5200.0, -1400.0), *METRO_STATIONS, (5200.0, 1500.0)))
    u = np.linspace(*OUTER_U, 160)
    v = np.interp(u, stations[:, 0], stations[:, 1])
    smooth = np.convolve(np.pad(v, 6, mode="edge"), np.ones(13) / 13, mode="valid")
    return across(u, smooth)


def railway() -> Geometry:
    """The railway that leaves the district in the south-west."""
    u = np.linspace(*OUTER_U, 120)
    return across(u, -2700 + 260 * np.sin(u / 2600) - 60 * np.sin(u / 900))
