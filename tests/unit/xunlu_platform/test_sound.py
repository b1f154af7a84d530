"""What a browser recorded is measured by its own packets, and anything else is refused."""

import random

import pytest

from tests.sound import voice_note
from xunlu_platform.api.sound import SoundError, inspect

WEBM, OGG = voice_note(0.5), voice_note(0.5, "ogg")


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(WEBM, "audio/webm"), (voice_note(0.5, live=False), "audio/webm"), (OGG, "audio/ogg")],
    ids=["webm-live", "webm", "ogg"],
)
def test_a_recording_is_as_long_as_its_packets(data: bytes, media_type: str) -> None:
    sound = inspect(data)
    # The encoder's look-ahead adds up to one packet.
    assert sound.media_type == media_type
    assert sound.duration_s == pytest.approx(0.51, abs=0.02)


def test_a_header_makes_nothing_shorter() -> None:
    # The granule position of the last page says that hardly anything is in it.
    last = OGG.rindex(b"OggS")
    lying = OGG[: last + 6] + bytes(8) + OGG[last + 14 :]
    assert inspect(lying) == inspect(OGG)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"RIFF....WAVE",
        b"OggS",
        OGG[:100],
        OGG.replace(b"OpusHead", b"OpusTail"),
        OGG + OGG[:14] + b"....",
        WEBM[:-3],
        WEBM.replace(b"A_OPUS", b"A_XPUS"),
        WEBM.replace(b"A_OPUS", b"A_OPUS\x86\x81x"),
        b"\x1a\x45\xdf\xa3\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x1a\x45\xdf\xa3\x80",
    ],
)
def test_what_is_no_voice_note_is_refused(data: bytes) -> None:
    with pytest.raises(SoundError):
        inspect(data)


def test_no_damage_is_more_than_refused() -> None:
    chance = random.Random(7)
    for whole in (WEBM, OGG):
        for _ in range(500):
            damaged = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            try:
                assert inspect(bytes(damaged[: chance.randint(1, len(damaged))])).duration_s > 0
            except SoundError:
                continue
