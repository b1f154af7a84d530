"""Places of the demo district that people search for and are sent to: offices, schools, markets, stations, posts."""

import random
from collections.abc import Iterator

import numpy as np
import shapely
import shapely.ops
from shapely import Point

from xunlu_gis.map import district_plan as plan
from xunlu_gis.map.district_names import spell, translate
from xunlu_gis.map.sheet import Feature, Geometry

_KINDS = (
    ("government", "街道办事处", 13),
    ("squad", "城管中队", 13),
    ("police", "派出所", 13),
    ("market", "菜市场", 14),
    ("school", "小学", 14),
    ("school", "中学", 14),
    ("hospital", "医院", 13),
    ("mall", "商业中心", 14),
)
"""What every sub-district has: kind, how its name ends, first zoom level."""

_STATIONS = ("老城西站", "老城站", "中山大道站", "人民广场站", "望江站", "迎春路站", "东海站")


def places(zones: dict[str, Geometry], leaves: list[Geometry], rng: random.Random) -> Iterator[Feature]:
    """Public places, each on a block of its sub-district."""
    middles = np.array([leaf.representative_point() for leaf in leaves])
    for name, zone in zones.items():
        inside = list(middles[shapely.contains(zone, middles)])
        stem = name.removesuffix("街道")
        for (kind, ending, minzoom), at in zip(_KINDS, rng.sample(inside, len(_KINDS)), strict=True):
            yield _place(kind, stem + ending, at, minzoom)


def stations() -> Iterator[Feature]:
    """The stations of the metro."""
    for name, at in zip(_STATIONS, plan.METRO_STATIONS, strict=True):
        spot = shapely.ops.nearest_points(plan.metro(), Point(plan.warp(np.array([at]))[0]))[0]
        yield _place("station", name, spot, 12)


def posts(zones: dict[str, Geometry]) -> Iterator[Feature]:
    """Posts (岗亭) where arterials cross: an officer may be expected there."""
    eastward = [arterial for arterial in plan.ARTERIALS if arterial.along == "u"]
    northward = [arterial for arterial in plan.ARTERIALS if arterial.along == "v"]
    for one in eastward:
        for other in northward:
            crossing = plan.arterial_line(one).intersection(plan.arterial_line(other))
            if crossing.geom_type == "Point" and any(zone.contains(crossing) for zone in zones.values()):
                yield _place("post", f"{one.name}{other.name}岗亭", crossing, 15)


def _place(kind: str, name: str, at: Geometry, minzoom: int) -> Feature:
    return Feature(
        layer="pois",
        kind=kind,
        geometry=at,
        name=name,
        name_en=translate(name),
        pinyin=spell(name),
        minzoom=minzoom,
    )
