"""Real data beside the repository: used where it lies there, never committed."""

import csv
import gzip
import os
from datetime import datetime
from pathlib import Path

import pytest

from tests.repository import ROOT
from xunlu_gis.track import TrackPoint

FOLDER = Path(os.environ.get("XUNLU_TEST_DATA", ROOT.parent / "shared" / "data"))


def real(name: str) -> Path:
    """A file or folder of the real data; the test is skipped where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"needs the real data {name}; XUNLU_TEST_DATA names its folder")
    return path


def geolife() -> dict[tuple[str, str], list[TrackPoint]]:
    """Tracks of people in Beijing by user and number, as published."""
    tracks: dict[tuple[str, str], list[TrackPoint]] = {}
    with gzip.open(real("tracks/geolife/points.csv.gz"), "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["time_utc"])
            track = tracks.setdefault((row["user"], row["track"]), [])
            track.append(TrackPoint(0, len(track), at, at, float(row["lat"]), float(row["lon"])))
    return tracks
