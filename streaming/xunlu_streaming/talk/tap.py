"""The tap of talk: bursts in plain text for the recorder process, over a local socket; see docs/talk.md.

A reader takes everything (`{"take": "*"}`) or nothing. A burst is told with its first packet, and to a reader that
comes later at once.
"""

import json
import socket
import time
from pathlib import Path

from xunlu_streaming.reader_server import LocalReader, ReaderServer
from xunlu_streaming.talk.group import Burst
from xunlu_streaming.tap_messages import EVERY_PATH, PACKET, TALK_TRACK, TapBurst, TapBurstEnd


class Connection(LocalReader):
    """One reader.

    Attributes:
        takes: whether it wants bursts now.
    """

    def __init__(self, sock: socket.socket, tap: "BurstTap") -> None:
        super().__init__(sock)
        self.takes = False
        self._tap = tap

    def obey(self, request: bytes) -> None:
        """Begin or end to tell it."""
        try:
            wish = json.loads(request)
        except ValueError:
            return
        if wish == {"take": EVERY_PATH} and not self.takes:
            self.takes = True
            for burst in self._tap.bursts.values():
                self.send(begin_of(burst))
        elif wish == {"leave": EVERY_PATH}:
            self.takes = False


class BurstTap(ReaderServer[Connection]):
    """Listens for readers of bursts.

    Attributes:
        bursts: that have had a packet, by their number.
    """

    def __init__(self, file: Path) -> None:
        """Describe it; see `ReaderServer`."""
        super().__init__(file, lambda sock: Connection(sock, self))
        self.bursts: dict[int, Burst] = {}

    def packet(self, burst: Burst, packet: bytes) -> None:
        """A packet passed the gate."""
        now_us = time.time_ns() // 1000
        if not burst.began_ms:
            burst.began_ms = now_us // 1000
            self.bursts[burst.number] = burst
            self._tell(begin_of(burst))
        if self.readers:
            self._tell(PACKET.pack(b"R", burst.number, TALK_TRACK, now_us) + packet)

    def end(self, burst: Burst, why: str) -> None:
        """It is over."""
        if self.bursts.pop(burst.number, None) is not None:
            end = TapBurstEnd(burst=burst.number, why=why, ended_ms=time.time_ns() // 1_000_000)
            self._tell(b"E" + end.encode())

    def _tell(self, data: bytes) -> None:
        for reader in self.readers:
            if reader.takes:
                reader.send(data)


def begin_of(burst: Burst) -> bytes:
    """How a burst is told."""
    talker = burst.talker
    told = TapBurst(
        burst=burst.number,
        id=burst.id,
        gid=burst.gid,
        talker=talker.id,
        did=talker.did,
        name=talker.name,
        grant=burst.grant,
        urgency=burst.urgency,
        began_ms=burst.began_ms,
    )
    return b"B" + told.encode()
