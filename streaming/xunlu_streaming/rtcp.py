"""RTCP: what peers tell about what they send and get (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4.3, REMB).

Bytes in, values out, and back. Reduced-size packets (RFC 5506) are taken like compound ones.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xunlu_streaming.errors import RtcpError

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
FORMAT_NACK = 1
FORMAT_PLI, FORMAT_FIR, FORMAT_APPLICATION = 1, 4, 15

COUNT_MAX = 31
"""Blocks or sources of one packet: the header counts with five bits."""
NACK_FIELDS_MAX = 250
"""Of one packet, about 1 kB."""

_HEAD = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")
_PAIR = struct.Struct("!II")
_NACK_FIELD = struct.Struct("!HH")
_REMB = struct.Struct("!4sI")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How a stream arrived (RFC 3550 §6.4.1).

    Attributes:
        ssrc: of the stream.
        fraction: lost since the last report, in 1/256.
        lost: lost since the beginning, signed 24 bits; duplicates make it negative.
        highest: extended sequence number, 32 bits.
        jitter: in units of the RTP clock.
        lsr: middle 32 bits of the NTP time of the last sender report; 0 without.
        dlsr: since it arrived, in 1/65536 s.
    """

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What was sent, and which RTP time is which instant (RFC 3550 §6.4.1).

    Attributes:
        ssrc: of the sender.
        ntp: 64 bits: seconds since 1900, and their fraction.
        rtp: the same instant on the stream's clock, 32 bits.
        packets: sent so far, 32 bits.
        octets: of payload, 32 bits.
        blocks: what the sender receives.
    """

    ssrc: int
    ntp: int
    rtp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What was received (RFC 3550 §6.4.2)."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Nack:
    """Packets to send again (RFC 4585 §6.2.1), 16-bit sequence numbers in the order asked for."""

    ssrc: int
    media: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pli:
    """A picture was lost: a keyframe, please (RFC 4585 §6.3.1)."""

    ssrc: int
    media: int


@dataclass(frozen=True, slots=True)
class Fir:
    """A keyframe is needed of each of these streams (RFC 5104 §4.3.1)."""

    ssrc: int
    media: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """What the way here carries for these streams together (draft-alvestrand-rmcat-remb-03 §2.2)."""

    ssrc: int
    bitrate_bps: int
    media: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources have ended (RFC 3550 §6.6)."""

    ssrcs: tuple[int, ...]


Packet = SenderReport | ReceiverReport | Nack | Pli | Fir | Remb | Bye


# -- reading ----------------------------------------------------------------------------------------------------------


