"""Tones of the floor: their length, their loudness, their difference."""

import array
import itertools
from typing import get_args

import pytest

from xunlu_edge.talk.key import Signal
from xunlu_edge.talk.tones import LOUDNESS, PIECE_BYTES, SCORES, pieces


@pytest.mark.parametrize("signal", get_args(Signal))
def test_a_tone_is_whole_pieces_without_clicks(signal: Signal) -> None:
    made = pieces(signal)
    assert len(made) * 20 == sum(ms for _, ms in SCORES[signal])
    assert {len(piece) for piece in made} == {PIECE_BYTES}
    samples = array.array("h", b"".join(made))
    assert LOUDNESS * 0.9 < max(samples) <= LOUDNESS
    assert abs(samples[0]) < 100
    assert abs(samples[-1]) < LOUDNESS / 10
    assert max(abs(a - b) for a, b in itertools.pairwise(samples)) < LOUDNESS / 4


def test_every_signal_sounds_different() -> None:
    tones = [pieces(signal) for signal in get_args(Signal)]
    assert len(set(tones)) == len(tones)
