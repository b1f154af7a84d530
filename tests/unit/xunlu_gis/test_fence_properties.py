"""What holds of zones for any course of fixes, against a plain machine that takes them one by one."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import geolife
from tests.unit.xunlu_gis.tracks import PLANE
from tests.unit.xunlu_gis.zones import START_MS, square, walked, zone
from xunlu_gis.fence import FenceRules, Fences, Fixes, States, ZoneEvent, revised
from xunlu_gis.plane import Plane

RULES = FenceRules()
AREAS = {1: shapely.box(0, 0, 100, 100), 2: shapely.box(50, 0, 200, 100), 3: shapely.box(-40, 20, 20, 60)}
FENCES = Fences(
    [
        zone(1, square(), dwell_s_max=45),
        zone(2, PLANE.geometry_to_lon_lat(AREAS[2]), valid_from_ms=START_MS + 60_000, valid_to_ms=START_MS + 900_000),
        zone(3, PLANE.geometry_to_lon_lat(AREAS[3]), kind="watch"),
    ]
)

# Places by preference just inside, in the band, and just outside; silences by preference about the limits.
X = st.sampled_from([-60, -30, -10, 10, 30, 60, 99, 105, 112, 120, 140, 210, 220, 240])
STEP_S = st.sampled_from([1, 3, 5, 10, 15, 20, 30, 599, 600, 601, 900])
ACCURACY = st.sampled_from([3.0, 12.0, 30.0, 45.0, 80.0, float("nan")])


@st.composite
def courses(draw: st.DrawFn, size_max: int = 40) -> Fixes:
    """Fixes of one device in order of time."""
    steps = draw(st.lists(st.tuples(X, STEP_S, ACCURACY, st.booleans()), min_size=1, max_size=size_max))
    xs, seconds, accuracy_m, doubts = zip(*steps, strict=True)
    confident = [not (doubt and index % 3 == 0) for index, doubt in enumerate(doubts)]
    places = [(float(x), 50.0) for x in xs]
    return walked(places, seconds=np.cumsum(seconds).tolist(), accuracy_m=accuracy_m, confident=confident)


Parts = npt.NDArray[np.bool_]


def some_of(fixes: Fixes, data: st.DataObject) -> Parts:
    return np.array(data.draw(st.lists(st.booleans(), min_size=len(fixes), max_size=len(fixes))), dtype=bool)


@settings(deadline=None)
@given(courses(), st.data())
def test_however_a_course_is_cut_its_events_and_state_are_the_same(fixes: Fixes, data: st.DataObject) -> None:
    whole = FENCES.evaluate(fixes)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(fixes)), max_size=5)) | {0, len(fixes)})
    states, events = States(), list[ZoneEvent]()
    for begin, end in pairwise(cuts):
        part = FENCES.evaluate(fixes[begin:end], states)
        states, events = States.from_json(part.states.as_json()), [*events, *part.events]
    assert tuple(events) == whole.events
    assert states.as_json() == whole.states.as_json()


@settings(deadline=None)
@given(courses(), st.data())
def test_late_fixes_end_in_the_events_of_fixes_in_time(fixes: Fixes, data: st.DataObject) -> None:
    late = some_of(fixes, data)
    live = FENCES.evaluate(fixes[~late])
    known = {event.key for event in live.events}
    whole = FENCES.evaluate(fixes[np.random.default_rng(len(fixes)).permutation(len(fixes))])
    revision = revised(known, whole.events)
    final = known - revision.withdrawn | {event.key for event in revision.added}
    assert final == {event.key for event in whole.events}
    assert all(event.late and not event.alarm for event in revision.added)
    again = revised(final, whole.events)
    assert (again.added, again.withdrawn) == ((), frozenset())


@settings(deadline=None)
@given(courses(), st.data())
def test_a_stretch_looked_at_again_from_its_checkpoint_is_as_if_from_the_beginning(
    fixes: Fixes, data: st.DataObject
) -> None:
    checkpoint = data.draw(st.integers(0, len(fixes)))
    before = FENCES.evaluate(fixes[:checkpoint])
    after = FENCES.evaluate(fixes[checkpoint:], before.states)
    assert before.events + after.events == FENCES.evaluate(fixes).events


@settings(deadline=None)
@given(courses())
def test_nobody_enters_twice_without_leaving(fixes: Fixes) -> None:
    for number in AREAS:
        visits = [event for event in FENCES.evaluate(fixes).events if event.zone == number and event.kind != "dwell"]
        visits.sort(key=lambda event: (event.at_ms, event.confirmed_ms))
        assert all(one.kind != other.kind for one, other in pairwise(visits))
        keys = [event.key for event in visits]
        assert len(keys) == len(set(keys))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([40, 80, 99, 101, 108, 113]), st.integers(1, 60)), min_size=1, max_size=40))
def test_nobody_flaps_inside_the_band(steps: list[tuple[int, int]]) -> None:
    fixes = walked([(x, 50) for x, _ in steps], seconds=np.cumsum([s for _, s in steps]).tolist())
    fences = Fences([zone()])
    assert [event.kind for event in fences.evaluate(fixes).events] in ([], ["enter"])


@settings(deadline=None)
@given(courses())
def test_the_machine_in_arrays_is_the_machine_step_by_step(fixes: Fixes) -> None:
    events = FENCES.evaluate(fixes).events
    for number in (1, 3):
        ours = [(e.kind, e.at_ms, e.confirmed_ms, e.reason) for e in events if e.zone == number and e.kind != "dwell"]
        assert ours == _step_by_step(fixes, AREAS[number])


def _step_by_step(fixes: Fixes, area: shapely.Polygon) -> list[tuple[str, int, int, str]]:
    """One fix after the other, as the rule reads."""
    events: list[tuple[str, int, int, str]] = []
    phase, since, count, heard, looked = "outside", 0, 0, -1, False
    xy = PLANE.to_xy(np.column_stack((fixes.lon, fixes.lat)))
    for now, place, accuracy, confident in zip(
        fixes.time_ms.tolist(), xy, fixes.accuracy_m.tolist(), fixes.confident.tolist(), strict=True
    ):
        if heard >= 0 and now - heard > RULES.gap_s * 1000:
            if phase in {"inside", "leaving"}:
                events.append(("leave", heard, now, "gap"))
            phase = "outside"
        heard = now
        accuracy_m = RULES.accuracy_default_m if np.isnan(accuracy) else accuracy
        if not confident or accuracy_m > RULES.accuracy_max_m:
            continue
        away_m = area.distance(shapely.Point(place))
        inside, outside = away_m == 0, away_m > max(RULES.band_m, accuracy_m)
        if inside and phase == "outside":
            phase, since, count = ("entering", now, 0) if looked else ("inside", now, 0)
        elif (phase == "entering" and not inside) or (phase == "leaving" and not outside):
            phase = "outside" if phase == "entering" else "inside"
        elif phase == "inside" and outside:
            phase, since, count = "leaving", now, 0
        looked = True
        count += 1
        if phase == "entering" and (count >= RULES.enter_fixes or now - since >= RULES.enter_s * 1000):
            events.append(("enter", since, now, ""))
            phase = "inside"
        if phase == "leaving" and count >= RULES.leave_fixes and now - since >= RULES.leave_s * 1000:
            events.append(("leave", since, now, ""))
            phase = "outside"
    return events


def test_real_walks_through_a_mesh_of_zones_enter_and_leave_in_turn_and_flap_less_than_their_fixes() -> None:
    entered = crossed = 0
    for points in list(geolife().values())[:12]:
        time_ms = [round(point.fix_time.timestamp() * 1000) for point in points]
        lon, lat = np.array([(point.lon, point.lat) for point in points]).T
        plane = Plane(float(np.median(lat)), float(np.median(lon)))
        cells, cell = np.unique(np.floor(plane.to_xy(np.column_stack((lon, lat))) / 200), axis=0, return_inverse=True)
        meshes = shapely.box(*(cells * 200).T, *(cells * 200 + 200).T)
        fences = Fences([zone(n, area) for n, area in enumerate(plane.geometry_to_lon_lat(meshes))])
        events = fences.evaluate(Fixes.of(1, time_ms, lon, lat)).events
        for number in range(len(cells)):
            kinds = [event.kind for event in events if event.zone == number]
            assert all(one != other for one, other in pairwise(kinds))
        entered += sum(event.kind == "enter" for event in events)
        crossed += int((np.diff(cell.ravel()) != 0).sum())
    assert 0 < entered < 0.8 * crossed
