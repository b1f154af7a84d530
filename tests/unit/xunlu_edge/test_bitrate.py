"""What the uplink carries, and how size and frame rate follow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_edge.media.bitrate import FLOOR_BPS, START_BPS, BitrateController
from xunlu_edge.media.ladder import LADDER, size_within, step_for
from xunlu_edge.media.steering import Steering

CEILING_BPS = 1_500_000


def after(
    controller: BitrateController, seconds: int, *, lost: float = 0.0, estimate_bps: float | None = None
) -> float:
    for second in range(1, seconds + 1):
        if estimate_bps is not None:
            controller.estimated(estimate_bps, second)
        controller.reported(lost, second)
    return controller.target_bps


def test_it_begins_carefully_and_grows_to_the_ceiling() -> None:
    controller = BitrateController(CEILING_BPS, 0.0)
    assert controller.target_bps == START_BPS
    assert START_BPS < after(controller, 5) < CEILING_BPS
    assert after(controller, 60) == CEILING_BPS


def test_an_estimate_of_no_more_than_what_is_sent_is_a_limit() -> None:
    controller = BitrateController(CEILING_BPS, 0.0)
    controller.sent(580_000)
    assert after(controller, 10, estimate_bps=400_000) == 400_000


def test_an_estimate_of_a_calm_scene_is_no_limit() -> None:
    controller = BitrateController(CEILING_BPS, 0.0)
    controller.sent(100_000)
    assert after(controller, 10, estimate_bps=160_000) > START_BPS


def test_growth_is_bolder_up_to_an_estimate() -> None:
    alone, guided = BitrateController(CEILING_BPS, 0.0), BitrateController(CEILING_BPS, 0.0)
    assert after(guided, 3, estimate_bps=5e6) > after(alone, 3)


def test_an_estimate_that_is_not_repeated_fades() -> None:
    controller = BitrateController(CEILING_BPS, 0.0)
    controller.sent(500_000)
    controller.estimated(200_000, 1.0)
    assert controller.target_bps == 200_000
    for second in range(2, 60):
        controller.reported(0.0, second)
    assert controller.target_bps > 1_000_000


@pytest.mark.parametrize(("lost", "share"), [(0.05, 1.0), (0.2, 0.9), (0.5, 0.75)])
def test_loss_above_a_tenth_shrinks_it_by_half_of_the_loss(lost: float, share: float) -> None:
    controller = BitrateController(CEILING_BPS, 0.0)
    controller.reported(lost, 1.0)
    assert controller.target_bps == pytest.approx(START_BPS * share)


def test_after_an_outage_it_begins_low() -> None:
    controller = BitrateController(CEILING_BPS, 0.0)
    after(controller, 60)
    controller.interrupted()
    assert controller.target_bps == START_BPS


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("reported"), st.floats(0, 1)),
            st.tuples(st.just("estimated"), st.floats(0, 1e9)),
            st.tuples(st.just("sent"), st.floats(0, 1e9)),
            st.tuples(st.just("interrupted"), st.just(0.0)),
        )
    ),
    st.integers(50_000, 20_000_000),
)
def test_it_stays_between_floor_and_ceiling_whatever_is_reported(events: list[tuple[str, float]], ceiling: int) -> None:
    controller = BitrateController(ceiling, 0.0)
    for second, (what, value) in enumerate(events):
        match what:
            case "reported":
                controller.reported(value, second)
            case "estimated":
                controller.estimated(value, second)
            case "sent":
                controller.sent(value)
            case _:
                controller.interrupted()
        assert FLOOR_BPS <= controller.target_bps <= max(ceiling, FLOOR_BPS)


@given(st.integers(0, 10_000_000), st.sampled_from([None, *LADDER]))
def test_the_ladder_never_spends_more_than_there_is(bitrate_bps: int, now: object) -> None:
    step = step_for(bitrate_bps, now)  # type: ignore[arg-type]
    assert step.from_bps <= bitrate_bps or step is LADDER[0]


def test_the_ladder_climbs_late_and_descends_at_once() -> None:
    low = step_for(590_000)
    assert low.height == 360
    assert step_for(610_000, low) is low
    high = step_for(730_000, low)
    assert high.height == 480
    assert step_for(610_000, high) is high
    assert step_for(590_000, high) is low


def test_more_bits_are_never_a_smaller_picture() -> None:
    heights = [step_for(bitrate).height for bitrate in range(0, 8_000_000, 10_000)]
    assert heights == sorted(heights)


@pytest.mark.parametrize(
    ("source", "height_max", "size"),
    [((1280, 720), 360, (640, 360)), ((640, 360), 1080, (640, 360)), ((1279, 719), 480, (854, 480))],
)
def test_a_picture_is_scaled_down_with_its_proportions_and_never_up(
    source: tuple[int, int], height_max: int, size: tuple[int, int]
) -> None:
    assert size_within(*source, height_max) == size


def test_one_keyframe_serves_all_who_ask_within_a_moment() -> None:
    steering = Steering(BitrateController(CEILING_BPS, 0.0))
    assert steering.takes_keyframe(0.0)
    assert not steering.takes_keyframe(1.0)
    for _ in range(3):
        steering.want_keyframe()
    assert steering.takes_keyframe(2.0)
    steering.want_keyframe()
    assert not steering.takes_keyframe(2.1)
    assert steering.takes_keyframe(2.5)
    assert steering.keyframes == 3
