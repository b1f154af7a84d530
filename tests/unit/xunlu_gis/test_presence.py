import pytest

from tests.unit.xunlu_gis.zones import START_MS, along, square, walked, zone
from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import Fences, Fixes
from xunlu_gis.presence import presences

FENCES = Fences([zone(1), zone(2, square(x=5000)), zone(3, square(1000, -500, -500))])
DAY_MS = 86_400_000


def test_a_visit_lasts_from_the_first_fix_inside_to_the_first_outside() -> None:
    walk = along([-20, *[50] * 12, *[130] * 6])
    one, three = presences(FENCES, walk, START_MS, START_MS + 200_000)
    (visit,) = one.visits
    assert (visit.start_ms - START_MS, visit.end_ms - START_MS, visit.dwell_s, visit.reason) == (5000, 65_000, 60, "")
    assert (one.zone, one.dwell_s, one.share) == (1, 60, 0.3)
    assert (three.zone, three.dwell_s, three.visits[0].reason) == (3, 90, None)


def test_visits_are_clipped_to_the_interval() -> None:
    walk = along([-20, *[50] * 100, *[130] * 6])
    presence = presences(Fences([zone()]), walk, START_MS + 60_000, START_MS + 120_000)[0]
    (visit,) = presence.visits
    assert (visit.start_ms - START_MS, visit.end_ms - START_MS) == (60_000, 120_000)
    assert (visit.reason, presence.share) == (None, 1)
    assert presences(Fences([zone()]), walk, START_MS + DAY_MS, START_MS + 2 * DAY_MS) == []
    assert presences(Fences([zone()]), walk, START_MS - DAY_MS, START_MS) == []


def test_gaps_within_a_visit_are_not_counted() -> None:
    walk = along([50] * 5, seconds=[0, 100, 500, 520, 900])
    (presence,) = presences(Fences([zone()]), walk, START_MS, START_MS + DAY_MS)
    assert presence.dwell_s == 120
    assert presence.visits[0].end_ms == START_MS + 900_000
    half = presences(Fences([zone()]), walk, START_MS + 50_000, START_MS + 300_000)[0]
    assert half.dwell_s == 50


def test_a_silence_parts_visits() -> None:
    walk = along([50] * 6, seconds=[0, 60, 120, 2000, 2060, 2120])
    (presence,) = presences(Fences([zone()]), walk, START_MS, START_MS + DAY_MS)
    assert [visit.reason for visit in presence.visits] == ["gap", None]
    assert presence.dwell_s == 240


def test_nobody_was_anywhere_without_fixes() -> None:
    assert presences(FENCES, Fixes.of(1, [], [], []), 0, DAY_MS) == []
    assert presences(FENCES, walked([(9000, 9000)] * 9), START_MS, START_MS + DAY_MS) == []


def test_what_is_asked_wrongly_is_refused() -> None:
    with pytest.raises(ZoneError, match="end after"):
        presences(FENCES, along([50]), START_MS, START_MS)
    with pytest.raises(ZoneError, match="one device"):
        presences(FENCES, Fixes.of([1, 2], [1, 2], [121, 121], [31, 31]), 0, 9)
