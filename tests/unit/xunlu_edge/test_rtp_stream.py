"""RTP towards the relay: numbers, repeats, reports, pacing; and that aiortc still has the names we lean on."""

import asyncio
import inspect
import struct

import pylibsrtp
import pytest
from aiortc import RTCDtlsTransport

from xunlu_edge.media import rtp
from xunlu_edge.media.adapter import (
    DtlsSrtp,
    HeaderExtensionsMap,
    RTCCertificate,
    RtpPacket,
    extensions_map,
    h264_payloads,
)
from xunlu_edge.media.ice import IceClient
from xunlu_edge.media.pacer import PACKETS_MAX, Pacer
from xunlu_edge.media.rtp import HISTORY_PACKETS, HISTORY_S, Outbound
from xunlu_edge.media.sdp import ABS_SEND_TIME, MID
from xunlu_edge.media.way import Credentials

EXTENSIONS = extensions_map([(1, MID), (2, ABS_SEND_TIME)])


def stream(*, rtx: bool = True) -> Outbound:
    return Outbound(payload_type=102, clock_hz=90_000, mid="0", ssrc=1000, rtx=(103, 2000) if rtx else None)


def test_the_packets_of_a_picture_share_a_time_and_the_last_is_marked() -> None:
    sent = stream().packets([b"a", b"b", b"c"], captured_s=5.0, now_s=5.1)
    numbers = [packet.sequence_number for packet in sent]
    assert numbers == [numbers[0], numbers[0] + 1 & 0xFFFF, numbers[0] + 2 & 0xFFFF]
    assert len({packet.timestamp for packet in sent}) == 1
    assert [packet.marker for packet in sent] == [0, 0, 1]


def test_timestamps_follow_the_time_of_capture() -> None:
    one = stream()
    [first], [second] = one.packets([b"a"], 5.0, 5.0), one.packets([b"b"], 5.04, 5.1)
    assert (second.timestamp - first.timestamp) % 2**32 == 3600


def test_a_lost_packet_is_repeated_by_rtx_with_its_number_in_front() -> None:
    one = stream()
    [packet] = one.packets([b"payload"], 0.0, 0.0)
    repeats = [one.retransmission(packet.sequence_number, 1.0 + number) for number in range(2)]
    first, second = (repeat for repeat in repeats if repeat is not None)
    assert first.payload == struct.pack("!H", packet.sequence_number) + b"payload"
    assert (first.payload_type, first.ssrc) == (103, 2000)
    assert second.sequence_number == first.sequence_number + 1 & 0xFFFF


def test_without_rtx_the_packet_itself_is_repeated() -> None:
    one = stream(rtx=False)
    [packet] = one.packets([b"payload"], 0.0, 0.0)
    assert one.retransmission(packet.sequence_number, 1.0) is packet


def test_a_packet_that_was_repeated_just_now_is_not_repeated_again() -> None:
    one = stream()
    [packet] = one.packets([b"payload"], 0.0, 0.0)
    assert one.retransmission(packet.sequence_number, 1.0) is not None
    assert one.retransmission(packet.sequence_number, 1.01) is None
    assert one.resent == 1


def test_history_is_bounded_in_packets_and_in_time() -> None:
    one = stream()
    [oldest] = one.packets([b"old"], 0.0, 0.0)
    kept = one.packets([b"x"] * HISTORY_PACKETS, 0.1, 0.1)
    assert one.retransmission(oldest.sequence_number, 0.2) is None
    assert one.retransmission(kept[1].sequence_number, 0.2) is not None
    assert one.retransmission(kept[1].sequence_number, 0.2 + HISTORY_S) is None
    assert one.too_late == 2


def test_a_sender_report_ties_utc_to_the_streams_own_time() -> None:
    one = stream()
    [packet] = one.packets([b"12345"], 5.0, 5.0)
    one.sent(packet)
    report = one.report("name", now_s=6.0, utc_ms=1_790_000_000_500)
    kind, _, ssrc, ntp, stamp, packets, octets = struct.unpack("!xBHLQLLL", report[:28])
    assert (kind, ssrc, packets, octets) == (200, 1000, 1, 5)
    assert ntp >> 32 == 1_790_000_000 + 2_208_988_800
    assert ntp & 0xFFFFFFFF == 1 << 31
    assert (stamp - packet.timestamp) % 2**32 == 90_000
    assert b"name" in report[28:]


def test_the_goodbye_is_a_compound_that_names_all_streams() -> None:
    data = rtp.bye([7, 8])
    assert (data[1], data[9]) == (201, 203)
    assert struct.unpack("!LL", data[-8:]) == (7, 8)


def test_the_time_of_sending_is_that_of_each_sending() -> None:
    [packet] = stream().packets([b"x"], 0.0, 0.0)
    first = RtpPacket.parse(rtp.serialize(packet, EXTENSIONS, 1000.0), EXTENSIONS).extensions
    later = RtpPacket.parse(rtp.serialize(packet, EXTENSIONS, 1500.0), EXTENSIONS).extensions
    assert first.mid == "0"
    assert ((later.abs_send_time or 0) - (first.abs_send_time or 0)) % 2**24 == pytest.approx(0.5 * 2**18, abs=1)


