"""The inner loop of talk: one packet of sound to everybody who hears it.

Each listener has one stream for all that it ever hears, with numbers of its own that go on across talkers and groups:
no renegotiation, and late entry is the next packet. So each gets a header of its own; the sound behind it is the
talker's, untouched. Losses stay gaps in the numbers, because that is what Opus mends (in-band FEC, RFC 6716 §2.1.7),
and pauses (DTX) stay leaps in the times.
"""

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from xunlu_streaming.adapter import ffi, srtp_protect
from xunlu_streaming.fanout import PACKET_BYTES_MAX, Receiver
from xunlu_streaming.layer import HEADER, payload_offset

CLOCK_HZ = 48_000
"""Of Opus, whatever was recorded (RFC 7587 §4.1)."""
FRAME = 960
"""20 ms."""
_HEADER_BYTES = HEADER.size
_MARKER = 0x80


class Sound(NamedTuple):
    """A packet of a talker.

    Attributes:
        number: extended sequence number.
        stamp: RTP time.
        payload: Opus.
    """

    number: int
    stamp: int
    payload: bytes


def payload_of(packet: bytes) -> bytes:
    """What is behind header and extension, without padding (RFC 3550 §5.1); empty when malformed."""
    end = len(packet)
    if packet[0] & 0x20:
        end -= packet[-1]
    return packet[payload_offset(packet) : end]


class Downlink:
    """What one participant hears: one stream.

    Attributes:
        ssrc: of it, for good.
        payload_type: of Opus, as this participant calls it.
        receiver: keys and address.
        packets: sent so far.
        octets: of payload.
        last_s: monotonic seconds of the newest packet; 0 before the first.
        last_stamp: its RTP time.
    """

    __slots__ = (
        "first",
        "fresh",
        "last",
        "last_s",
        "last_stamp",
        "number_offset",
        "octets",
        "packets",
        "payload_type",
        "receiver",
        "ssrc",
        "time_offset",
    )

    def __init__(self, ssrc: int, payload_type: int, receiver: Receiver) -> None:
        self.ssrc = ssrc
        self.payload_type = payload_type
        self.receiver = receiver
        self.packets = self.octets = 0
        self.last = secrets.randbits(13)
        self.last_stamp = secrets.randbits(31)
        self.last_s = 0.0
        self.first = self.number_offset = self.time_offset = 0
        self.fresh = True

    def turn(self) -> None:
        """Another burst comes next; it follows the last packet of the burst before, with the time between."""
        self.fresh = True

    def begin(self, sound: Sound, now_s: float) -> None:
        """The first packet of a burst."""
        passed = max(FRAME, round((now_s - self.last_s) * CLOCK_HZ)) if self.last_s else 0
        self.first = self.last + 1
        self.number_offset = self.first - sound.number
        self.time_offset = self.last_stamp + passed - sound.stamp
        self.fresh = False


class VoiceStage:
    """Where packets get their headers and are encrypted; a process has one, for all happens in one turn of its loop.

    Attributes:
        sent: packets handed to the kernel.
        unsent: packets that it did not take.
        failed: packets held back because libsrtp would not encrypt them.
    """

    def __init__(self) -> None:
        self.sent = self.unsent = self.failed = 0
        self._work = ffi.new("char[]", PACKET_BYTES_MAX + 64)
        self._view = memoryview(ffi.buffer(self._work))
        self._length = ffi.new("int *")

    def send(self, sound: Sound, audience: Iterable[Downlink], now_s: float) -> None:
        """Send a packet to everybody who hears its burst."""
        number, stamp, payload = sound
        work, view, length, pack, protect = self._work, self._view, self._length, HEADER.pack_into, srtp_protect
        end = _HEADER_BYTES + len(payload)
        for one in audience:
            receiver = one.receiver
            keys, sock, address = receiver.keys, receiver.sock, receiver.address
            if keys is None or sock is None or address is None:
                continue
            second = one.payload_type
            if one.fresh:
                one.begin(sound, now_s)
                second |= _MARKER
            out = number + one.number_offset
            if out < one.first:
                # Older than where this listener came in.
                continue
            time = (stamp + one.time_offset) & 0xFFFF_FFFF
            pack(view, 0, 0x80, second, out & 0xFFFF, time, one.ssrc)
            view[_HEADER_BYTES:end] = payload
            length[0] = end
            if protect(keys.send, work, length):
                self.failed += 1
                continue
            try:
                sock.sendto(view[: end + keys.tag_bytes], address)
            except OSError:
                self.unsent += 1
                continue
            self.sent += 1
            one.packets += 1
            one.octets += len(payload)
            if out > one.last:
                one.last, one.last_stamp, one.last_s = out, time, now_s
