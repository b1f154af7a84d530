"""Reception: its figures against those that docs/simulators.md was fitted to."""

import random
import statistics
from itertools import groupby, pairwise

import pytest

from tests.unit.xunlu_gis.real_data import geolife
from xunlu_sim.sky import BREAK_QUARTILES_S, BREAKS_PER_HOUR, COLD_START_S, DRIFT_M, SCATTER_M, Reception, Sky

DAY_S = 86_400


def seconds(sky: Sky, count: int) -> list[Reception | None]:
    return [sky.second() for _ in range(count)]


def breaks(day: list[Reception | None]) -> list[int]:
    """Lengths of the breaks in seconds, without the cold start."""
    return [len(list(run)) for blocked, run in groupby(day, key=lambda second: second is None) if blocked][1:]


def test_the_same_seed_sees_the_same_sky_and_another_seed_another() -> None:
    first, again, other = (seconds(Sky(random.Random(seed)), 5000) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_receiver_starts_cold() -> None:
    for seed in range(20):
        silent = next(i for i, second in enumerate(seconds(Sky(random.Random(seed)), 100)) if second is not None)
        assert COLD_START_S[0] <= silent <= COLD_START_S[1] + 1


def test_breaks_come_as_often_and_last_as_long_as_real_ones() -> None:
    # Forty times as often, or it takes months to have enough of them.
    sky = seconds(Sky(random.Random(1), breaks_per_hour=40 * BREAKS_PER_HOUR), 6 * DAY_S)
    lengths = breaks(sky)
    received_h = sum(second is not None for second in sky) / 3600
    assert len(lengths) / received_h == pytest.approx(40 * 1.5, rel=0.1)
    quartiles = statistics.quantiles(lengths, n=4)
    for measured, fitted in zip(quartiles, BREAK_QUARTILES_S[1:4], strict=True):
        assert measured == pytest.approx(fitted, rel=0.15)
    assert min(lengths) >= BREAK_QUARTILES_S[0] - 1
    assert max(lengths) <= BREAK_QUARTILES_S[-1] + 1


def test_the_fitted_figures_are_those_of_the_real_tracks() -> None:
    steps_s = [
        (after.fix_time - before.fix_time).total_seconds()
        for points in geolife().values()
        for before, after in pairwise(points)
    ]
    lengths = [step_s for step_s in steps_s if step_s > BREAK_QUARTILES_S[0]]
    assert len(lengths) / (sum(steps_s) / 3600) == pytest.approx(BREAKS_PER_HOUR, abs=0.05)
    assert statistics.quantiles(lengths, n=4) == pytest.approx(BREAK_QUARTILES_S[1:4], rel=0.02)


def test_fixes_scatter_as_those_of_walkers_and_hardly_remember_each_other() -> None:
    """Differences from one second to the next hold the scatter; the slow drift hardly moves within one."""
    steps = [
        after.east_m - before.east_m
        for before, after in pairwise(seconds(Sky(random.Random(2), breaks_per_hour=0), 20_000))
        if before and after
    ]
    assert statistics.stdev(steps) / 2**0.5 == pytest.approx(SCATTER_M, rel=0.05)


def test_the_drift_keeps_a_fix_within_a_street() -> None:
    east = [second.east_m for second in seconds(Sky(random.Random(3), breaks_per_hour=0), DAY_S) if second]
    assert statistics.stdev(east) == pytest.approx((DRIFT_M**2 + SCATTER_M**2) ** 0.5, rel=0.1)


def test_the_first_fixes_after_a_tunnel_are_off_and_come_back() -> None:
    first, later = [], []
    for seed in range(300):
        sky = Sky(random.Random(seed), breaks_per_hour=0)
        sky.block(30)
        assert seconds(sky, 30) == [None] * 30
        back = [second for second in seconds(sky, 60) if second]
        assert len(back) == 60
        first.append(back[0])
        later.append(back[-1])
    assert statistics.stdev(second.east_m for second in first) > 3 * statistics.stdev(second.east_m for second in later)
    assert statistics.mean(second.hdop for second in first) > statistics.mean(second.hdop for second in later) + 1
    assert statistics.mean(second.bds for second in first) < statistics.mean(second.bds for second in later)
