"""Packets become what a decoder takes, whatever is lost; nothing that is no picture comes out."""

import base64
from collections.abc import Sequence

import av
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.rtp_media import FPS, Picture, VideoCodec, pictures, sounds, video_stream
from tests.unit.xunlu_streaming.pictures import h264
from xunlu_streaming.record.h264 import H264, PPS, SPS, sprop_parameter_sets
from xunlu_streaming.record.opus import Opus, duration_us
from xunlu_streaming.record.rtp import Packet, parse
from xunlu_streaming.record.unit import Depacketiser, Unit
from xunlu_streaming.record.vp8 import Vp8

CODECS: tuple[VideoCodec, ...] = ("H264", "VP8")
DECODERS = {"H264": "h264", "VP8": "vp8"}


def new(codec: VideoCodec) -> Depacketiser:
    return H264() if codec == "H264" else Vp8()


def packets_of(shown: Sequence[Picture]) -> list[Packet]:
    stream = video_stream()
    packets = [one for n, each in enumerate(shown) for one in stream.packets(each.payloads, n / FPS)]
    return [parsed for one in packets if (parsed := parse(one)) is not None]


def taken(depacketiser: Depacketiser, packets: Sequence[Packet], lost: frozenset[int] = frozenset()) -> list[Unit]:
    units: list[Unit] = []
    missing = False
    for place, packet in enumerate(packets):
        if place in lost:
            missing = True
            continue
        units += depacketiser.take(packet, missing)
        missing = False
    return units


def decoded(codec: VideoCodec, units: Sequence[Unit]) -> int:
    """How many pictures a strict decoder makes of units."""
    context = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(context, av.VideoCodecContext)
    context.options = {"err_detect": "explode"}
    shown = sum(len(context.decode(av.Packet(unit.data))) for unit in units)
    return shown + len(context.decode(None))


@pytest.mark.parametrize("codec", CODECS)
def test_every_picture_comes_out_as_it_went_in(codec: VideoCodec) -> None:
    shown = pictures(codec, 2 * FPS)
    depacketiser = new(codec)
    units = taken(depacketiser, packets_of(shown))
    assert max(len(one.payloads) for one in shown) > 2, "no picture needs several packets"
    assert [unit.keyframe for unit in units] == [one.keyframe for one in shown]
    assert decoded(codec, units) == len(shown)
    assert {(unit.format.width, unit.format.height) for unit in units} == {(192, 112)}
    assert not any(unit.after_loss for unit in units)
    assert (depacketiser.malformed, depacketiser.undecodable) == (0, 0)


@pytest.mark.parametrize("codec", CODECS)
@settings(deadline=None, max_examples=40)
@given(lost=st.frozensets(st.integers(0, 200), max_size=12))
@example(lost=frozenset({0}))
def test_after_any_loss_only_what_decodes_comes_out_and_it_says_so(codec: VideoCodec, lost: frozenset[int]) -> None:
    shown = pictures(codec, 3 * FPS)
    packets = packets_of(shown)
    units = taken(new(codec), packets, lost)
    assert decoded(codec, units) == len(units)
    stamps = {packets[place].stamp for place in lost if place < len(packets)}
    assert not stamps & {unit.stamp for unit in units}
    order = list(dict.fromkeys(packet.stamp for packet in packets))
    places = [order.index(unit.stamp) for unit in units]
    for before, after, unit in zip(places, places[1:], units[1:], strict=False):
        assert unit.after_loss == (after != before + 1)
        assert unit.keyframe or not unit.after_loss


@pytest.mark.parametrize("codec", CODECS)
@settings(deadline=None)
@given(
    payloads=st.lists(
        st.tuples(st.integers(0, 2), st.booleans(), st.booleans(), st.binary(min_size=1, max_size=60)), max_size=40
    )
)
def test_hostile_payloads_are_counted_and_nothing_else(
    codec: VideoCodec, payloads: list[tuple[int, bool, bool, bytes]]
) -> None:
    depacketiser = new(codec)
    for seq, (stamp, marker, lost, payload) in enumerate(payloads):
        depacketiser.take(Packet(seq, stamp, marker, 1, 96, payload), lost)
    good = pictures(codec, FPS)
    units = [unit for packet in packets_of(good) for unit in depacketiser.take(packet, False)]
    assert decoded(codec, units[-len(good) :]) >= len(good) - 1, "garbage before a keyframe spoils nothing after it"


@given(st.binary(max_size=80), st.integers(0, 8))
def test_a_hostile_packet_has_a_payload_or_is_none(data: bytes, at: int) -> None:
    packet = parse(data, at)
    assert packet is None or (packet.payload and packet.payload in data[at:])


def test_extensions_csrcs_and_padding_are_no_payload() -> None:
    head = bytes((0xB1, 0x80 | 96)) + b"\x00\x07" + b"\x00\x00\x00\x09" + b"\x00\x00\x00\x01" + b"csrc"
    extension = b"\xbe\xde\x00\x01" + b"\x10\xff\x00\x00"
    packet = parse(head + extension + b"payload" + b"\x00\x00\x03")
    assert packet == Packet(7, 9, True, 1, 96, b"payload")
    assert parse(head + extension + b"payload" + b"\x00") is None
    assert parse(head + extension + b"\x02\x02") is None
    assert parse(head + b"\xbe\xde\xff\xff") is None


def test_parameter_sets_of_the_offer_serve_a_publisher_that_sends_none() -> None:
    shown = h264(64, 48, {"profile": "baseline"})
    sets = [unit for unit in shown[0] if unit[0] & 0x1F in (SPS, PPS)]
    bare = [[unit for unit in units if unit not in sets] for units in shown]
    packets = [
        Packet(0, 3600 * place, unit is units[-1], 1, 96, unit) for place, units in enumerate(bare) for unit in units
    ]
    fmtp = "packetization-mode=1;sprop-parameter-sets=" + ",".join(base64.b64encode(one).decode() for one in sets)
    assert not taken(H264(), packets)
    assert decoded("H264", taken(H264(fmtp), packets)) == 3
    assert sprop_parameter_sets("sprop-parameter-sets=AAA,=,") == []


def test_sound_lasts_as_long_as_its_first_byte_says() -> None:
    for data in sounds(5):
        [unit] = Opus().take(Packet(1, 0, False, 1, 111, data), False)
        assert (unit.duration_us, unit.keyframe, unit.data) == (20_000, True, data)


@given(st.binary(min_size=1, max_size=4))
def test_a_hostile_sound_is_short_or_none(data: bytes) -> None:
    lasts_us = duration_us(data)
    assert lasts_us is None or 2_500 <= lasts_us <= 120_000
