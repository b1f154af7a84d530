"""What the simulated receiver says, read by the agent's own parser."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_edge.gnss.epoch import Epoch
from xunlu_edge.gnss.nmea import NmeaDecoder
from xunlu_sim.nmea import epoch
from xunlu_sim.sky import Reception, Sky
from xunlu_sim.way import DEGREE_M, Place

START_MS = 1_790_000_000_000
NOWHERE = Place(31.23, 121.47)


def heard(*chunks: bytes) -> list[Epoch]:
    decoder = NmeaDecoder()
    return [one for chunk in chunks for one in decoder.feed(chunk)] + decoder.flush()


@given(
    lat=st.floats(-89.9, 89.9),
    lon=st.floats(-179.9, 179.9),
    speed_mps=st.floats(0, 60),
    gps=st.integers(3, 24),
    bds=st.integers(3, 24),
    ms=st.integers(0, 999),
)
def test_the_agent_hears_what_was_said(lat: float, lon: float, speed_mps: float, gps: int, bds: int, ms: int) -> None:
    said = epoch(START_MS + ms, Place(lat, lon, speed_mps, 271.3), Reception(0, 0, 0.9, gps, bds))
    [one] = heard(said)
    assert one.utc_ms is not None
    assert one.lat is not None
    assert one.lon is not None
    assert abs(one.utc_ms - START_MS - ms) <= 10
    assert abs(one.lat - lat) * DEGREE_M < 0.02
    assert abs(one.lon - lon) * DEGREE_M < 0.02
    assert one.speed_mps == pytest.approx(speed_mps, abs=0.01)
    assert one.course_deg == pytest.approx(271.3)
    assert (one.quality, one.satellites, one.hdop) == (1, gps + bds, 0.9)
    assert one.used == {"GPS": gps, "BDS": bds}


def test_a_receiver_without_reception_tells_the_time_and_no_place() -> None:
    [one] = heard(epoch(START_MS, NOWHERE, None))
    assert (one.utc_ms, one.quality, one.lat, one.lon) == (START_MS, 0, None, None)


def test_what_it_says_lies_around_the_true_place() -> None:
    sky = Sky(random.Random(4), breaks_per_hour=0)
    receptions = [reception for _ in range(600) if (reception := sky.second())]
    said = [
        epoch(START_MS + index * 1000, NOWHERE.moved(one.east_m, one.north_m), one)
        for index, one in enumerate(receptions)
    ]
    epochs = heard(*said)
    assert len(epochs) == 600
    for one, true in zip(epochs, receptions, strict=True):
        assert one.lat is not None
        assert (one.lat - NOWHERE.lat) * DEGREE_M == pytest.approx(true.north_m, abs=0.02)
