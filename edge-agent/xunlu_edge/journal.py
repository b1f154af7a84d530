"""The journal: the one way of a fix or event into the outbox and on to the uplink."""

import logging

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import StorageError
from xunlu_edge.outbox import Entry, EntryKind, Outbox, Thinned
from xunlu_edge.uplink import Uplink
from xunlu_protocol.event import Event
from xunlu_protocol.location import Location

log = logging.getLogger(__name__)

THINNING_STEPS_MAX = 20


class Journal:
    """Writes down, then sends; keeps the outbox within its bound and reports what that cost.

    Attributes:
        lost: entries that the disk refused: a restart before they were sent loses them.
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

        A broken disk must not silence an SOS: what it refuses is still sent, without a sequence, as soon as there is
        a connection, and counted.
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
            if not self._outbox.is_full:
                return
            try:
                told = self._outbox.thin(self._report)
            except StorageError as error:
                log.warning("outbox not thinned", extra={"error": str(error)})
                return
            for gone, entry in told:
                self.thinned += gone.count
                self._uplink.offer(entry)
            log.warning("outbox thinned", extra={"thinned": self.thinned, "waiting": self._outbox.count})

    def _report(self, gone: Thinned) -> Event:
        now_s = self._watch.utc_ms() // 1000
        return Event(tst=now_s, thinned=gone.ranges, thinned_sid=gone.sid, text="thinned")