def parse(data: bytes | bytearray | memoryview) -> list[Packet]:
    """Read a compound packet.

    Packet types and feedback formats that we do not know are skipped, and so are profile extensions behind the blocks.

    Args:
        data: RTCP in plain text; the work grows with its length alone.

    Raises:
        RtcpError: a length or a count leads out of the packet, or the version is not 2.
    """
    view = memoryview(data)
    packets: list[Packet] = []
    at = 0
    while at < len(view):
        if len(view) - at < 4:
            raise _malformed(at)
        first, kind, words = _HEAD.unpack_from(view, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(view):
            raise _malformed(at)
        body = view[at + 4 : end]
        if first & 0x20:
            # RFC 3550 §6.4.1: the last byte counts the padding, itself included.
            if not body or not 0 < body[-1] <= len(body):
                raise _malformed(at)
            body = body[: len(body) - body[-1]]
        reader = _READERS.get(kind)
        if reader is not None:
            try:
                packet = reader(first & 0x1F, body)
            except struct.error as error:
                raise _malformed(at) from error
            if packet is not None:
                packets.append(packet)
        at = end
    return packets


def _malformed(at: int) -> RtcpError:
    return RtcpError(
        "length",
        f"The RTCP packet at byte {at} is malformed: its lengths contradict each other. The peer must mend it.",
    )


def _blocks(count: int, body: memoryview, at: int) -> tuple[ReportBlock, ...]:
    return tuple(_block(body, at + _BLOCK.size * number) for number in range(count))


def _block(body: memoryview, at: int) -> ReportBlock:
    ssrc, loss, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(body, at)
    lost = loss & 0xFF_FFFF
    return ReportBlock(ssrc, loss >> 24, lost - ((lost & 0x80_0000) << 1), highest, jitter, lsr, dlsr)


def _read_sender_report(count: int, body: memoryview) -> Packet:
    ssrc, ntp, rtp, packets, octets = _SENDER.unpack_from(body)
    return SenderReport(ssrc, ntp, rtp, packets, octets, _blocks(count, body, _SENDER.size))


def _read_receiver_report(count: int, body: memoryview) -> Packet:
    return ReceiverReport(_word(body, 0), _blocks(count, body, 4))


def _read_bye(count: int, body: memoryview) -> Packet:
    return Bye(_words(body, 0, count))


def _read_transport_feedback(form: int, body: memoryview) -> Packet | None:
    if form != FORMAT_NACK:
        return None
    ssrc, media = _PAIR.unpack_from(body)
    sequences: list[int] = []
    for first, following in _NACK_FIELD.iter_unpack(body[8:]):
        sequences.append(first)
        sequences += [(first + 1 + bit) & 0xFFFF for bit in range(16) if following >> bit & 1]
    return Nack(ssrc, media, tuple(sequences))


def _read_payload_feedback(form: int, body: memoryview) -> Packet | None:
    if form not in (FORMAT_PLI, FORMAT_FIR, FORMAT_APPLICATION):
        return None
    ssrc, media = _PAIR.unpack_from(body)
    if form == FORMAT_PLI:
        return Pli(ssrc, media)
    if form == FORMAT_FIR:
        return Fir(ssrc, tuple(stream for stream, _ in _PAIR.iter_unpack(body[8:])))
    if bytes(body[8:12]) != b"REMB":
        return None
    _, rate = _REMB.unpack_from(body, 8)
    count, exponent, mantissa = rate >> 24, rate >> 18 & 0x3F, rate & 0x3_FFFF
    return Remb(ssrc, mantissa << exponent, _words(body, 16, count))


def _word(body: memoryview, at: int) -> int:
    return int(struct.unpack_from("!I", body, at)[0])


def _words(body: memoryview, at: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"!{count}I", body, at)


_READERS: Mapping[int, Callable[[int, memoryview], Packet | None]] = {
    SR: _read_sender_report,
    RR: _read_receiver_report,
    BYE: _read_bye,
    RTPFB: _read_transport_feedback,
    PSFB: _read_payload_feedback,
}


# -- writing ----------------------------------------------------------------------------------------------------------


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def sender_report(ssrc: int, ntp: int, rtp: int, packets: int, octets: int) -> bytes:
    """A sender report without blocks; counts are cut to 32 bits, as they wrap on the wire."""
    return _packet(SR, 0, _SENDER.pack(ssrc, ntp, rtp, packets & 0xFFFF_FFFF, octets & 0xFFFF_FFFF))


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """A receiver report of at most 31 blocks; callers with more streams send several."""
    chosen = blocks[:COUNT_MAX]
    return _packet(RR, len(chosen), ssrc.to_bytes(4) + b"".join(map(_write_block, chosen)))


def _write_block(block: ReportBlock) -> bytes:
    loss = block.fraction << 24 | block.lost & 0xFF_FFFF
    return _BLOCK.pack(block.ssrc, loss, block.highest, block.jitter, block.lsr, block.dlsr)


def sdes(ssrc: int, cname: str) -> bytes:
    """The name that ties audio and video of one source together (RFC 3550 §6.5.1), at most 255 bytes."""
    name = cname.encode()[:255]
    chunk = ssrc.to_bytes(4) + bytes([1, len(name)]) + name
    # One to four zero bytes end the list and fill the word.
    return _packet(SDES, 1, chunk + bytes(4 - len(chunk) % 4))


def bye(ssrcs: Sequence[int]) -> bytes:
    """A farewell of at most 31 sources."""
    chosen = ssrcs[:COUNT_MAX]
    return _packet(BYE, len(chosen), struct.pack(f"!{len(chosen)}I", *chosen))


def nack(ssrc: int, media: int, sequences: Iterable[int]) -> bytes:
    """Ask for packets again.

    Args:
        ssrc: ours.
        media: of the stream.
        sequences: rising numbers, extended or not; of those that need more than 250 fields the rest is left out, for it
            is due again soon.
    """
    fields: list[tuple[int, int]] = []
    for number in sequences:
        if fields and 0 < (ahead := (number - fields[-1][0]) & 0xFFFF) <= 16:
            first, following = fields[-1]
            fields[-1] = first, following | 1 << ahead - 1
        elif len(fields) < NACK_FIELDS_MAX:
            fields.append((number & 0xFFFF, 0))
        else:
            break
    return _packet(RTPFB, FORMAT_NACK, _PAIR.pack(ssrc, media) + b"".join(_NACK_FIELD.pack(*one) for one in fields))


def pli(ssrc: int, media: int) -> bytes:
    """Ask for a keyframe of a stream."""
    return _packet(PSFB, FORMAT_PLI, _PAIR.pack(ssrc, media))


def fir(ssrc: int, media: int, number: int) -> bytes:
    """Demand a keyframe of a stream.

    Args:
        ssrc: ours.
        media: of the stream; RFC 5104 §4.3.1.2 puts it behind the header, which names none.
        number: counts the demands to this stream; a repetition keeps it. Lower 8 bits.
    """
    return _packet(PSFB, FORMAT_FIR, _PAIR.pack(ssrc, 0) + _PAIR.pack(media, (number & 0xFF) << 24))


def remb(ssrc: int, bitrate_bps: int, media_ssrcs: Sequence[int]) -> bytes:
    """Say what the way here carries; 18 bits of the figure are kept.

    Args:
        ssrc: ours.
        bitrate_bps: not negative, below 2^81.
        media_ssrcs: of the streams that share it, at most 255.
    """
    chosen = media_ssrcs[:255]
    exponent = max(0, bitrate_bps.bit_length() - 18)
    rate = len(chosen) << 24 | exponent << 18 | bitrate_bps >> exponent
    body = _PAIR.pack(ssrc, 0) + _REMB.pack(b"REMB", rate) + struct.pack(f"!{len(chosen)}I", *chosen)
    return _packet(PSFB, FORMAT_APPLICATION, body)
