"""When packets arrived, told to a publisher that adapts to it.

draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.
"""

import struct

from xunlu_streaming.rtcp import RTPFB
from xunlu_streaming.sequence import Unwrapper

FORMAT_TRANSPORT_CC = 15
TICK_US = 250
REFERENCE_TICKS = 256
"""The reference time counts 64 ms."""

STATUSES_MAX = 1000
"""Of one packet. With `ARRIVALS_MAX` it keeps a packet below 1.2 kB whatever the statuses are."""
ARRIVALS_MAX = 400
KEPT_MAX = 4 * STATUSES_MAX
"""Arrivals remembered, told or not; of a publisher that is told nothing, the oldest are forgotten."""

MISSING, SMALL, LARGE = 0, 1, 2
RUN_MAX = 0x1FFF
VECTOR_STATUSES = 7

_HEAD = struct.Struct("!BBHIIHHI")


class Arrivals:
    """What has arrived with transport-wide numbers, and what of it the publisher knows.

    A straggler is told together with all that follows it, so that it is not taken for lost.

    Attributes:
        forgotten: arrivals that were never told.
    """

    def __init__(self) -> None:
        self.forgotten = 0
        self._unwrapper = Unwrapper()
        self._ticks: dict[int, int] = {}
        self._newest = -1
        self._next = -1
        self._count = 0

    def received(self, seq16: int, arrival_us: int) -> None:
        """Take note of a packet; its first arrival counts.

        Args:
            seq16: its transport-wide sequence number.
            arrival_us: monotonic microseconds.
        """
        number = self._unwrapper.unwrap(seq16)
        # A gap that no feedback can span is no loss: the publisher counts anew.
        if number - self._newest > STATUSES_MAX:
            self._ticks.clear()
            self._next = number
        elif number in self._ticks or number <= self._newest - KEPT_MAX:
            return
        self._ticks[number] = arrival_us // TICK_US
        self._newest = max(self._newest, number)
        self._next = min(self._next, number)
        if len(self._ticks) > KEPT_MAX:
            self._forget()

    def _forget(self) -> None:
        """Keep the newer half."""
        numbers = sorted(self._ticks)
        for number in numbers[: KEPT_MAX // 2]:
            self.forgotten += number >= self._next
            del self._ticks[number]
        self._next = max(self._next, numbers[KEPT_MAX // 2])

    def feedback(self, ssrc: int, media_ssrc: int) -> bytes | None:
        """One packet about what has arrived and was not told yet; None when there is nothing to tell.

        What finds no room comes with the next call.

        Args:
            ssrc: ours.
            media_ssrc: of any stream of the publisher.
        """
        numbers = range(self._next, min(self._newest + 1, self._next + STATUSES_MAX))
        reference: int | None = None
        before = told = 0
        symbols, deltas = bytearray(), bytearray()
        for number in numbers:
            tick = self._ticks.get(number)
            if tick is None:
                symbols.append(MISSING)
                continue
            if reference is None:
                reference = tick // REFERENCE_TICKS
                before = reference * REFERENCE_TICKS
            delta, before = tick - before, tick
            if not -0x8000 <= delta <= 0x7FFF or len(deltas) >= 2 * ARRIVALS_MAX:
                break
            small = 0 <= delta <= 0xFF
            symbols.append(SMALL if small else LARGE)
            deltas += delta.to_bytes(1 if small else 2, signed=not small)
            told = len(symbols)
        if reference is None:
            return None
        packet = self._packet((ssrc, media_ssrc), reference, bytes(symbols[:told]), bytes(deltas))
        self._next += told
        self._count = self._count + 1 & 0xFF
        return packet

    def _packet(self, ssrcs: tuple[int, int], reference: int, symbols: bytes, deltas: bytes) -> bytes:
        told = chunks(symbols) + deltas
        padding = -len(told) % 4
        # RFC 3550 §6.4.1: the P bit, and a last byte that counts.
        tail = bytes(padding - 1) + bytes([padding]) if padding else b""
        words = (_HEAD.size + len(told) + padding) // 4 - 1
        first = 0x80 | (0x20 if padding else 0) | FORMAT_TRANSPORT_CC
        time_and_count = (reference & 0xFF_FFFF) << 8 | self._count
        head = _HEAD.pack(first, RTPFB, words, *ssrcs, self._next & 0xFFFF, len(symbols), time_and_count)
        return head + told + tail


def chunks(symbols: bytes) -> bytes:
    """Statuses as the wire has them: runs of equal ones (§3.1.3), else seven at a time with two bits each (§3.1.4)."""
    written = bytearray()
    at = 0
    while at < len(symbols):
        symbol, end = symbols[at], at + 1
        while end < len(symbols) and symbols[end] == symbol and end - at < RUN_MAX:
            end += 1
        if end - at >= VECTOR_STATUSES or end == len(symbols):
            written += (symbol << 13 | end - at).to_bytes(2)
            at = end
            continue
        vector = 0xC000
        for place, one in enumerate(symbols[at : at + VECTOR_STATUSES]):
            vector |= one << 12 - 2 * place
        written += vector.to_bytes(2)
        at += VECTOR_STATUSES
    return bytes(written)
