"""The floor log: what happened in the groups, kept on disk and told on `ptt/log` until the database has it."""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
import time

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session
from xunlu_protocol.talk_reports import FloorEntry, TalkLog
from xunlu_protocol.topics import talk_log
from xunlu_streaming.talk.spool import Spool

log = logging.getLogger(__name__)

ENTRIES_PER_MESSAGE = 500
GATHER_S = 0.2
"""Entries of so long go together."""
REPEAT_S = 10.0
PUBLISH_TIMEOUT_S = 5.0


class FloorLog:
    """Entries that nobody has confirmed yet, bounded, in memory and on disk.

    Attributes:
        lost: entries given up because too many waited, or because nobody can read what a predecessor left.
        unsaved: entries that the disk did not take; they are told nevertheless.
    """

    def __init__(self, entries_max: int, spool: Spool) -> None:
        """Begin with what a predecessor could not tell.

        Args:
            entries_max: that wait.
            spool: open; keeps them over a death of this process.
        """
        self.lost = self.unsaved = 0
        self._entries_max = entries_max
        self._spool = spool
        self._entries: dict[str, FloorEntry] = {}
        self._told_s: dict[str, float] = {}
        self._added: list[FloorEntry] = []
        self._gone: list[str] = []
        self._unwritten = asyncio.Event()
        self._changed = asyncio.Event()
        for entry in spool.entries():
            self._keep(entry)
        self.lost += spool.broken

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, gid: str, what: str, who: str, **more: int | str | None) -> None:
        """Add an entry; `more` are other fields of `FloorEntry`."""
        fields = {"gid": gid, "tms": time.time_ns() // 1_000_000, "what": what, "who": who, **more}
        entry = FloorEntry.parse({"id": secrets.token_hex(8), **fields})
        self._added.append(entry)
        self._keep(entry)

    def _keep(self, entry: FloorEntry) -> None:
        self._entries[entry.id] = entry
        if len(self._entries) > self._entries_max:
            self.confirm((next(iter(self._entries)),))
            self.lost += 1
        self._unwritten.set()
        self._changed.set()

    def confirm(self, ids: tuple[str, ...]) -> None:
        """The database has these."""
        for one in ids:
            self._told_s.pop(one, None)
            if self._entries.pop(one, None) is not None:
                self._gone.append(one)
                self._unwritten.set()

    async def save(self) -> None:
        """Write what happens to the disk, for ever: soon enough for a kill, and never in the way of a grant.

        What happens while one commit runs goes with the next.
        """
        while True:
            await self._unwritten.wait()
            await self.write()

    async def write(self) -> None:
        """Write what has happened so far."""
        self._unwritten.clear()
        added, gone, self._added, self._gone = self._added, self._gone, [], []
        try:
            await asyncio.to_thread(self._spool.write, added, gone)
        except sqlite3.Error as error:
            self.unsaved += len(added)
            log.warning("floor log not saved", extra={"error": str(error), "entries": len(added)})

    async def run(self, session: Session, tenant: str) -> None:
        """Tell, for ever; what is not confirmed is told again."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPEAT_S):
                    await self._changed.wait()
            await asyncio.sleep(GATHER_S)
            self._changed.clear()
            await self.say(session, tenant)

    async def say(self, session: Session, tenant: str) -> None:
        """Tell what has not been told lately."""
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                while entries := self._due(time.monotonic()):
                    await session.publish(talk_log(tenant), TalkLog(entries=entries).encode())
                    self._told_s |= dict.fromkeys((one.id for one in entries), time.monotonic())
        except (TransportError, TimeoutError) as error:
            log.warning("floor log not told", extra={"error": str(error)})

    def _due(self, now_s: float) -> tuple[FloorEntry, ...]:
        due = (one for id_, one in self._entries.items() if now_s - self._told_s.get(id_, -REPEAT_S) >= REPEAT_S)
        return tuple(entry for entry, _ in zip(due, range(ENTRIES_PER_MESSAGE), strict=False))
