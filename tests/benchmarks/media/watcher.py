"""A viewer that asks for what is missing (RFC 4585) and notes when each frame was whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRtpfbPacket

from tests.benchmarks.media.canary import Canary
from tests.benchmarks.media.link import HEADER, Credentials, Pump
from tests.benchmarks.media.stream import PARAMETER_SETS, stamped_ns

ASKED_MAX = 10
GAP_MAX = 500
KEYFRAME_INTERVAL_S = 0.3
OWN_SSRC = 1


@dataclass(slots=True)
class Frame:
    """One picture on its way.

    Attributes:
        packets: payloads that came, by number.
        sent_ns: before its first packet was sent, UTC; 0 while no packet told.
        whole_ns: when the last one came, UTC; 0 before.
        keyframe: whether it starts a group of pictures.
    """

    packets: dict[int, bytes] = field(default_factory=dict)
    sent_ns: int = 0
    whole_ns: int = 0
    keyframe: bool = False


class Watcher(Canary):
    """Every frame has the same number of packets, so a frame is whole when so many came.

    Attributes:
        frame_packets: that number.
        ask_again_s: after which it asks once more; browsers take the round trip.
        repair_type: payload type of retransmissions (RFC 4588); None without.
        say: sends RTCP; None until DTLS is up.
        pictures: by RTP time.
        shown: called with each frame that is whole.
    """

    def __init__(self, pump: Pump, credentials: Credentials) -> None:
        super().__init__(pump, credentials)
        self.frame_packets = 0
        self.ask_again_s = 0.1
        self.repair_type: int | None = None
        self.say: Callable[[bytes], None] | None = None
        self.pictures: dict[int, Frame] = {}
        self.shown: Callable[[Frame], None] | None = None
        self._highest: int | None = None
        # Number: when to ask next, and how often it was asked for.
        self._missing: dict[int, tuple[float, int]] = {}
        self._keyframe_asked_s = 0.0
        self._lost = False
        self._media = 0

    def attend(self) -> None:
        """Every few milliseconds: ask for what is missing, or for a keyframe when that is hopeless."""
        if self.say is None:
            return
        now_s = time.monotonic()
        due = [number for number, (due_s, _) in self._missing.items() if due_s <= now_s]
        for number in due:
            asked = self._missing[number][1] + 1
            self._missing[number] = (now_s + self.ask_again_s, asked)
            if asked > ASKED_MAX:
                del self._missing[number]
                self._lost = True
        if wanted := [number & 0xFFFF for number in due if number in self._missing]:
            nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=OWN_SSRC, media_ssrc=self._media, lost=wanted)
            self.say(bytes(nack))
        if self._lost and now_s - self._keyframe_asked_s > KEYFRAME_INTERVAL_S:
            self._lost, self._keyframe_asked_s = False, now_s
            self.say(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=OWN_SSRC, media_ssrc=self._media)))

    def _see(self, packet: bytes, payload: bytes, arrived_ns: int) -> None:
        kind, sequence, source = HEADER.unpack_from(packet)
        if kind & 127 == self.repair_type:
            sequence, payload = int.from_bytes(payload[:2]), payload[2:]
        else:
            self._media = source
        number = self._number(sequence)
        frame = self.pictures.setdefault(int.from_bytes(packet[4:8]), Frame())
        frame.packets[number] = payload
        frame.sent_ns = stamped_ns(payload) or frame.sent_ns
        frame.keyframe |= payload[0] & 31 in PARAMETER_SETS
        if len(frame.packets) == self.frame_packets and not frame.whole_ns:
            frame.whole_ns = arrived_ns
            if self.shown is not None:
                self.shown(frame)

    def _number(self, sequence: int) -> int:
        """The extended number; what lies between it and the newest one is missing."""
        if self._highest is None:
            self._highest = sequence
        number = self._highest + ((sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000)
        if number - self._highest > GAP_MAX:
            self._missing.clear()
            self._lost = True
        else:
            self._missing.update((between, (0.0, 0)) for between in range(self._highest + 1, number))
        self._missing.pop(number, None)
        self._highest = max(self._highest, number)
        return number
