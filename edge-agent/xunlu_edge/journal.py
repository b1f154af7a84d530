"""The journal: the one way of a fix or event into the outbox and on to the uplink."""

import logging

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import StorageError
from xunlu_edge.outbox import Entry, EntryKind, Outbox
from xunlu_edge.uplink import Uplink
from xunlu_protocol.event import Event
from xunlu_protocol.location import Location

log = logging.getLogger(__name__)

THINNING_STEPS_MAX = 20


class Journal:
    """Writes down, then sends; keeps the outbox within its bound and reports what that cost.

    Attributes:
        lost: entries that the disk refused; they were sent without being kept.
        thinned: entries given up in this session because the outbox was full.
    """

    def __init__(self, outbox: Outbox, uplink: Uplink, watch: ClockWatch) -> None:
        self.lost = 0
        self.thinned = 0
        self._outbox = outbox
        self._uplink = uplink
        self._watch = watch

    def add(self, kind: EntryKind, message: Location | Event) -> Entry:
        """Keep a message and send it.

        A broken disk must not silence an SOS: what it refuses is still sent, without a sequence, and counted.
        """
        try:
            entry = self._outbox.append(kind, message)
        except StorageError as error:
            self.lost += 1
            log.error("entry not kept", extra={"kind": kind, "lost": self.lost, "error": str(error)})  # noqa: TRY400
            entry = self._unkept(kind, message)
        self._uplink.offer(entry)
        if self._outbox.is_full:
            self._make_room()
        return entry

    def _unkept(self, kind: EntryKind, message: Location | Event) -> Entry:
        payload = message.model_copy(update={"sid": self._outbox.sid}).encode()
        return Entry(sid=self._outbox.sid, seq=0, kind=kind, created_ms=self._watch.wall_ms(), payload=payload)

    def _make_room(self) -> None:
        for _ in range(THINNING_STEPS_MAX):
            try:
                reports = self._outbox.thin() if self._outbox.is_full else []
                for report in reports:
                    self.thinned += report.count
                    event = Event(
                        tst=self._watch.utc_ms() // 1000, thinned=report.ranges, thinned_sid=report.sid, text="thinned"
                    )
                    self._uplink.offer(self._outbox.append("storage", event))
            except StorageError as error:
                log.warning("outbox not thinned", extra={"error": str(error)})
                return
            if not reports:
                return
            log.warning("outbox thinned", extra={"thinned": self.thinned, "waiting": self._outbox.count})
