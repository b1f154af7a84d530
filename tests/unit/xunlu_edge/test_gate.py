"""The quality gate: what is held back, and why."""

import pytest

from tests.unit.xunlu_edge.rig import START_MS
from xunlu_edge.gate import JUMPS_BELIEVED, Gate, distance_m
from xunlu_edge.gnss.epoch import Epoch
from xunlu_protocol.shadow import RecorderConfig

CONFIG = RecorderConfig()


def good(
    utc_ms: int | None = START_MS, lat: float | None = 31.23, lon: float | None = 121.47, **changes: object
) -> Epoch:
    fields: dict[str, object] = {"quality": 1, "satellites": 12, "hdop": 0.8, **changes}
    return Epoch(utc_ms=utc_ms, lat=lat, lon=lon, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("epoch", "reason"),
    [
        (good(quality=0), "no_fix"),
        (good(lat=None), "no_fix"),
        (good(quality=6), "estimated"),
        (good(quality=8), "estimated"),
        (good(utc_ms=None), "no_time"),
        (good(utc_ms=315_964_800_000), "no_time"),
        (good(satellites=3), "satellites"),
        (good(hdop=8.1), "hdop"),
        (good(lat=0.0, lon=0.0), "null_island"),
    ],
    ids=["quality", "place", "dead-reckoning", "simulator", "time", "1980", "satellites", "hdop", "null-island"],
)
def test_a_fix_without_quality_is_held_back_with_its_reason(epoch: Epoch, reason: str) -> None:
    gate = Gate()
    assert gate.judge(epoch, CONFIG) is None
    assert dict(gate.held_back) == {reason: 1}


def test_a_good_fix_passes_with_an_accuracy_from_its_hdop() -> None:
    fix = Gate().judge(good(), CONFIG)
    assert fix is not None
    assert (fix.utc_ms, fix.lat, fix.lon, fix.accuracy_m) == (START_MS, 31.23, 121.47, 4.0)


def test_the_same_time_twice_is_one_fix() -> None:
    gate = Gate()
    gate.judge(good(), CONFIG)
    assert gate.judge(good(lat=31.24), CONFIG) is None
    assert gate.held_back["repeated"] == 1


def test_a_jump_is_held_back_until_the_receiver_insists() -> None:
    gate = Gate()
    gate.judge(good(), CONFIG)
    verdicts = [gate.judge(good(START_MS + 1000 * i, lat=31.33), CONFIG) for i in range(1, JUMPS_BELIEVED + 2)]
    assert [verdict is not None for verdict in verdicts] == [False, False, True, True]
    assert gate.held_back["jump"] == 2


def test_bounds_come_from_the_configuration() -> None:
    strict = CONFIG.model_copy(update={"satellites_min": 13})
    assert Gate().judge(good(), strict) is None


def test_distances_are_right_to_a_few_metres_across_the_date_line_too() -> None:
    assert distance_m(31.23, 121.47, 31.24, 121.47) == pytest.approx(1112, abs=2)
    assert distance_m(31.23, 121.47, 31.23, 121.48) == pytest.approx(951, abs=2)
    assert distance_m(0, 179.999, 0, -179.999) == pytest.approx(222, abs=1)
