"""Our end of the talk server's tap: the bursts that it carries."""

import logging
from collections.abc import Callable
from pathlib import Path

from xunlu_protocol.errors import ProtocolError
from xunlu_streaming.record.burst import Burst
from xunlu_streaming.record.tap_connection import Names, TapConnection
from xunlu_streaming.tap_messages import (
    BURST_KIND,
    END_KIND,
    PACKET,
    PACKET_KIND,
    TALK_TRACK,
    TapBurst,
    TapBurstEnd,
)

log = logging.getLogger(__name__)

ARRIVAL_US_MAX = 32_503_680_000_000_000
"""The year 3000, as in the protocol."""


class TalkClient(TapConnection):
    """The connection to the talk server; see `TapConnection`.

    Attributes:
        bursts: that go on, by the talk server's number.
    """

    def __init__(self, file: Path, begin: Callable[[TapBurst], Burst | None], names: Names, bursts_max: int) -> None:
        """Describe it.

        Args:
            file: its socket.
            begin: makes what takes a burst's packets; None when it is not wanted.
            names: what to take: everything, or nothing.
            bursts_max: bursts at once.
        """
        super().__init__(file, names)
        self.bursts: dict[int, Burst] = {}
        self._begin = begin
        self._bursts_max = bursts_max

    def tick(self) -> None:
        """Once a second: bring bursts to the disk, and end those that nobody else has ended."""
        for number, burst in list(self.bursts.items()):
            burst.tick()
            if burst.is_over:
                log.warning("burst without an end", extra={"burst": burst.told.id})
                self._end(number)

    def _end_all(self) -> None:
        for burst in self.bursts.values():
            burst.end()
        self.bursts.clear()

    def leave(self) -> None:
        """Nothing is kept for now."""
        self.sync()
        self._end_all()

    def _hear(self, data: bytes) -> None:
        kind = data[0]
        if kind == PACKET_KIND and len(data) > PACKET.size:
            _, number, track, arrival_us = PACKET.unpack_from(data)
            if track != TALK_TRACK or not 0 <= arrival_us <= ARRIVAL_US_MAX:
                raise ProtocolError("packet", "The talk server sent a packet of no burst's track, or of no time.")
            if (burst := self.bursts.get(number)) is not None:
                burst.packet(arrival_us, data, PACKET.size)
        elif kind == BURST_KIND:
            self._take_burst(TapBurst.decode(data[1:]))
        elif kind == END_KIND:
            self._end(TapBurstEnd.decode(data[1:]).burst)
        else:
            raise ProtocolError("kind", "The talk server said something of no known kind; both must have one version.")

    def _take_burst(self, told: TapBurst) -> None:
        """A burst: what went on under its number or its name is over."""
        for number, old in list(self.bursts.items()):
            if number == told.burst or old.told.id == told.id:
                self._end(number)
        if len(self.bursts) >= self._bursts_max:
            raise ProtocolError("bursts", f"The talk server has more than {self._bursts_max} bursts at once.")
        if (burst := self._begin(told)) is not None:
            self.bursts[told.burst] = burst

    def _end(self, number: int) -> None:
        if (burst := self.bursts.pop(number, None)) is not None:
            burst.end()