def test_an_extension_that_was_not_agreed_on_is_not_sent() -> None:
    [packet] = stream().packets([b"x"], 0.0, 0.0)
    assert len(rtp.serialize(packet, extensions_map([]), 1000.0)) == 13


def test_large_units_are_cut_and_small_ones_gathered() -> None:
    start = b"\x00\x00\x00\x01"
    payloads = h264_payloads(start + b"\x67" + b"s" * 10 + start + b"\x68" + b"p" * 4 + start + b"\x65" + b"i" * 3000)
    assert [payload[0] & 0x1F for payload in payloads] == [24, 28, 28, 28]
    assert max(map(len, payloads)) <= 1300


# -- pacing -----------------------------------------------------------------------------------------------------------


class Line:
    """What leaves, and when."""

    def __init__(self) -> None:
        self.left: list[tuple[float, RtpPacket]] = []
        self.changed = asyncio.Event()

    def send(self, packet: RtpPacket) -> None:
        self.left.append((asyncio.get_running_loop().time(), packet))
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.left) < count:
                self.changed.clear()
                await self.changed.wait()


def packets(count: int, ssrc: int = 1) -> list[RtpPacket]:
    out = [RtpPacket(sequence_number=number, ssrc=ssrc) for number in range(count)]
    for packet in out:
        packet.payload = bytes(1190)
    return out


async def test_a_keyframe_leaves_at_its_pace_and_in_order() -> None:
    line = Line()
    pacer = Pacer(line.send)
    pacer.follow(800_000)
    pacer.put(packets(40))
    assert pacer.backlog_s > 0.1
    await line.until(40)
    assert [packet.sequence_number for _, packet in line.left] == list(range(40))
    # 40 packets of 1,250 bytes at 2 Mbit/s are 200 ms.
    assert line.left[-1][0] - line.left[0][0] > 0.15
    assert pacer.backlog_s == 0


async def test_a_lone_packet_leaves_at_once() -> None:
    line = Line()
    Pacer(line.send).put(packets(1))
    assert len(line.left) == 1


async def test_repeats_go_before_pictures_or_behind_them() -> None:
    line = Line()
    pacer = Pacer(line.send)
    pacer.put(packets(1))
    pacer.put(packets(3, ssrc=3), "last")
    pacer.put(packets(3, ssrc=2))
    pacer.put(packets(3, ssrc=1), "first")
    await line.until(10)
    assert [packet.ssrc for _, packet in line.left[1:]] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [packet.sequence_number for _, packet in line.left[1:]] == [0, 1, 2] * 3


async def test_what_finds_no_room_is_dropped_and_counted() -> None:
    pacer = Pacer(lambda _: None)
    pacer.put(packets(PACKETS_MAX + 20))
    pacer.put(packets(5), "last")
    assert pacer.dropped >= 20
    pacer.clear()


# -- the contract with aiortc -----------------------------------------------------------------------------------------


async def test_aiortc_still_has_the_names_that_the_adapter_leans_on() -> None:
    way = IceClient(Credentials(), lambda: None)
    dtls = DtlsSrtp(way, RTCCertificate.generateCertificate(), lambda _: None)
    for name in ("_rx_srtp", "_tx_srtp", "_state", "_role"):
        assert hasattr(dtls, name), name
    for name in ("_set_role", "_handle_rtcp_data", "_handle_rtp_data", "_recv_next"):
        assert name in vars(RTCDtlsTransport), name
    assert list(inspect.signature(RTCDtlsTransport._handle_rtp_data).parameters) == ["self", "data", "arrival_time_ms"]
    source = inspect.getsource(RTCDtlsTransport)
    assert "self.transport._recv()" in source
    assert "self.transport._send(" in source
    assert isinstance(EXTENSIONS, HeaderExtensionsMap)
    assert {"protect", "protect_rtcp"} <= vars(pylibsrtp.Session).keys()


async def test_nothing_leaves_before_keys_are_agreed_on() -> None:
    way = IceClient(Credentials(), lambda: None)
    dtls = DtlsSrtp(way, RTCCertificate.generateCertificate(), lambda _: None)
    dtls.send_rtp(bytes(20))
    dtls.send_rtcp(bytes(20))
    assert way.dropped == 0


async def test_reports_that_are_garbage_are_ignored() -> None:
    heard: list[object] = []
    dtls = DtlsSrtp(IceClient(Credentials(), lambda: None), RTCCertificate.generateCertificate(), heard.append)
    for data in (b"", b"\x80", b"\x80\xc8\x00\xff", bytes(64), b"\x81\xce\x00\x01" + bytes(4)):
        await dtls._handle_rtcp_data(data)
    assert heard == []
