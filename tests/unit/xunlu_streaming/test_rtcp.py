"""RTCP survives the wire both ways, agrees with aiortc, and nothing malformed does harm."""

import contextlib

import pytest
from aiortc import rtp
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming import rtcp
from xunlu_streaming.errors import RtcpError

words = st.integers(0, 2**32 - 1)
numbers = st.integers(0, 2**16 - 1)
ssrcs = st.lists(words, max_size=5).map(tuple)
blocks = st.builds(
    rtcp.ReportBlock,
    ssrc=words,
    fraction=st.integers(0, 255),
    lost=st.integers(-(2**23), 2**23 - 1),
    highest=words,
    jitter=words,
    lsr=words,
    dlsr=words,
)


def pli() -> bytes:
    return rtcp.pli(1, 2)


@given(words, st.integers(0, 2**64 - 1), words, words, words)
def test_a_sender_report_survives_the_wire(ssrc: int, ntp: int, stamp: int, packets: int, octets: int) -> None:
    data = rtcp.sender_report(ssrc, ntp, stamp, packets, octets)
    assert rtcp.parse(data) == [rtcp.SenderReport(ssrc, ntp, stamp, packets, octets)]
    (seen,) = rtp.RtcpPacket.parse(data)
    assert isinstance(seen, rtp.RtcpSrPacket)
    assert seen.sender_info == rtp.RtcpSenderInfo(ntp, stamp, packets, octets)


@given(words, st.lists(blocks, max_size=31))
def test_a_receiver_report_survives_the_wire(ssrc: int, sent: list[rtcp.ReportBlock]) -> None:
    data = rtcp.receiver_report(ssrc, sent)
    assert rtcp.parse(data) == [rtcp.ReceiverReport(ssrc, tuple(sent))]
    (seen,) = rtp.RtcpPacket.parse(data)
    assert isinstance(seen, rtp.RtcpRrPacket)
    assert [(one.ssrc, one.packets_lost, one.lsr) for one in seen.reports] == [
        (one.ssrc, one.lost, one.lsr) for one in sent
    ]


@given(words, words, st.lists(st.integers(0, 2**40), max_size=200, unique=True).map(sorted))
def test_what_is_asked_for_again_survives_the_wire(ssrc: int, media: int, asked: list[int]) -> None:
    data = rtcp.nack(ssrc, media, asked)
    sequences = [number & 0xFFFF for number in asked]
    assert rtcp.parse(data) == [rtcp.Nack(ssrc, media, tuple(sequences))]
    (seen,) = rtp.RtcpPacket.parse(data)
    assert isinstance(seen, rtp.RtcpRtpfbPacket)
    # It forgets to wrap the numbers behind the first.
    assert [number & 0xFFFF for number in seen.lost] == sequences


def test_neighbours_share_a_field_across_the_wrap() -> None:
    data = rtcp.nack(1, 2, [65_534, 65_535, 65_536, 65_550])
    assert len(data) == 16
    assert rtcp.parse(data) == [rtcp.Nack(1, 2, (65_534, 65_535, 0, 14))]


def test_a_request_for_everything_fits_a_packet() -> None:
    assert len(rtcp.nack(1, 2, range(0, 60_000, 20))) == 12 + 4 * rtcp.NACK_FIELDS_MAX


@given(words, st.integers(0, 2**70), ssrcs)
def test_a_bitrate_survives_the_wire_to_eighteen_bits(ssrc: int, bitrate_bps: int, media: tuple[int, ...]) -> None:
    data = rtcp.remb(ssrc, bitrate_bps, media)
    (seen,) = rtcp.parse(data)
    assert isinstance(seen, rtcp.Remb)
    assert (seen.ssrc, seen.media) == (ssrc, media)
    assert seen.bitrate_bps <= bitrate_bps <= seen.bitrate_bps * (1 + 2**-17)
    (other,) = rtp.RtcpPacket.parse(data)
    assert isinstance(other, rtp.RtcpPsfbPacket)
    assert rtp.unpack_remb_fci(other.fci) == (seen.bitrate_bps, list(media))


@given(words, words, st.integers(0, 1000))
def test_requests_for_keyframes_survive_the_wire(ssrc: int, media: int, number: int) -> None:
    demand = rtcp.fir(ssrc, media, number)
    assert rtcp.parse(rtcp.pli(ssrc, media) + demand) == [rtcp.Pli(ssrc, media), rtcp.Fir(ssrc, (media,))]
    assert demand[16] == number & 0xFF


@given(words, ssrcs, st.text(max_size=300))
def test_a_compound_packet_keeps_its_order_and_skips_names(ssrc: int, left: tuple[int, ...], name: str) -> None:
    data = rtcp.receiver_report(ssrc, ()) + rtcp.sdes(ssrc, name) + rtcp.bye(left)
    assert rtcp.parse(data) == [rtcp.ReceiverReport(ssrc), rtcp.Bye(left)]


