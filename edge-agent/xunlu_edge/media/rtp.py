"""One RTP stream towards the relay: numbers, history, retransmission (RFC 4588), sender reports (RFC 3550 §6.4.1)."""

import secrets
import struct
from collections import deque
from collections.abc import Sequence

from xunlu_edge.media.adapter import (
    HeaderExtensionsMap,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    wrap_rtx,
)

HISTORY_PACKETS = 1024
# What is older shows nobody anything any more: the relay has asked for a keyframe long ago.
HISTORY_S = 3.0
# A packet is on its way for a while before its absence can be complained about again.
REPEAT_S = 0.02
SDES_CNAME = 1
NTP_EPOCH_S = 2_208_988_800


class Outbound:
    """A stream; nothing here waits or sends.

    Attributes:
        ssrc: of the stream.
        resent: packets sent again.
        too_late: packets asked for that are no longer kept.
    """

    def __init__(
        self, *, payload_type: int, clock_hz: int, mid: str | None, ssrc: int, rtx: tuple[int, int] | None = None
    ) -> None:
        """Begin a stream.

        Args:
            payload_type: agreed on.
            clock_hz: of its timestamps.
            mid: of its media section, sent along when that is agreed on.
            ssrc: its source.
            rtx: payload type and source of retransmissions; None sends the same packets again.
        """
        self.ssrc = ssrc
        self.resent = 0
        self.too_late = 0
        self._payload_type = payload_type
        self._clock_hz = clock_hz
        self._mid = mid
        self._rtx = rtx
        # In the lower half, so that the first wrap is far: some receivers lose their rollover counter otherwise.
        self._sequence = secrets.randbelow(1 << 15)
        self._rtx_sequence = secrets.randbelow(1 << 15)
        self._timestamp_origin = secrets.randbits(32)
        self._history: dict[int, RtpPacket] = {}
        self._order: deque[tuple[int, float]] = deque()
        self._repeated_s: dict[int, float] = {}
        self._packets = 0
        self._octets = 0

    def packets(self, payloads: Sequence[bytes], captured_s: float, now_s: float) -> list[RtpPacket]:
        """Packets of one picture or piece of sound; the last carries the marker.

        Args:
            payloads: in order.
            captured_s: monotonic time of capture.
            now_s: monotonic time.
        """
        timestamp = self._timestamp(captured_s)
        out = []
        for payload in payloads:
            packet = RtpPacket(
                payload_type=self._payload_type, sequence_number=self._sequence, timestamp=timestamp, ssrc=self.ssrc
            )
            packet.payload = payload
            packet.extensions.mid = self._mid
            self._remember(packet, now_s)
            self._sequence = self._sequence + 1 & 0xFFFF
            out.append(packet)
        if out:
            out[-1].marker = 1
        return out

    def retransmission(self, sequence: int, now_s: float) -> RtpPacket | None:
        """The packet that was lost, to be sent again; None when it is gone or was sent just now."""
        self._forget(now_s)
        packet = self._history.get(sequence)
        if packet is None:
            self.too_late += 1
            return None
        if now_s - self._repeated_s.get(sequence, float("-inf")) < REPEAT_S:
            return None
        self._repeated_s[sequence] = now_s
        self.resent += 1
        if self._rtx is None:
            return packet
        payload_type, ssrc = self._rtx
        repeat = wrap_rtx(packet, payload_type=payload_type, sequence_number=self._rtx_sequence, ssrc=ssrc)
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        return repeat

    def sent(self, packet: RtpPacket) -> None:
        """Count what the sender report tells."""
        if packet.ssrc == self.ssrc:
            self._packets = self._packets + 1 & 0xFFFFFFFF
            self._octets = self._octets + len(packet.payload) & 0xFFFFFFFF

    def report(self, cname: str, now_s: float, utc_ms: int) -> bytes:
        """A compound of sender report and source description: what `now_s` is in UTC and in this stream's timestamps.

        All streams of a recorder tell both by the same clocks, so that a player can lay sound under the right picture.
        """
        info = RtcpSenderInfo(
            ntp_timestamp=ntp_time(utc_ms),
            rtp_timestamp=self._timestamp(now_s),
            packet_count=self._packets,
            octet_count=self._octets,
        )
        source = RtcpSourceInfo(ssrc=self.ssrc, items=[(SDES_CNAME, cname.encode())])
        return bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=info)) + bytes(RtcpSdesPacket(chunks=[source]))

    def _timestamp(self, monotonic_s: float) -> int:
        return self._timestamp_origin + round(monotonic_s * self._clock_hz) & 0xFFFFFFFF

    def _remember(self, packet: RtpPacket, now_s: float) -> None:
        self._forget(now_s)
        self._history[packet.sequence_number] = packet
        self._order.append((packet.sequence_number, now_s))

    def _forget(self, now_s: float) -> None:
        while self._order and (len(self._order) >= HISTORY_PACKETS or now_s - self._order[0][1] > HISTORY_S):
            sequence, _ = self._order.popleft()
            self._history.pop(sequence, None)
            self._repeated_s.pop(sequence, None)


def serialize(packet: RtpPacket, extensions: HeaderExtensionsMap, utc_ms: float) -> bytes:
    """The packet as it leaves now: the time of sending (abs-send-time) is 24 bits, 6 of them seconds."""
    packet.extensions.abs_send_time = ntp_time(utc_ms) >> 14 & 0xFFFFFF
    return packet.serialize(extensions)


def bye(ssrcs: Sequence[int]) -> bytes:
    """RTCP BYE (RFC 3550 §6.6), after an empty receiver report as a compound must begin."""
    report = struct.pack("!BBHL", 0x80, 201, 1, ssrcs[0])
    return report + struct.pack(f"!BBH{len(ssrcs)}L", 0x80 | len(ssrcs), 203, len(ssrcs), *ssrcs)


def ntp_time(utc_ms: float) -> int:
    """64-bit NTP time (RFC 5905 §6)."""
    return round((utc_ms / 1000 + NTP_EPOCH_S) * (1 << 32))
