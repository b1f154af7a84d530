"""Blocks and the streets between them: each block is split across its longer side until it has a city block's size."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from shapely import LineString, STRtree

from xunlu_gis.map.sheet import Geometry

PARK_HECTARES = (7.0, 26.0)
"""A block of this size that holds an anchor of a park becomes that park."""

PIECE_MIN_M = 0.03
"""Shorter stretches vanish when coordinates are rounded to 1e-7°."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Street:
    """A street before it has a name: its kind and its course in metres."""

    kind: str
    line: Geometry


@dataclass(slots=True)
class Blocks:
    """What subdivision leaves: streets, parks by their anchor, and blocks to build on."""

    streets: list[Street]
    parks: dict[int, Geometry]
    leaves: list[Geometry]


def _kind(hectares: float) -> str:
    """The larger the block that a street divides, the more important the street."""
    if hectares > 30:
        return "tertiary"
    return "residential" if hectares > 6 else "service"


def _cut(block: Geometry, rng: random.Random) -> tuple[Geometry, list[Geometry]]:
    """A line across the longer side of a block, a little off its middle, and the pieces it leaves."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(block))[:4]
    side, other = corners[1] - corners[0], corners[3] - corners[0]
    if np.hypot(*side) < np.hypot(*other):
        side, other = other, side
    at = rng.uniform(0.36, 0.64)
    foot = corners[0] + side * at
    lean = side / np.hypot(*side) * rng.uniform(-10, 10)
    knife = LineString((foot - other * 0.5 - lean, foot + other * 1.5 + lean))
    pieces = [piece for piece in shapely.get_parts(shapely.ops.split(block, knife)) if piece.area > 1]
    return knife.intersection(block), pieces


def subdivide(blocks: Iterable[Geometry], leaf_hectares: float, anchors: STRtree, rng: random.Random) -> Blocks:
    """Split blocks until they are about as large as asked; streets appear where they were cut.

    Args:
        blocks: polygons between the arterials, metres.
        leaf_hectares: size at which a block is no longer split; varied by a third.
        anchors: points where parks are wanted.
        rng: the only source of chance.
    """
    found = Blocks([], {}, [])
    waiting = list(blocks)
    while waiting:
        block = waiting.pop()
        hectares = block.area / 10_000
        anchor = anchors.query(block, predicate="contains")
        if len(anchor) and PARK_HECTARES[0] < hectares < PARK_HECTARES[1] and int(anchor[0]) not in found.parks:
            found.parks[int(anchor[0])] = block
        elif hectares < leaf_hectares * rng.uniform(0.8, 1.4):
            found.leaves.append(block)
        else:
            line, pieces = _cut(block, rng)
            waiting.extend(pieces)
            found.streets.extend(Street(kind=_kind(hectares), line=part) for part in shapely.get_parts(line))
    return found


def join(lines: list[Geometry]) -> Iterator[tuple[int, Geometry]]:
    """Give lines that cross a vertex where they do, so that a street graph can be read from shared coordinates.

    Works on a grid of 1 cm, so that an end that only nearly touches another line does.

    Yields:
        Index of the line and one of its connected stretches.
    """
    pieces = shapely.get_parts(shapely.union_all(lines, grid_size=0.01))
    tree = STRtree(lines)
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece_of, line_of = tree.query_nearest(middles, all_matches=False)
    for index in range(len(lines)):
        own = pieces[piece_of[line_of == index]]
        for stretch in shapely.get_parts(shapely.line_merge(shapely.union_all(own))) if len(own) else ():
            if stretch.length > PIECE_MIN_M:
                yield index, stretch


def buildings(block: Geometry, rng: random.Random) -> Iterator[Geometry]:
    """Footprints on a block: rows of houses along its longer side, some left out for yards."""
    ground = block.buffer(-14, join_style="mitre")
    if ground.is_empty or ground.area < 1500:
        return
    corners = shapely.get_coordinates(shapely.oriented_envelope(ground))[:4]
    side, other = corners[1] - corners[0], corners[3] - corners[0]
    columns, rows = max(1, round(np.hypot(*side) / 55)), max(1, round(np.hypot(*other) / 42))
    for column in range(columns):
        for row in range(rows):
            if rng.random() < 0.22:
                continue
            low = corners[0] + side * (column + 0.1) / columns + other * (row + 0.14) / rows
            width, depth = side * 0.8 / columns, other * rng.uniform(0.45, 0.72) / rows
            house = shapely.Polygon((low, low + width, low + width + depth, low + depth)).intersection(ground)
            if house.geom_type == "Polygon" and house.area > 250:
                yield house