@given(words, st.text(st.characters(codec="ascii"), max_size=255))
def test_aiortc_reads_our_name(ssrc: int, name: str) -> None:
    (seen,) = rtp.RtcpPacket.parse(rtcp.sdes(ssrc, name))
    assert isinstance(seen, rtp.RtcpSdesPacket)
    assert seen.chunks == [rtp.RtcpSourceInfo(ssrc, [(1, name.encode())])]


def test_what_aiortc_writes_is_understood() -> None:
    info = rtp.RtcpReceiverInfo(5, 7, -2, 70_000, 9, 10, 11)
    sent: list[rtp.AnyRtcpPacket] = [
        rtp.RtcpSrPacket(ssrc=1, sender_info=rtp.RtcpSenderInfo(2**63, 3, 4, 5), reports=[info]),
        rtp.RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[65_530, 65_532, 65_535]),
        rtp.RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=rtp.pack_remb_fci(2_500_000, [2, 3])),
        rtp.RtcpByePacket(sources=[1, 2]),
    ]
    assert rtcp.parse(b"".join(bytes(one) for one in sent)) == [
        rtcp.SenderReport(1, 2**63, 3, 4, 5, (rtcp.ReportBlock(5, 7, -2, 70_000, 9, 10, 11),)),
        rtcp.Nack(1, 2, (65_530, 65_532, 65_535)),
        rtcp.Remb(1, 2_500_000 >> 4 << 4, (2, 3)),
        rtcp.Bye((1, 2)),
    ]


def test_unknown_types_and_formats_are_skipped() -> None:
    extended = bytes.fromhex("80cf0001 00000001")
    feedback = bytes.fromhex("8fcd0003 00000001 00000002 00000000")
    application = bytes.fromhex("8fce0003 00000001 00000002 474f4f47")
    assert rtcp.parse(extended + feedback + application + pli()) == [rtcp.Pli(1, 2)]


def test_a_profile_extension_behind_the_blocks_is_tolerated() -> None:
    assert rtcp.parse(bytes.fromhex("80c90003 00000007 01020304 05060708")) == [rtcp.ReceiverReport(7)]


def test_padding_is_taken_off() -> None:
    padded = bytes.fromhex("a1ce0003 00000001 00000002 00000004")
    assert rtcp.parse(padded) == [rtcp.Pli(1, 2)]
    nack = bytes.fromhex("a1cd0004 00000001 00000002 00050000 00000004")
    assert rtcp.parse(nack) == [rtcp.Nack(1, 2, (5,))]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x80", id="shorter than a header"),
        pytest.param(bytes.fromhex("80c90002 00000001"), id="longer than the datagram"),
        pytest.param(bytes.fromhex("40c90001 00000001"), id="another version"),
        pytest.param(bytes.fromhex("82c90001 00000001"), id="blocks that are not there"),
        pytest.param(bytes.fromhex("9fcb0001 00000001"), id="sources that are not there"),
        pytest.param(bytes.fromhex("80c80001 00000001"), id="a sender report without sender"),
        pytest.param(bytes.fromhex("81cd0003 00000001 00000002 0001")[:-2] + b"\0\0", id="a torn word"),
        pytest.param(bytes.fromhex("84ce0003 00000001 00000002 00000003"), id="half a demand"),
        pytest.param(bytes.fromhex("8fce0004 00000001 00000000 52454d42 ff000000"), id="streams that are not there"),
        pytest.param(bytes.fromhex("a0c90001 00000000"), id="padding of nothing"),
        pytest.param(bytes.fromhex("a0c90001 00000009"), id="more padding than packet"),
    ],
)
def test_contradicting_lengths_are_refused(data: bytes) -> None:
    with pytest.raises(RtcpError) as caught:
        rtcp.parse(pli() + data)
    assert caught.value.reason == "length"


heads = st.builds(
    lambda first, kind, words: bytes([first, kind]) + words.to_bytes(2),
    st.integers(0x80, 0xBF),
    st.integers(200, 207),
    st.integers(0, 12),
)


@given(st.binary(max_size=200) | st.lists(heads | st.binary(max_size=48), max_size=8).map(b"".join))
def test_garbage_gives_packets_or_an_error_and_never_more_than_its_bytes(data: bytes) -> None:
    with contextlib.suppress(RtcpError):
        packets = rtcp.parse(memoryview(data))
        assert len(packets) <= len(data) // 4
        asked = sum(len(one.sequences) for one in packets if isinstance(one, rtcp.Nack))
        assert asked <= 17 * len(data) / 4
