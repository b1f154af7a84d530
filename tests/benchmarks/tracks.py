"""Lengths, stops and trips of real tracks, beside movingpandas and trackintel: how fast, and whether they agree.

All get the same cleaned fixes. The peers are no dependencies of ours, so they get an environment of their own below the
state folder, made on the first run.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import tracks_peers
from tests.benchmarks.registry import Bench, UnavailableError, benchmark
from tests.repository import ROOT
from tests.unit.xunlu_gis.real_data import FOLDER, geolife
from tests.unit.xunlu_gis.tracks import stay_points
from xunlu_gis.track import Stop, Track, TrackSettings, Trip, clean, explain, levels, pieces, stops, trips
from xunlu_gis.track.track import Bools

PEERS = ("movingpandas==0.23.*", "trackintel==1.4.*")
PEERS_FOLDER = Path(os.environ.get("XUNLU_STATE", ROOT / ".xunlu")) / "bench-peers" / "tracks"
TRACKS = 12
RUNS = 5
GAP_S = 60.0
# As the peers work: every silence over a minute is a gap, no step is too fast, no two stays are merged.
PLAIN = TrackSettings(earliest_ms=0, gap_reports=0, gap_min_s=GAP_S, speed_max_mps=1e9, stop_merge_s=0)
LENGTH_TOLERANCE = 0.0001
TIME_TOLERANCE = 0.7
"""Least share of the stopped or travelled time that we and a peer must have in common; each peer cuts stays in a way of
its own, and the two agree with each other in 68 % of the time. With the loop as it is printed we agree in all of it."""

Span = tuple[int, float, float]


@benchmark("tracks", unit="fixes/CPU-s", limit_s=1800)
async def tracks(bench: Bench) -> None:
    """Processor time, because other work may go on beside it; data frames and columns are made before it counts."""
    whole = _cleaned()
    some = whole[:TRACKS]
    fixes = sum(map(len, some))
    bench.say(f"{fixes} fixes of {TRACKS} tracks for the peers, {sum(map(len, whole))} of {len(whole)} for ours alone")
    peer = await _peers(bench, some)
    _lengths(bench, some, peer)
    _stops(bench, some, peer)
    _trips(bench, some, peer)
    _alone(bench, whole)


def _cleaned() -> list[Track]:
    if not (FOLDER / "tracks" / "geolife").exists():
        raise UnavailableError("the tracks of GeoLife are not here; XUNLU_TEST_DATA names the folder of the real data")
    given = [Track.of_points(points) for points in geolife().values()]
    return [clean(track, TrackSettings(earliest_ms=0)).cleaned for track in given]


async def _peers(bench: Bench, some: Sequence[Track]) -> dict[str, Any]:
    """What the peers make of it; nothing where they cannot be installed."""
    try:
        python = await _environment(bench)
    except UnavailableError as reason:
        bench.say(f"no peer: {reason}")
        return {}
    file = bench.folder / "tracks.npz"
    columns = {f"{number:03d}": np.column_stack((one.time_ms, one.lon, one.lat)) for number, one in enumerate(some)}
    np.savez(file, allow_pickle=False, **columns)
    bench.say("the peers work; movingpandas takes a minute or two")
    limits = (GAP_S, PLAIN.stop_radius_m, PLAIN.stop_min_s)
    found: dict[str, Any] = json.loads(await _run(str(python), tracks_peers.__file__, str(file), *map(str, limits)))
    return found


async def _environment(bench: Bench) -> Path:
    python = PEERS_FOLDER / "bin" / "python"
    ready = PEERS_FOLDER / "ready"
    if not ready.exists():
        bench.say(f"installing {' and '.join(PEERS)} into {PEERS_FOLDER.relative_to(PEERS_FOLDER.parents[1])}")
        try:
            await _run(sys.executable, "-m", "venv", "--clear", str(PEERS_FOLDER))
            await _run(str(python), "-m", "pip", "install", "--quiet", "--prefer-binary", *PEERS)
        except RuntimeError as error:
            raise UnavailableError(str(error)) from error
        ready.touch()
    return python


async def _run(*command: str) -> str:
    """Run a program to its end and return what it said.

    Raises:
        RuntimeError: it failed.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        told, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"{' '.join(command)} failed: {' '.join(last)}")
    return told.decode()


