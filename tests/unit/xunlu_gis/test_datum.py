import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import real
from xunlu_gis import datum

BEIJING_WGS84 = (39.915, 116.404)
BEIJING_GCJ02 = (39.91640428150164, 116.41024449916938)

china = st.tuples(st.floats(18.2, 53.5), st.floats(73.7, 135.0))


def test_the_obfuscation_shifts_as_published() -> None:
    assert datum.wgs84_to_gcj02(*BEIJING_WGS84) == pytest.approx(BEIJING_GCJ02, abs=1e-11)
    assert datum.gcj02_to_bd09(39.915, 116.404) == pytest.approx((39.92133699351021, 116.41036949371029), abs=1e-11)


def test_both_obfuscations_follow_each_other() -> None:
    assert datum.wgs84_to_bd09(*BEIJING_WGS84) == datum.gcj02_to_bd09(*BEIJING_GCJ02)
    assert datum.bd09_to_wgs84(*datum.wgs84_to_bd09(*BEIJING_WGS84)) == pytest.approx(BEIJING_WGS84, abs=1e-8)


@given(china)
def test_the_inverse_is_exact_everywhere_in_china(place: tuple[float, float]) -> None:
    assert datum.gcj02_to_wgs84(*datum.wgs84_to_gcj02(*place)) == pytest.approx(place, abs=1e-7)
    assert datum.bd09_to_gcj02(*datum.gcj02_to_bd09(*place)) == pytest.approx(place, abs=1e-7)


@pytest.mark.parametrize("place", [(39.7392, -104.9903), (-27.4698, 153.0251), (0.0, 0.0), (90.0, 180.0)])
def test_places_outside_china_stay_where_they_are(place: tuple[float, float]) -> None:
    for convert in (datum.wgs84_to_gcj02, datum.gcj02_to_wgs84, datum.gcj02_to_bd09, datum.bd09_to_gcj02):
        assert convert(*place) == place


def test_arrays_give_what_single_places_give() -> None:
    lats, lons = np.array([31.23, 22.5, 39.7]), np.array([121.48, 113.9, -104.99])
    together = datum.wgs84_to_gcj02(lats, lons)
    singly = [datum.wgs84_to_gcj02(float(lat), float(lon)) for lat, lon in zip(lats, lons, strict=True)]
    assert np.column_stack(together).tolist() == [list(pair) for pair in singly]
    back = datum.gcj02_to_wgs84(*together)
    assert np.allclose(np.column_stack(back), np.column_stack((lats, lons)), rtol=0, atol=1e-8)


def test_single_places_are_plain_floats() -> None:
    assert [type(value) for value in datum.gcj02_to_wgs84(31.23, 121.48)] == [float, float]


def test_the_shift_over_shanghai_is_as_large_as_known() -> None:
    lat, lon = datum.wgs84_to_gcj02(31.23, 121.47)
    metres = np.hypot((lat - 31.23) * 110_860, (lon - 121.47) * 95_300)
    assert 458 <= metres <= 495


def test_published_vectors_agree() -> None:
    vectors = json.loads(real("coords/gcj02_bd09_vectors.json").read_text("utf-8"))
    for vector in vectors["wgs84_to_gcj02"]:
        assert datum.wgs84_to_gcj02(*vector["wgs"]) == pytest.approx(vector["gcj"], abs=1e-9)
    for vector in vectors["coordtransform_js"]:
        if not vector["fn"].endswith("one_step"):
            # That library's inverse of BD-09 is a one-step one: 1e-6°.
            assert getattr(datum, vector["fn"])(*vector["in_"]) == pytest.approx(vector["out"], abs=2e-6)


def test_forty_points_over_shanghai_agree_with_other_programs() -> None:
    points = json.loads(real("coords/gcj02_bd09_vectors.json").read_text("utf-8"))["shanghai_40_points"]["points"]
    assert len(points) == 40
    for point in points:
        assert datum.wgs84_to_gcj02(*point["wgs84"]) == pytest.approx(point["gcj02"], abs=2e-9)
        assert datum.wgs84_to_bd09(*point["wgs84"]) == pytest.approx(point["bd09"], abs=2e-9)
        assert datum.bd09_to_wgs84(*point["bd09"]) == pytest.approx(point["wgs84"], abs=1e-8)
