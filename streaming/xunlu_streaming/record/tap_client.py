"""Our end of a relay worker's tap: the publications that it carries."""

from collections.abc import Callable
from pathlib import Path

from xunlu_protocol.errors import ProtocolError
from xunlu_streaming.record.publication import Publication
from xunlu_streaming.record.tap_connection import Names, TapConnection
from xunlu_streaming.tap_messages import (
    BEGIN_KIND,
    END_KIND,
    PACKET,
    PACKET_KIND,
    REPORT,
    REPORT_KIND,
    TapEnd,
    TapPath,
)

PUBLICATIONS_MAX = 2000

Begin = Callable[["TapClient", TapPath], Publication | None]


class TapClient(TapConnection):
    """The connection to one worker; see `TapConnection`.

    Attributes:
        publications: that are recorded, by the worker's number.
    """

    def __init__(self, file: Path, begin: Begin, paths: Names) -> None:
        """Describe it.

        Args:
            file: the worker's socket.
            begin: makes what takes a publication's packets; None when it is not wanted.
            paths: what to take.
        """
        super().__init__(file, paths)
        self.publications: dict[int, Publication] = {}
        self._begin = begin

    def ask_for_keyframe(self, did: str) -> None:
        """Ask; the relay brings many of them together into one."""
        self._say("keyframe", did)

    def _end_all(self) -> None:
        for publication in self.publications.values():
            publication.end()
        self.publications.clear()

    def _hear(self, data: bytes) -> None:
        kind = data[0]
        if kind == PACKET_KIND and len(data) > PACKET.size:
            _, path, track, arrival_us = PACKET.unpack_from(data)
            if (publication := self.publications.get(path)) is not None:
                publication.packet(track, arrival_us, data, PACKET.size)
        elif kind == REPORT_KIND and len(data) == REPORT.size:
            _, path, track, ntp, stamp = REPORT.unpack(data)
            if (publication := self.publications.get(path)) is not None:
                publication.report(track, ntp, stamp)
        elif kind == BEGIN_KIND:
            self._take_path(TapPath.decode(data[1:]))
        elif kind == END_KIND:
            self.end(TapEnd.decode(data[1:]).path)
        else:
            raise ProtocolError("kind", "The relay said something of no known kind; both must have one version.")

    def _take_path(self, path: TapPath) -> None:
        """A publication: what went on under its number or its name is over."""
        for number, old in list(self.publications.items()):
            if number == path.path or old.did == path.did:
                self.end(number)
        if len(self.publications) >= PUBLICATIONS_MAX:
            raise ProtocolError("paths", f"The relay has more than {PUBLICATIONS_MAX} paths to record.")
        if (publication := self._begin(self, path)) is not None:
            self.publications[path.path] = publication

    def end(self, number: int) -> None:
        """End a publication, if it is known."""
        if (publication := self.publications.pop(number, None)) is not None:
            publication.end()
