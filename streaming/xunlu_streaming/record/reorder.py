"""Puts the packets of one stream in order, and gives up on those that stay away."""

from typing import NamedTuple

from xunlu_streaming.record.rtp import Packet
from xunlu_streaming.sequence import Unwrapper

WAIT_US = 300_000
"""Retransmissions that take longer are late: the relay asks again for about so long."""
PACKETS_MAX = 1024
LEAP_MAX = 3000
"""A larger leap of the sequence number begins the stream anew (RFC 3550 §A.1, MAX_DROPOUT)."""


class Ordered(NamedTuple):
    """A packet whose turn it is.

    Attributes:
        packet: itself.
        arrival_us: UTC microseconds at the relay.
        lost: whether packets just before it are missing for good.
    """

    packet: Packet
    arrival_us: int
    lost: bool


class Reorder:
    """The order of one stream, bounded in time and packets.

    Attributes:
        lost: packets that never came, or too late.
        late: packets that came after their turn, or twice.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.late = 0
        self._ssrc: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._numbers = Unwrapper()
        self._due = 0
        self._waiting: dict[int, tuple[Packet, int]] = {}
        self._gap_since_us = 0

    def passes(self, packet: Packet) -> bool:
        """Whether it is this packet's turn and nothing waits, as nearly always; then it is taken. Else `put` it."""
        if packet.ssrc != self._ssrc or self._waiting or self._numbers.unwrap(packet.seq) != self._due:
            return False
        self._due += 1
        return True

    def put(self, packet: Packet, arrival_us: int) -> list[Ordered]:
        """Take a packet that does not pass, as it arrived; gives those whose turn has come."""
        if packet.ssrc != self._ssrc:
            return self._restart(packet, arrival_us)
        number = self._numbers.unwrap(packet.seq)
        due = self._due
        if abs(number - due) > LEAP_MAX:
            return self._restart(packet, arrival_us)
        if number < due or number in self._waiting:
            self.late += 1
            return []
        if not self._waiting:
            self._gap_since_us = arrival_us
        self._waiting[number] = (packet, arrival_us)
        return self._ready(arrival_us)

    def flush(self) -> list[Ordered]:
        """Everything that waits, the holes counted as lost."""
        out: list[Ordered] = []
        while self._waiting:
            out += self._skip()
        return out

    def _restart(self, packet: Packet, arrival_us: int) -> list[Ordered]:
        """Another source, or a leap: what waited is given, and the new packet begins a new order."""
        out = self.flush()
        anew = self._ssrc is not None
        self._begin()
        self._ssrc = packet.ssrc
        self._due = self._numbers.unwrap(packet.seq) + 1
        return [*out, Ordered(packet, arrival_us, anew)]

    def _ready(self, now_us: int) -> list[Ordered]:
        out = self._run(lost=False)
        while self._waiting and (now_us - self._gap_since_us > WAIT_US or len(self._waiting) > PACKETS_MAX):
            out += self._skip()
        return out

    def _skip(self) -> list[Ordered]:
        """Give up on the packets before the first that waits."""
        first = min(self._waiting)
        self.lost += first - self._due
        self._due = first
        return self._run(lost=True)

    def _run(self, *, lost: bool) -> list[Ordered]:
        """Those that follow without a hole."""
        out: list[Ordered] = []
        due = self._due
        while (entry := self._waiting.pop(due, None)) is not None:
            out.append(Ordered(*entry, lost))
            lost, due = False, due + 1
        self._due = due
        if out and self._waiting:
            self._gap_since_us = min(arrival_us for _, arrival_us in self._waiting.values())
        return out
