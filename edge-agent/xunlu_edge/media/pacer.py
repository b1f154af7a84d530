"""A keyframe is ten times as large as its neighbours; sent at once it would fill the modem's queue and lose its tail.

So packets leave at a multiple of the bitrate. Repeats go first, because a picture waits for them; after an interruption
they go last, because a keyframe does not.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from xunlu_edge.media.adapter import RtpPacket

PACE = 2.5
PACE_BPS_MIN = 400_000
TICK_S = 0.005
PACKETS_MAX = 2048
OVERHEAD_BYTES = 60

Order = Literal["first", "next", "last"]


class Pacer:
    """Sends packets in time.

    Attributes:
        rate_bps: at which they leave.
        dropped: packets for which there was no room.
    """

    def __init__(self, send: Callable[[RtpPacket], None]) -> None:
        self.rate_bps = float(PACE_BPS_MIN)
        self.dropped = 0
        self._send = send
        self._waiting: deque[RtpPacket] = deque()
        self._last: deque[RtpPacket] = deque()
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._credit_bytes = 0.0
        self._credited_s = float("-inf")

    def follow(self, bitrate_bps: float) -> None:
        """Pace for a stream of this bitrate."""
        self.rate_bps = max(bitrate_bps * PACE, PACE_BPS_MIN)

    @property
    def backlog_s(self) -> float:
        """How long what waits will take, without what goes last."""
        return self._bytes * 8 / self.rate_bps

    def put(self, packets: Sequence[RtpPacket], order: Order = "next") -> None:
        """Send packets, now or a little later.

        Args:
            packets: in their order.
            order: before all others, behind those that wait, or when nothing else waits.
        """
        room = max(0, PACKETS_MAX - len(self._waiting) - len(self._last))
        self.dropped += len(packets[room:])
        taken = packets[:room]
        match order:
            case "first":
                self._waiting.extendleft(reversed(taken))
            case "next":
                self._waiting.extend(taken)
            case "last":
                self._last.extend(taken)
        if order != "last":
            self._bytes += sum(map(_size, taken))
        if self._timer is None:
            self._drain()

    def put_off(self) -> None:
        """Let what waits go last; it is not dropped, for some receivers ask for a repeat only once."""
        self._last.extend(self._waiting)
        self._waiting.clear()
        self._bytes = 0

    def clear(self) -> None:
        """Forget what waits, and stop."""
        self._waiting.clear()
        self._last.clear()
        self._bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        # Time without packets earns one tick of credit, not a burst.
        passed_s = min(now_s - self._credited_s, 2 * TICK_S)
        self._credit_bytes = min(self._credit_bytes, 0.0) + passed_s * self.rate_bps / 8
        self._credited_s = now_s
        while (self._waiting or self._last) and self._credit_bytes > 0:
            packet = self._next()
            self._credit_bytes -= _size(packet)
            self._send(packet)
        self._timer = loop.call_later(TICK_S, self._drain) if self._waiting or self._last else None

    def _next(self) -> RtpPacket:
        if not self._waiting:
            return self._last.popleft()
        packet = self._waiting.popleft()
        self._bytes -= _size(packet)
        return packet


def _size(packet: RtpPacket) -> int:
    return len(packet.payload) + OVERHEAD_BYTES
