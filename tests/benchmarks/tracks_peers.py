"""movingpandas and trackintel on the tracks of `tests.benchmarks.tracks`: a program for an environment of their own.

It takes the file of the tracks and prints one JSON object: for each job seconds of processor time and what came out.
Both are loaded by name, because our own environment has neither.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np


def main(file: str, gap_s: float, radius_m: float, stop_s: float) -> None:
    """Do the jobs once each; the data frames are made before it counts."""
    warnings.simplefilter("ignore")
    moving, intel = import_module("movingpandas"), import_module("trackintel")
    frame = _frame(file)
    gap, least = timedelta(seconds=gap_s), timedelta(seconds=stop_s)
    walks = moving.TrajectoryCollection(frame.set_index("tracked_at"), "user_id", min_length=0)
    fixes = frame.assign(tracked_at=frame["tracked_at"].dt.tz_localize("UTC")).rename_axis("id")
    fixes = intel.Positionfixes(fixes[["user_id", "tracked_at", "geometry"]])

    def lengths() -> list[tuple[int, float]]:
        parts = moving.ObservationGapSplitter(walks).split(gap=gap, min_length=0)
        return [(int(str(part.id).split("_")[0]), part.get_length()) for part in parts]

    def stops() -> list[tuple[int, float, float]]:
        found = moving.TrajectoryStopDetector(walks).get_stop_time_ranges(max_diameter=2 * radius_m, min_duration=least)
        return [(one.traj_id, one.t_0.timestamp(), one.t_n.timestamp()) for one in found]

    def stay_points() -> tuple[Any, Any]:
        found: tuple[Any, Any] = intel.preprocessing.generate_staypoints(
            fixes, dist_threshold=radius_m, time_threshold=stop_s / 60, gap_threshold=1e6, include_last=True
        )
        return found

    stays_s, (marked, stays) = _timed(stay_points)
    legs_s, (_, legs) = _timed(
        lambda: intel.preprocessing.generate_triplegs(
            marked, stays, method="between_staypoints", gap_threshold=gap_s / 60
        )
    )
    lengths_s, measured = _timed(lengths)
    stops_s, stopped = _timed(stops)
    found = {
        "movingpandas": version("movingpandas"), "trackintel": version("trackintel"),
        "lengths": {"s": lengths_s, "found": measured}, "stops": {"s": stops_s, "found": stopped},
        "stay_points": {"s": stays_s, "found": _spans(stays)}, "trips": {"s": legs_s, "found": _spans(legs)},
    }  # fmt: skip
    print(json.dumps(found))  # noqa: T201


def _frame(file: str) -> Any:
    pandas, geopandas = import_module("pandas"), import_module("geopandas")
    tracks = np.load(file)
    rows = [(number, *row) for number, name in enumerate(tracks) for row in tracks[name].tolist()]
    frame = pandas.DataFrame(rows, columns=["user_id", "ms", "lon", "lat"])
    frame["tracked_at"] = pandas.to_datetime(frame.pop("ms"), unit="ms")
    return geopandas.GeoDataFrame(frame, geometry=geopandas.points_from_xy(frame.lon, frame.lat), crs="EPSG:4326")


def _spans(frame: Any) -> list[tuple[int, float, float]]:
    columns = (frame[name] for name in ("user_id", "started_at", "finished_at"))
    return [(int(user), start.timestamp(), end.timestamp()) for user, start, end in zip(*columns, strict=True)]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began_s = time.process_time()
    done = work()
    return time.process_time() - began_s, done


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:5]))
