"""Opus by its own library: what FFmpeg's decoders do not do."""

from hypothesis import given
from hypothesis import strategies as st

from xunlu_edge.media.opus import OpusEncoder
from xunlu_edge.media.tone import BEEP_PIECES, Tone
from xunlu_edge.talk.opus_decoder import OpusDecoder
from xunlu_edge.talk.tones import PIECE_BYTES


def energy(pcm: bytes) -> int:
    return sum(abs(sample) for sample in memoryview(pcm).cast("h"))


def test_the_packet_behind_a_lost_one_holds_it_and_concealment_fades() -> None:
    tone, encoder = Tone(), OpusEncoder()
    said = [sound.data for _ in range(BEEP_PIECES) for sound in encoder.encode(tone.read())]
    whole, decoder = OpusDecoder(), OpusDecoder()
    sounds = [whole.decode(packet) for packet in said]
    for packet in said[:5]:
        decoder.decode(packet)
    mended = decoder.mend(said[6])
    assert energy(mended) > energy(sounds[5]) / 2
    drawn_out = [energy(decoder.mend(None)) for _ in range(50)]
    assert drawn_out[0] > 0
    assert drawn_out[-1] < energy(mended) / 10


@given(st.binary(max_size=100))
def test_whatever_comes_something_sounds(packet: bytes) -> None:
    decoder = OpusDecoder()
    assert len(decoder.decode(packet)) >= PIECE_BYTES // 8
    assert len(decoder.mend(packet)) == PIECE_BYTES
