"""How many fixes a second are judged against a thousand zones, as ingest does it and as a day is looked at again."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import shapely

from tests.benchmarks.registry import Bench, benchmark
from xunlu_gis.fence import Fences, Fixes, Shape, States, Zone
from xunlu_gis.fence.fixes import Times
from xunlu_gis.plane import Floats, Plane

ZONES: Final = 1_000
CITY_M: Final = 30_000.0
RECORDERS: Final = 5_000
GROUP: Final = 1_000
ROUNDS: Final = 60
INTERVAL_S: Final = 5
STRIDE_M: Final = 6.0
NOISE_M: Final = 3.0
DAY_POINTS: Final = 17_280
START_MS: Final = 1_790_000_000_000
RUNS: Final = 5
PLANE: Final = Plane(31.23, 121.48)
BUDGET: Final = "≥ 200,000/s, moonshot 1,000,000"
NOTES: Final = {
    "live": "batches of 1,000 fixes, each of another recorder",
    "grouped": "batches of 5,000 fixes, 5 of each recorder",
    "day": f"{DAY_POINTS:,} fixes of one recorder at once",
}


@benchmark("fences", unit="points/CPU-s")
async def fences(bench: Bench) -> None:
    """Points for each second of processor time, which other people's work changes least; we and the peer take turns."""
    rng = np.random.default_rng(5)
    zones = list(_zones(rng))
    watch = Fences(zones)
    tree = shapely.STRtree(PLANE.geometry_to_xy(np.array([zone.shape.area for zone in zones])))
    walks = _walks(rng, RECORDERS, ROUNDS)
    jobs = {
        "live": _lanes(walks, 1),
        "grouped": _lanes(walks, 5),
        "day": _lanes(_walks(rng, 1, DAY_POINTS), DAY_POINTS),
    }
    for part, lanes in jobs.items():
        points = sum(len(fixes) for lane in lanes for fixes in lane)
        judge, ask = partial(_judge, watch, lanes), partial(_query, tree, lanes)
        rates = [(points / _cost(judge), points / _cost(ask)) for _ in range(RUNS)]
        await asyncio.sleep(0)
        own, peer = zip(*rates, strict=True)
        bench.result(
            part, own, peer="the spatial query alone, by a predicate of the tree", peer_value=sorted(peer)[RUNS // 2],
            budget=BUDGET, note=f"{ZONES:,} zones (polygons, circles, corridors) on 30 × 30 km; {NOTES[part]}",
        )  # fmt: skip


Lane = Sequence[Fixes]
"""Batches of the same recorders in order of time."""


def _zones(rng: np.random.Generator) -> Iterator[Zone]:
    """Seven polygons of 60 corners in ten, two circles, one patrol line; together they cover two thirds of the city."""
    for number in range(ZONES):
        x, y = rng.uniform(0, CITY_M, 2)
        angles = np.sort(rng.uniform(0, 2 * np.pi, 60))
        radii = rng.uniform(300, 600) * rng.uniform(0.7, 1.2, 60)
        corners = np.column_stack((x + np.cos(angles) * radii, y + np.sin(angles) * radii))
        outline = PLANE.to_lon_lat(corners)
        if number % 10 < 7:
            shape = Shape.polygon(shapely.Polygon(outline))
        elif number % 10 < 9:
            shape = Shape.circle(float(outline[0, 0]), float(outline[0, 1]), float(radii[0]))
        else:
            shape = Shape.corridor(shapely.LineString(outline[:12]), width_m=60)
        yield Zone(id=number, kind="responsibility", shape=shape, valid_from_ms=0)


def _walks(rng: np.random.Generator, recorders: int, rounds: int) -> Floats:
    """Longitudes and latitudes of people who walk on with a turn now and then, (recorders, rounds, 2)."""
    course = np.cumsum(rng.normal(0, 0.3, (recorders, rounds)), axis=1) + rng.uniform(0, 2 * np.pi, (recorders, 1))
    steps = STRIDE_M * np.stack((np.cos(course), np.sin(course)), axis=2)
    xy = rng.uniform(0, CITY_M, (recorders, 1, 2)) + np.cumsum(steps, axis=1)
    noisy = xy + rng.normal(0, NOISE_M, xy.shape)
    return PLANE.to_lon_lat(noisy.reshape(-1, 2)).reshape(xy.shape)


def _lanes(walks: Floats, each: int) -> list[Lane]:
    """Batches of `GROUP` recorders with `each` fixes of every one."""
    times = START_MS + 1000 * INTERVAL_S * np.arange(walks.shape[1])
    return [
        [
            _batch(np.arange(first, first + len(group)), times[begin : begin + each], group[:, begin : begin + each])
            for begin in range(0, walks.shape[1], each)
        ]
        for first in range(0, len(walks), GROUP)
        for group in (walks[first : first + GROUP],)
    ]


def _batch(devices: Times, times: Times, places: Floats) -> Fixes:
    many = len(devices) * len(times)
    lon, lat = places.reshape(-1, 2).T
    return Fixes.of(np.repeat(devices, len(times)), np.tile(times, len(devices)), lon, lat, np.full(many, 5.0))


def _judge(watch: Fences, lanes: Sequence[Lane]) -> None:
    for lane in lanes:
        states = States()
        for fixes in lane:
            states = watch.evaluate(fixes, states).states


def _query(tree: Any, lanes: Sequence[Lane]) -> None:
    for lane in lanes:
        for fixes in lane:
            places = shapely.points(PLANE.to_xy(np.column_stack((fixes.lon, fixes.lat))))
            tree.query(places, predicate="intersects")


def _cost(job: Callable[[], None]) -> float:
    """Seconds of processor time."""
    began_s = time.process_time()
    job()
    return time.process_time() - began_s
