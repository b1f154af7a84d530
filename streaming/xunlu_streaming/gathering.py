"""Whole frames for a crowd: with many viewers, packets wait for the last one of their frame.

A recorder spreads a frame over some 15 ms so that it does not flood its uplink. Forwarded as they come, its packets
make four sends for each viewer. But nobody can decode a frame before its last packet, so nothing is late when they go
out together, and a packet to a viewer costs a third less.
"""

import asyncio
from collections.abc import Callable, Sequence

from xunlu_streaming.layer import Outgoing

CROWD = 16
"""With fewer viewers than this, packets go out as they come: there is little to save."""
HOLD_S = 0.02
"""A frame that is not whole by then goes out as it is: its end is lost, or its encoder slow."""
MARKER = 0x80


class Gathering:
    """The packets of one path that wait."""

    def __init__(self, forward: Callable[[Sequence[Outgoing]], None]) -> None:
        """Begin empty.

        Args:
            forward: takes what need not wait any more.
        """
        self._forward = forward
        self._waiting: list[Outgoing] = []
        self._timer: asyncio.TimerHandle | None = None

    def take(self, burst: Sequence[Outgoing], viewers: int) -> None:
        """Forward packets now, or when the rest of their frame is there."""
        self._waiting += burst
        if viewers < CROWD or not _awaits_more(burst[-1]):
            self.release()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HOLD_S, self.release)

    def release(self) -> None:
        """Forward what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._forward(waiting)


def _awaits_more(last: Outgoing) -> bool:
    """Whether more of the same frame will come; sound has no frames, and what was sent again is awaited itself."""
    is_newest = last.number == last.layer.highest
    return last.layer.track.kind == "video" and is_newest and not last.packet[1] & MARKER