def _lengths(bench: Bench, some: Sequence[Track], peer: dict[str, Any]) -> None:
    runs, found = _rates(some, lambda track: pieces(track, PLAIN))
    ours = np.array([sum(piece.length_m for piece in one) for one in found])
    more: dict[str, Any] = {"note": f"{ours.sum() / 1000:,.0f} km, geodesic, cut at gaps"}
    if peer:
        theirs = np.zeros(len(some))
        for number, length_m in peer["lengths"]["found"]:
            theirs[number] += length_m
        worst = float(np.max(np.abs(theirs - ours) / np.maximum(ours, 1)))
        assert worst < LENGTH_TOLERANCE, f"lengths differ by {worst:.2%}"
        more["note"] += f"; no track differs by more than {worst:.4%} from movingpandas, geodesic too"
        more |= _beside(some, peer, "movingpandas", "lengths")
    bench.result("lengths", runs, **more)


def _stops(bench: Bench, some: Sequence[Track], peer: dict[str, Any]) -> None:
    runs, found = _rates(some, lambda track: stops(track, PLAIN))
    ours = _spans(found)
    printed = [stay_points(track, PLAIN.stop_radius_m, PLAIN.stop_min_s) for track in some]
    assert printed == [[(stop.first, stop.first + stop.points - 1) for stop in one] for one in found]
    if not peer:
        bench.result("stops", runs, note=f"{len(ours)} stops")
    for name, job in (("trackintel", "stay_points"), ("movingpandas", "stops")) if peer else ():
        note = _agreement(name, some, ours, peer[job]["found"])
        bench.result(f"stops_beside_{name}", runs, note=note, **_beside(some, peer, name, job))


def _trips(bench: Bench, some: Sequence[Track], peer: dict[str, Any]) -> None:
    stays = {id(track): stops(track, PLAIN) for track in some}
    runs, found = _rates(some, lambda track: trips(track, stays[id(track)], PLAIN))
    ours = _spans(found)
    more: dict[str, Any] = {"note": f"{len(ours)} trips"}
    if peer:
        more["note"] = _agreement("trackintel", some, ours, peer["trips"]["found"])
        more |= _beside(some, peer, "trackintel", "trips")
    bench.result("trips", runs, **more)


def _alone(bench: Bench, whole: Sequence[Track]) -> None:
    """What no peer does."""
    cleaning = TrackSettings(earliest_ms=0)
    bench.result("cleaning", _rates(whole, lambda track: clean(track, cleaning))[0])
    runs, found = _rates(whole, lambda track: levels(track, PLAIN))
    fixes = sum(map(len, whole))
    kept = [sum(len(piece) for one in found for piece in one[number].pieces) / fixes for number in range(4)]
    shares = ", ".join(f"{share:.1%}" for share in kept)
    bench.result("levels", runs, note=f"all four at once; 5, 20, 80 and 320 m keep {shares} of the fixes")
    bench.result(
        "explain", _rates(whole, lambda track: explain(track, int(track.time_ms[0]), int(track.time_ms[-1])))[0]
    )


def _rates(some: Sequence[Track], work: Callable[[Track], Any]) -> tuple[list[float], list[Any]]:
    """Fixes for each second of processor time in each run, and what the last one found for each track."""
    fixes, rates, found = sum(map(len, some)), [], []
    for _ in range(RUNS):
        began_s = time.process_time()
        found = [work(track) for track in some]
        rates.append(fixes / (time.process_time() - began_s))
    return rates, found


def _beside(some: Sequence[Track], peer: dict[str, Any], name: str, job: str) -> dict[str, Any]:
    return {"peer": f"{name} {peer[name]}", "peer_value": sum(map(len, some)) / peer[job]["s"]}


def _spans(found: Sequence[Sequence[Stop | Trip]]) -> list[Span]:
    return [(number, one.from_ms / 1000, one.to_ms / 1000) for number, of_track in enumerate(found) for one in of_track]


def _agreement(name: str, some: Sequence[Track], ours: Sequence[Span], theirs: Sequence[Span]) -> str:
    """How much of the time that either calls so both do; of the time on air, because only we say what a silence is."""
    common_s = either_s = 0.0
    for number, track in enumerate(some):
        steps_s = np.diff(track.time_s)
        steps_s[steps_s > GAP_S] = 0
        one, other = (_inside(track, [span[1:] for span in spans if span[0] == number]) for spans in (ours, theirs))
        common_s += float(steps_s[one & other].sum())
        either_s += float(steps_s[one | other].sum())
    share = common_s / either_s
    assert share > TIME_TOLERANCE, f"only {share:.1%} of the time is common with {name}"
    return f"{len(ours)}, {name} {len(theirs)}; both agree in {share:.1%} of the time that either names"


def _inside(track: Track, spans: Sequence[tuple[float, float]]) -> Bools:
    """Which steps between fixes lie in a span."""
    inside = np.zeros(len(track) - 1, dtype=bool)
    for start_s, end_s in spans:
        inside |= (track.time_s[:-1] >= start_s - 0.001) & (track.time_s[1:] <= end_s + 0.001)
    return inside
