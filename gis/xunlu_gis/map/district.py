"""The demo district: a made-up quarter at Shanghai's latitude, so that no map is ever blank.

No foreign data is shipped. Deterministic: every run gives the same features. Nothing in it stands on earth; the console
labels it 演示数据.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import shapely
from shapely import Point, STRtree

from xunlu_gis.map import district_plan as plan
from xunlu_gis.map.district_blocks import Blocks, Street, buildings, join, subdivide
from xunlu_gis.map.district_names import spell, stems, translate
from xunlu_gis.map.district_places import places, posts, stations
from xunlu_gis.map.sheet import ROAD_MINZOOM, Feature, Geometry, Layer, Sheet
from xunlu_gis.plane import Plane

SEED: Final = 20_170_418
PLANE: Final = Plane(31.23, 121.48)

ZONES: Final = (
    ("北苑街道", (-2150.0, 1550.0)),
    ("文昌街道", (-1600.0, 450.0)),
    ("老城街道", (-2100.0, -1100.0)),
    ("新桥街道", (-300.0, 1400.0)),
    ("人民广场街道", (-350.0, 350.0)),
    ("南园街道", (-600.0, -1500.0)),
    ("望江街道", (550.0, 500.0)),
    ("滨江街道", (500.0, -1300.0)),
    ("东岸街道", (2300.0, 1000.0)),
    ("东海街道", (2350.0, -1200.0)),
)
"""Sub-districts with a grid coordinate in their middle."""

PARKS: Final = (
    ("人民公园", (-800.0, 420.0)),
    ("老城公园", (-2500.0, -1150.0)),
    ("文昌公园", (-2450.0, 1250.0)),
    ("南园公园", (-50.0, -1750.0)),
    ("望江公园", (520.0, 1700.0)),
    ("迎春公园", (2550.0, 550.0)),
    ("东海公园", (2500.0, -1650.0)),
    ("北山公园", (-1800.0, 2600.0)),
)


def demo_district() -> Sheet:
    """Draw the district."""
    rng = random.Random(SEED)
    arterials = list(_arterials())
    cells = _cells([line for _, _, line, _ in arterials])
    ring = _quadrilateral(plan.CORE_U, plan.CORE_V)
    core = [cell for cell in cells if ring.contains(cell.representative_point())]
    around = [cell for cell in cells if not ring.contains(cell.representative_point())]
    anchors = STRtree([Point(_warped(at)) for _, at in PARKS])
    inner = subdivide(core, 2.3, anchors, rng)
    outer = subdivide(around, 7, anchors, rng)
    zones = _zones(core)
    streets = [Street(kind=_outside(s.kind), line=s.line) for s in outer.streets]
    features = [
        *_ground(zones, {**outer.parks, **inner.parks}),
        *_buildings(inner, rng),
        *_roads(arterials, [*inner.streets, *streets], rng),
        *_rails(),
        *places(zones, inner.leaves, rng),
        *stations(),
        *posts(zones),
    ]
    west, south, east, north = PLANE.geometry_to_lon_lat(ring).bounds
    return Sheet(
        name="明江示范区",
        attribution="演示数据 · 生成的示范区",
        features=tuple(_placed(feature) for feature in features),
        bounds=(west, south, east, north),
        demo=True,
    )


def _warped(at: tuple[float, float]) -> tuple[float, float]:
    x, y = plan.warp(np.array([at]))[0]
    return float(x), float(y)


def _quadrilateral(u: tuple[float, float], v: tuple[float, float]) -> Geometry:
    """The region between two pairs of grid lines."""
    steps = np.linspace(0, 1, 60)
    us, vs = u[0] + (u[1] - u[0]) * steps, v[0] + (v[1] - v[0]) * steps
    sides = ((us, v[0]), (u[1], vs), (us[::-1], v[1]), (u[0], vs[::-1]))
    return shapely.Polygon(np.concatenate([plan.warp(np.column_stack(np.broadcast_arrays(a, b))) for a, b in sides]))


def _arterials() -> Iterator[tuple[str, str, Geometry, bool]]:
    """Name, kind, course, bridge: cut at the river where no bridge carries them across."""
    wet, banks = plan.river(), plan.river(plan.BANK_ROAD_M)
    frame = _quadrilateral(plan.OUTER_U, plan.OUTER_V)
    for arterial in plan.ARTERIALS:
        line = plan.arterial_line(arterial)
        yield from ((arterial.name, arterial.kind, part, False) for part in shapely.get_parts(line.difference(banks)))
        if arterial.bridge:
            yield from ((arterial.name, arterial.kind, part, True) for part in shapely.get_parts(line & banks))
    for name, line in plan.bank_roads():
        clipped = line.intersection(frame) if "滨江" in name else line.intersection(frame).difference(wet)
        yield from ((name, "tertiary", part, False) for part in shapely.get_parts(clipped))


def _cells(lines: list[Geometry]) -> list[Geometry]:
    """Land between the arterials; what lies along the water stays open."""
    frame = _quadrilateral(plan.OUTER_U, plan.OUTER_V)
    corridor = shapely.union_all([plan.river(plan.BANK_ROAD_M - 1), plan.creek(29)])
    noded = shapely.union_all([*lines, frame.boundary], grid_size=0.01)
    cells = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return [cell for cell in cells if frame.covers(cell.representative_point()) and not _wet(cell, corridor)]


def _wet(cell: Geometry, corridor: Geometry) -> bool:
    return bool(cell.area < 400 or cell.intersection(corridor).area > 0.5 * cell.area)


def _zones(core: list[Geometry]) -> dict[str, Geometry]:
    """Sub-districts: the arterial blocks nearest to each middle, on the same bank of the river."""
    x, _ = plan.warp(np.array([[1250.0, 0.0]]))[0]
    middles = [Point(_warped(at)) for _, at in ZONES]
    belongs: dict[str, list[Geometry]] = {}
    for cell in core:
        here = cell.representative_point()
        same = [i for i, middle in enumerate(middles) if (middle.x > x) == (here.x > x)]
        nearest = min(same, key=lambda i: float(middles[i].distance(here)))
        belongs.setdefault(ZONES[nearest][0], []).append(cell)
    return {name: shapely.union_all(cells).buffer(1, join_style="mitre") for name, cells in belongs.items()}


def _outside(kind: str) -> str:
    """Around the district only the larger streets are drawn, one class lower."""
    return "residential" if kind == "service" else kind


def _ground(zones: dict[str, Geometry], parks: dict[int, Geometry]) -> Iterator[Feature]:
    """Sub-districts, water and green, with their labels."""
    frame = _quadrilateral(plan.OUTER_U, plan.OUTER_V)
    for name, area in zones.items():
        yield _named("areas", "zone", area, name, 10)
        yield _named("labels", "zone", area.representative_point(), name, 11)
    river, creek = plan.river(), plan.creek()
    green = plan.river(plan.BANK_ROAD_M - 16).difference(plan.river(12)).intersection(frame)
    yield from (Feature(layer="areas", kind="green", geometry=part, minzoom=12) for part in shapely.get_parts(green))
    for index, ground in parks.items():
        name = PARKS[index][0]
        park = ground.buffer(-12, join_style="mitre")
        middle = park.representative_point()
        pond = park.buffer(-0.32 * np.sqrt(park.area)).buffer(26).intersection(park)
        yield _named("areas", "park", park, name, 11)
        yield Feature(layer="areas", kind="water", geometry=pond, minzoom=13)
        yield _named("labels", "park", middle, name, 13)
    yield _named("areas", "water", river.intersection(frame), plan.RIVER_NAME, 8)
    yield _named("areas", "water", creek.intersection(frame).difference(river), plan.CREEK_NAME, 10)
    yield _named("labels", "water", Point(river.intersection(frame).centroid), plan.RIVER_NAME, 11)
    yield _named("labels", "water", Point(_warped((-2300, 1400))), plan.CREEK_NAME, 13)


def _buildings(blocks: Blocks, rng: random.Random) -> Iterator[Feature]:
    for leaf in blocks.leaves:
        for house in buildings(leaf, rng):
            yield Feature(layer="areas", kind="building", geometry=house, minzoom=15)


def _roads(
    arterials: list[tuple[str, str, Geometry, bool]], streets: list[Street], rng: random.Random
) -> Iterator[Feature]:
    """Streets with names, joined where they meet; then the expressways above them."""
    names = stems(rng, {name[:2] for name, *_ in arterials})
    suffix = {"tertiary": ("路",), "residential": ("路", "街"), "service": ("弄", "里")}
    named = list(arterials)
    for street in streets:
        name = next(names, "")
        named.append((name and name + rng.choice(suffix[street.kind]), street.kind, street.line, False))
    for index, line in join([line for _, _, line, _ in named]):
        name, kind, _, bridge = named[index]
        yield _named("roads", kind, line, name, ROAD_MINZOOM[kind], bridge=bridge)
    for name, line in plan.expressways():
        yield _named("roads", "elevated", line, name, ROAD_MINZOOM["elevated"], bridge=True)
    promenades = plan.river(26).boundary.intersection(_quadrilateral(plan.OUTER_U, plan.OUTER_V))
    yield from (Feature(layer="roads", kind="path", geometry=p, minzoom=14) for p in shapely.get_parts(promenades))


def _rails() -> Iterator[Feature]:
    yield _named("rail", "metro", plan.metro(), "一号线", 10, tunnel=True)
    yield _named("rail", "railway", plan.railway(), "明江铁路", 10)


def _named(
    layer: Layer, kind: str, geometry: Geometry, name: str, minzoom: int, *, bridge: bool = False, tunnel: bool = False
) -> Feature:
    return Feature(
        layer=layer,
        kind=kind,
        geometry=geometry,
        name=name,
        name_en=translate(name) if name else "",
        pinyin=spell(name) if name else "",
        minzoom=minzoom,
        bridge=bridge,
        tunnel=tunnel,
    )


def _placed(feature: Feature) -> Feature:
    """From metres to degrees."""
    return replace(feature, geometry=PLANE.geometry_to_lon_lat(feature.geometry))
