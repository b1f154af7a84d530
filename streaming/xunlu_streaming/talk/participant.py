"""A participant: a token, one session of media, the groups that it is tuned to, and what it is still to be told."""

import asyncio
import time
from collections import deque
from typing import Protocol

from xunlu_protocol.base import Wire
from xunlu_protocol.talk import Hears, Problem, ServerMessage, TalkClaims
from xunlu_protocol.talk import Peer as Person
from xunlu_streaming import rtcp
from xunlu_streaming.errors import RtcpError
from xunlu_streaming.layer import HEADER, Layer, Track
from xunlu_streaming.peer import Peer
from xunlu_streaming.publisher import PACKET_BYTES_MAX
from xunlu_streaming.stream import Stream
from xunlu_streaming.talk.group import Burst
from xunlu_streaming.talk.voice import CLOCK_HZ, Downlink, Sound, payload_of

MESSAGES_WAITING_MAX = 500
PACKETS_PER_S = 150
"""Of one talker: frames of 10 ms, and what an outage of half a second has held back."""
NTP_EPOCH_S = 2_208_988_800
"""From 1900 to 1970 (RFC 5905 §6)."""
SPEAKS_S = 2.0
"""Whoever has been silent for longer gets no more reports: nothing new is in them."""


class Outbox:
    """What a connection is still to be told, bounded.

    Attributes:
        overflowed: whether it was not read in time.
        last: what is said last, before the connection ends.
    """

    def __init__(self) -> None:
        self.overflowed = False
        self.last: Problem | None = None
        self._waiting: deque[str] = deque()
        self._filled = asyncio.Event()

    def put(self, text: str) -> None:
        """Add a message."""
        if len(self._waiting) >= MESSAGES_WAITING_MAX:
            self.overflowed = True
        else:
            self._waiting.append(text)
        self._filled.set()

    def end(self, why: Problem) -> None:
        """Say this, then no more."""
        self.last = why
        self._filled.set()

    async def take(self) -> list[str]:
        """What has come since; waits for it."""
        await self._filled.wait()
        self._filled.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Net(Protocol):
    """Who carries the sound on."""

    def media(self, who: "Participant", sound: Sound, packet: bytes, now_s: float) -> None:
        """A packet came."""

    def left(self, who: "Participant", why: str) -> None:
        """Its session of media has ended."""


class Participant:
    """Somebody on the radio net.

    Attributes:
        claims: of its token.
        id: its name on the net.
        peer: its session of media.
        downlink: what it hears.
        outbox: what it is told.
        wanted: its main group and what it scans; groups that are not there yet may be among them.
        tuned: groups that it is in, with their rank: 0 main, then the scanned ones.
        bursts: that it talks in now.
        heard: the burst that its downlink carries.
        groups_changed: whether it is to be told its groups anew.
        lost_s: monotonic seconds when its WebSocket broke off; None while there is one.
    """

    def __init__(self, claims: TalkClaims, peer: Peer, downlink: Downlink, net: Net) -> None:
        self.claims = claims
        self.id = claims.sub
        self.peer = peer
        self.downlink = downlink
        self.outbox = Outbox()
        self.wanted: tuple[str | None, tuple[str, ...]] = (None, ())
        self.tuned: dict[str, int] = {}
        self.bursts: list[Burst] = []
        self.heard: Burst | None = None
        self.groups_changed = False
        self.lost_s: float | None = None
        self._net = net
        self._layer = Layer(Track("audio", codec="opus", clock_hz=CLOCK_HZ), "")
        self._uplink: Stream | None = None
        self._uplink_s = 0.0
        self._allowed = PACKETS_PER_S
        self._allowed_s = 0.0

    @property
    def person(self) -> Person:
        """As others see it."""
        claims = self.claims
        return Person(id=claims.sub, name=claims.name, number=claims.number, did=claims.did)

    # -- what it is told ----------------------------------------------------------------------------------------------

    def tell(self, message: ServerMessage) -> None:
        """Say something to it alone."""
        self.outbox.put(text_of(message))

    def hear(self, burst: Burst | None) -> None:
        """Its downlink carries this burst from the next packet on."""
        if burst is self.heard:
            return
        if self.heard is not None:
            self.heard.audience.pop(self.downlink, None)
        before = self.heard.gid if self.heard is not None else None
        self.heard = burst
        if burst is not None:
            self.downlink.turn()
            burst.audience[self.downlink] = None
        if (gid := burst.gid if burst is not None else None) != before:
            self.tell(Hears(gid=gid))

    # -- what it sends (Resident) -------------------------------------------------------------------------------------

    def connected(self) -> None:
        """The keys are there."""

    def packet(self, packet: bytes, now_s: float) -> None:
        """Sound, authenticated and in plain text."""
        _, second, seq, stamp, ssrc = HEADER.unpack_from(packet)
        known = second & 0x7F == self.downlink.payload_type and len(packet) <= PACKET_BYTES_MAX
        if not known or not self._may_send(now_s):
            self.peer.refused["rejected"] += 1
            return
        uplink = self._uplink
        if uplink is None or uplink.ssrc != ssrc:
            # Another microphone: its numbers begin anew.
            uplink = self._uplink = Stream(ssrc, self._layer)
            for burst in self.bursts:
                burst.turn()
        self._uplink_s = now_s
        number = uplink.take(seq, stamp, len(packet), now_s)
        payload = payload_of(packet)
        if number is not None and payload:
            self._net.media(self, Sound(number, stamp, payload), packet, now_s)

    def _may_send(self, now_s: float) -> bool:
        """Whether this packet is not one too many: everybody's ears pay for it."""
        if now_s - self._allowed_s >= 1:
            self._allowed, self._allowed_s = PACKETS_PER_S, now_s
        self._allowed -= 1
        return self._allowed >= 0

    def flush(self) -> None:
        """Nothing waits: sound goes on at once."""

    def reports(self, data: bytes, now_s: float) -> None:
        """Its sender reports; sound needs nothing else."""
        try:
            packets = rtcp.parse(data)
        except RtcpError:
            self.peer.refused["rejected"] += 1
            return
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport) and self._uplink and packet.ssrc == self._uplink.ssrc:
                self._uplink.report_ntp, self._uplink.report_s = packet.ntp, now_s

    def ended(self, why: str) -> None:
        """Its session of media is gone."""
        self._net.left(self, why)

    # -- reports ------------------------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        """Every second: what was lost on the way here decides how much the talker protects; what was sent, too."""
        downlink = self.downlink
        if self._uplink is not None and now_s - self._uplink_s < SPEAKS_S:
            block = self._uplink.report_block(now_s)
            self.peer.send_reports(
                rtcp.receiver_report(downlink.ssrc, [block]) + rtcp.sdes(downlink.ssrc, self.peer.ufrag)
            )
        if downlink.last_s and now_s - downlink.last_s < SPEAKS_S:
            ntp = int((time.time() + NTP_EPOCH_S) * 2**32)
            stamp = downlink.last_stamp + round((now_s - downlink.last_s) * CLOCK_HZ) & 0xFFFF_FFFF
            report = rtcp.sender_report(downlink.ssrc, ntp, stamp, downlink.packets, downlink.octets)
            self.peer.send_reports(report + rtcp.sdes(downlink.ssrc, self.peer.ufrag))


def text_of(message: Wire) -> str:
    """A message as it goes over the WebSocket."""
    return message.encode().decode()
