"""One publisher: frames of `stream` as RTP, sent again when asked for (RFC 4585 generic NACK), anew on a PLI."""

import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket

from tests.benchmarks.media.stream import FPS, MARK, STAMP, stamp

CLOCK_HZ = 90_000
HISTORY_PACKETS = 2048
HEADER = struct.Struct("!BBHLL")
MARKER = 0x80


class Publisher:
    """A track that repeats a group of pictures.

    Attributes:
        frames: sent so far.
        packets: sent so far, without repeats.
        repeated: packets sent again.
        keyframes_asked: PLIs that came.
    """

    def __init__(
        self,
        group: Sequence[Sequence[bytearray]],
        ssrc: int,
        types: tuple[int, int | None],
        send: Callable[[bytes], object],
    ) -> None:
        """Begin at the keyframe.

        Args:
            group: of pictures, by frame and packet.
            ssrc: of the track; repairs have the next one.
            types: payload types of the track and of its repairs (RFC 4588); without these, packets go out again.
            send: takes RTP.
        """
        self.frames = 0
        self.packets = 0
        self.repeated = 0
        self.keyframes_asked = 0
        self._group = group
        self._ssrc = ssrc
        self._payload_type, self._repair_type = types
        self._send = send
        self._next = 0
        self._sent: OrderedDict[int, bytes] = OrderedDict()

    def frame(self) -> Iterator[None]:
        """Send the next frame, stamped with the time before its first packet; pauses behind each packet."""
        payloads = self._group[self._next]
        self._next = (self._next + 1) % len(self._group)
        time_of_rtp = self.frames * (CLOCK_HZ // FPS) & 0xFFFFFFFF
        mark = stamp(time.time_ns())
        for number, payload in enumerate(payloads, 1):
            if payload[STAMP.start - len(MARK) : STAMP.start] == MARK:
                payload[STAMP] = mark
            marker = MARKER if number == len(payloads) else 0
            sequence = self.packets & 0xFFFF
            packet = HEADER.pack(0x80, marker | self._payload_type, sequence, time_of_rtp, self._ssrc) + payload
            self._keep(sequence, packet)
            self._send(packet)
            self.packets += 1
            yield
        self.frames += 1

    def _keep(self, sequence: int, packet: bytes) -> None:
        self._sent[sequence] = packet
        if len(self._sent) > HISTORY_PACKETS:
            self._sent.popitem(last=False)

    def control(self, rtcp: bytes) -> None:
        """What the server asks for."""
        for packet in RtcpPacket.parse(rtcp):
            if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
                for sequence in packet.lost:
                    if (kept := self._sent.get(sequence)) is not None:
                        self._repair(sequence, kept)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI:
                self.keyframes_asked += 1
                self._next = 0

    def _repair(self, sequence: int, packet: bytes) -> None:
        """Send a packet again, in the repair stream when there is one (RFC 4588 §4)."""
        if self._repair_type is not None:
            _, second, _, time_of_rtp, _ = HEADER.unpack_from(packet)
            kind = second & MARKER | self._repair_type
            header = HEADER.pack(0x80, kind, self.repeated & 0xFFFF, time_of_rtp, self._ssrc + 1)
            packet = header + sequence.to_bytes(2) + packet[HEADER.size :]
        self.repeated += 1
        self._send(packet)
