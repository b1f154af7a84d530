"""The adaptive rate: how many of the receiver's fixes are reported."""

from tests.unit.xunlu_edge.rig import START_MS
from xunlu_edge.gate import Fix
from xunlu_edge.gnss.epoch import Epoch
from xunlu_edge.rate import Activity, Rate
from xunlu_protocol.shadow import RecorderConfig

CONFIG = RecorderConfig()
METRE = 1 / 111_195


def fix_at(second: float, *, north_m: float = 0.0, speed_mps: float = 0.0, course_deg: float | None = 0.0) -> Fix:
    epoch = Epoch(quality=1, speed_mps=speed_mps, course_deg=course_deg)
    at = START_MS + round(second * 1000)
    return Fix(utc_ms=at, lat=31.23 + north_m * METRE, lon=121.47, accuracy_m=4.0, epoch=epoch)


def reports(fixes: list[Fix], activity: Activity = Activity(), rate: Rate | None = None) -> list[float]:  # noqa: B008
    rate = rate or Rate()
    return [(fix.utc_ms - START_MS) / 1000 for fix in fixes if rate.is_due(fix, activity, CONFIG)]


STANDING = [fix_at(second) for second in range(120)]
WALKING = [fix_at(second, north_m=second * 1.4, speed_mps=1.4) for second in range(60)]


def test_standing_reports_every_fifteen_seconds() -> None:
    assert reports(STANDING) == [0, 15, 30, 45, 60, 75, 90, 105]


def test_walking_reports_every_five_seconds_from_the_second_step_on() -> None:
    assert reports(WALKING) == [*range(0, 60, 5)]


def test_recording_reports_every_two_seconds_and_sos_every_second() -> None:
    assert reports(STANDING[:10], Activity(recording=True)) == [0, 2, 4, 6, 8]
    assert reports(STANDING[:5], Activity(recording=True, sos=True)) == [0, 1, 2, 3, 4]


def test_a_command_overrides_the_rate_but_never_slows_an_sos() -> None:
    assert reports(STANDING[:31], Activity(interval_s=10)) == [0, 10, 20, 30]
    assert reports(WALKING[:31], Activity(interval_s=10)) == [0, 10, 20, 30]
    assert reports(STANDING[:4], Activity(interval_s=10, sos=True)) == [0, 1, 2, 3]


def test_a_receiver_that_jitters_on_the_spot_does_not_walk() -> None:
    jittering = [fix_at(second, north_m=6 * (second % 3 - 1), speed_mps=0.4) for second in range(120)]
    assert reports(jittering) == [0, 15, 30, 45, 60, 75, 90, 105]


def test_a_slow_walk_without_speed_is_seen_by_its_distance() -> None:
    slow = [fix_at(second, north_m=second * 0.8) for second in range(60)]
    assert len(reports(slow)) > 8


def test_a_turn_on_the_move_is_reported_at_once() -> None:
    turning = [fix_at(s, north_m=s * 3, speed_mps=3, course_deg=0 if s < 7 else 90) for s in range(12)]
    assert 7.0 in reports(turning)


def test_who_is_asked_reports_the_next_fix() -> None:
    rate = Rate()
    assert reports(STANDING[:5], rate=rate) == [0]
    rate.ask()
    assert reports(STANDING[5:9], rate=rate) == [5]


def test_a_receiver_whose_time_went_back_is_not_silenced() -> None:
    rate = Rate()
    reports([fix_at(1000)], rate=rate)
    assert reports(STANDING[:1], rate=rate) == [0]
