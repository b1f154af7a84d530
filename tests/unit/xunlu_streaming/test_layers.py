"""A viewer gets the largest layer that its link carries, without being thrown about."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.layers import PATIENCE_MAX_S, RISE_S, TRIAL_S, Chooser, Offer

LOW = Offer(rid="l", bitrate_bps=150_000, height=180)
MID = Offer(rid="m", bitrate_bps=500_000, height=360)
HIGH = Offer(rid="h", bitrate_bps=1_500_000, height=720)
LAYERS = (HIGH, LOW, MID)
BITRATE = {one.rid: one.bitrate_bps for one in LAYERS}


def first(bandwidth_bps: int | None, height: int | None = None) -> str | None:
    return Chooser().choose(LAYERS, bandwidth_bps, None, 0.0, height=height)


@pytest.mark.parametrize(
    ("bandwidth_bps", "rid"),
    [(None, "h"), (5_000_000, "h"), (1_500_000, "h"), (1_499_999, "m"), (500_000, "m"), (400_000, "l"), (1000, "l")],
)
def test_the_first_layer_is_the_largest_that_fits(bandwidth_bps: int | None, rid: str) -> None:
    assert first(bandwidth_bps) == rid


@pytest.mark.parametrize(("height", "rid"), [(100, "l"), (180, "l"), (181, "m"), (360, "m"), (700, "h"), (4000, "h")])
def test_a_small_window_gets_no_more_than_fills_it(height: int, rid: str) -> None:
    assert first(10_000_000, height) == rid


def test_a_window_that_shrinks_gives_its_layer_up_at_once() -> None:
    assert Chooser().choose(LAYERS, 10_000_000, "h", 0.0, height=180) == "l"


def test_layers_that_are_not_sent_are_no_choice() -> None:
    silent = Offer(rid="h", bitrate_bps=0, height=720)
    assert Chooser().choose((LOW, silent), None, None, 0.0) == "l"
    assert Chooser().choose((silent,), 10_000_000, "l", 0.0) == "l"
    assert Chooser().choose((), None, None, 0.0) is None


def test_a_link_that_narrows_is_heeded_at_once() -> None:
    assert Chooser().choose(LAYERS, 600_000, "h", 0.0) == "m"
    assert Chooser().choose(LAYERS, 200_000, "h", 0.0) == "l"


def test_a_bitrate_that_just_exceeds_the_estimate_is_tolerated() -> None:
    assert Chooser().choose(LAYERS, 1_400_000, "h", 0.0) == "h"


def test_a_link_that_widens_must_prove_it_for_a_while() -> None:
    chooser = Chooser()
    assert chooser.choose(LAYERS, 2_000_000, "l", 0.0) == "l"
    assert chooser.choose(LAYERS, 2_000_000, "l", RISE_S / 2) == "l"
    assert chooser.choose(LAYERS, 180_000, "l", RISE_S) == "l"
    assert chooser.choose(LAYERS, 2_000_000, "l", RISE_S + 1) == "l"
    assert chooser.choose(LAYERS, 2_000_000, "l", 2 * RISE_S + 1) == "h"
    assert chooser.choose(LAYERS, 2_000_000, "l", 2 * RISE_S + 2) == "h", "until its keyframe comes"


@dataclass
class Viewer:
    """A viewer's estimate as browsers make it: it grows slowly, and no further than what it is sent proves."""

    link_bps: float
    chooser: Chooser = field(default_factory=Chooser)
    rid: str = "l"
    estimate_bps: float = 150_000
    keyframe_s: int = 1

    def watch(self, seconds: int, begin_s: int = 0) -> str:
        """The layer in each second."""
        seen = ""
        for now_s in range(begin_s, begin_s + seconds):
            sent_bps = BITRATE[self.rid]
            loss = max(0.0, 1 - self.link_bps / sent_bps)
            if loss:
                self.estimate_bps = 0.85 * self.link_bps
            else:
                self.estimate_bps = max(self.estimate_bps, min(1.08 * self.estimate_bps + 1000, 1.5 * sent_bps))
            wanted = self.chooser.choose(LAYERS, int(self.estimate_bps), self.rid, float(now_s), loss=loss)
            if now_s % self.keyframe_s == 0 and wanted is not None:
                self.rid = wanted
            seen += self.rid
        return seen


@pytest.mark.parametrize("keyframe_s", [1, 4])
def test_a_wide_link_gets_the_largest_layer_although_its_estimate_cannot_prove_it(keyframe_s: int) -> None:
    assert Viewer(10e6, keyframe_s=keyframe_s).watch(90).endswith("hhhhhhhhhh")


def test_a_link_for_the_middle_layer_stays_there_most_of_the_time() -> None:
    seen = Viewer(900e3).watch(600)[60:]
    assert seen.count("m") > 0.9 * len(seen)
    assert seen.count("h") < 0.05 * len(seen)


def test_a_trial_that_failed_is_tried_less_and_less_often() -> None:
    seen = Viewer(300e3).watch(900)
    tries = [at for at in range(1, len(seen)) if seen[at] == "m" != seen[at - 1]]
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits == sorted(waits)
    assert waits[-1] > 100
    assert waits[-1] <= PATIENCE_MAX_S + 20
    assert seen.count("m") < 0.05 * len(seen)


def test_a_link_that_widens_late_is_found_in_the_end() -> None:
    viewer = Viewer(300e3)
    viewer.watch(300)
    viewer.link_bps = 10e6
    assert viewer.watch(200, 300).endswith("hhhhhhhhhh")


def test_a_trial_ends_when_its_time_is_over() -> None:
    chooser = Chooser()
    chooser.choose(LAYERS, 225_000, "l", 0.0)
    assert chooser.choose(LAYERS, 225_000, "m", 1.0) == "m"
    assert chooser.choose(LAYERS, 230_000, "m", TRIAL_S) == "m"
    assert chooser.choose(LAYERS, 230_000, "m", TRIAL_S + 1.1) == "l"


@pytest.mark.parametrize(("bandwidth_bps", "loss"), [(200_000, 0.0), (260_000, 0.2)])
def test_a_trial_ends_when_the_link_says_no(bandwidth_bps: int, loss: float) -> None:
    chooser = Chooser()
    chooser.choose(LAYERS, 225_000, "l", 0.0)
    assert chooser.choose(LAYERS, 225_000, "m", 1.0) == "m"
    assert chooser.choose(LAYERS, bandwidth_bps, "m", 2.0, loss=loss) == "l"


rids = st.sampled_from(["l", "m", "h", "x"])
offers = st.lists(
    st.builds(Offer, rid=rids, bitrate_bps=st.integers(0, 10**7), height=st.integers(0, 2000)), max_size=4
)
moments = st.tuples(offers, st.none() | st.integers(0, 10**8), st.none() | rids, st.floats(0, 20), st.booleans())


@given(st.lists(moments, max_size=40))
def test_whatever_happens_the_choice_is_a_layer_that_is_sent_or_the_present_one(
    story: list[tuple[list[Offer], int | None, str | None, float, bool]],
) -> None:
    chooser, now_s = Chooser(), 0.0
    for published, bandwidth_bps, current, passed_s, lossy in story:
        now_s += passed_s
        wanted = chooser.choose(published, bandwidth_bps, current, now_s, height=400, loss=0.5 if lossy else 0.0)
        assert wanted == current or wanted in {one.rid for one in published if one.bitrate_bps}
