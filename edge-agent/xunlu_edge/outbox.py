"""The outbox: every fix and event on disk until the platform confirms that its database holds it.

First disk, then network: an entry is durable before anybody publishes it. Only `confirm` empties the outbox; when it is
full, `thin` gives up what matters least, and its report is there when what it names is gone.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from xunlu_edge.database import refusals, transaction
from xunlu_edge.errors import StorageError
from xunlu_kit.clock import Clock
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event, EventType, SequenceRange
from xunlu_protocol.location import Location

EntryKind = Literal["loc"] | EventType

# What a row costs beside its payload: keys, B-tree cells, index.
ROW_BYTES = 80
# So many of the oldest and least thinned locations are looked at together; every second one goes.
THIN_ROWS = 1000
RANGES_MAX = 500

_OLDEST_LOCATIONS = """
select sid, seq, kind, created_ms, payload from entry
where kind = 'loc' and (sid, seq) > (?, ?) and (sid, seq) <= (?, ?) order by sid, seq limit ?
"""
_OLDEST_EVENTS = """
select sid, seq, kind, created_ms, payload from entry
where kind <> 'loc' and (sid, seq) > (?, ?) and (sid, seq) <= (?, ?) order by sid, seq limit ?
"""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the outbox: entries up to and including it."""

    sid: int
    seq: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One fix or event.

    Attributes:
        sid: session that made it.
        seq: sequence in that session.
        kind: `loc` or the type of the event.
        created_ms: wall time of its making.
        payload: the encoded message.
    """

    sid: int
    seq: int
    kind: EntryKind
    created_ms: int
    payload: bytes

    @property
    def mark(self) -> Mark:
        """Its place."""
        return Mark(self.sid, self.seq)

    @property
    def is_only_here(self) -> bool:
        """Whether it is an event that no disk holds: a fix is followed by the next one."""
        return self.seq == 0 and self.kind != "loc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Thinned:
    """What was given up of one session."""

    sid: int
    ranges: tuple[SequenceRange, ...]

    @property
    def count(self) -> int:
        """Entries given up."""
        return sum(r.last - r.first + 1 for r in self.ranges)


class Outbox:
    """Entries of this and earlier sessions, in one SQLite table.

    Opening it begins a session: `sid` grows by one with every start of the agent. A fresh file begins at the wall
    clock's seconds: a recorder whose flash was erased must not repeat the identity of a fix that the platform holds.

    Attributes:
        sid: the session that appends now.
        seq: the last sequence given out, 0 before the first.
        count: entries that wait for confirmation.
        bytes: what they weigh.
    """

    def __init__(self, database: sqlite3.Connection, clock: Clock, *, bytes_max: int) -> None:
        self.seq = 0
        self._database = database
        self._clock = clock
        self._bytes_max = bytes_max
        self.sid = self._begin_session()
        self.count, self.bytes = self._weigh()

    def _begin_session(self) -> int:
        with transaction(self._database):
            row = self._database.execute("select value from number where name = 'sid'").fetchone()
            sid = int(row[0]) + 1 if row else max(1, self._clock.time_ms() // 1000)
            self._database.execute("insert or replace into number (name, value) values ('sid', ?)", (sid,))
        return sid

    def _weigh(self) -> tuple[int, int]:
        count, payload = self._database.execute(
            "select count(*), coalesce(sum(length(payload)), 0) from entry"
        ).fetchone()
        return count, payload + count * ROW_BYTES

    # -- in -----------------------------------------------------------------------------------------------------------

    def append(self, kind: EntryKind, message: Location | Event) -> Entry:
        """Give a message its identity and put it on disk; durable when this returns.

        Raises:
            StorageError: the disk did not take it; the sequence is not used up.
        """
        entry = self._entry(self.seq + 1, kind, message)
        try:
            with transaction(self._database):
                self._insert(entry)
        except StorageError:
            # Confirmations that waited for this commit are undone with it.
            self.count, self.bytes = self._weigh()
            raise
        self.seq = entry.seq
        self.count += 1
        self.bytes += len(entry.payload) + ROW_BYTES
        return entry

    def _entry(self, seq: int, kind: EntryKind, message: Location | Event) -> Entry:
        payload = message.model_copy(update={"sid": self.sid, "seq": seq}).encode()
        return Entry(sid=self.sid, seq=seq, kind=kind, created_ms=self._clock.time_ms(), payload=payload)

    def _insert(self, entry: Entry) -> None:
        row = (entry.sid, entry.seq, entry.kind, entry.created_ms, entry.payload)
        self._database.execute("insert into entry (sid, seq, kind, created_ms, payload) values (?, ?, ?, ?, ?)", row)

    # -- out ----------------------------------------------------------------------------------------------------------

    @property
    def mark(self) -> Mark:
        """The newest entry's place."""
        return Mark(self.sid, self.seq)

    def oldest(self, after: Mark, upto: Mark, *, events: bool, limit: int) -> list[Entry]:
        """Entries behind `after` and up to `upto`, oldest first.

        Args:
            after: not included.
            upto: included.
            events: events when true, locations when false.
            limit: at most so many.

        Raises:
            StorageError: the disk did not give it.
        """
        with refusals():
            rows = self._database.execute(
                _OLDEST_EVENTS if events else _OLDEST_LOCATIONS,
                (after.sid, after.seq, upto.sid, upto.seq, limit),
            ).fetchall()
        return [Entry(sid=sid, seq=seq, kind=kind, created_ms=ms, payload=body) for sid, seq, kind, ms, body in rows]

    def holds_upto(self, mark: Mark) -> bool:
        """Whether anything up to `mark` still waits; `StorageError` when the disk does not tell."""
        one = "select 1 from entry where (sid, seq) <= (?, ?) limit 1"
        with refusals():
            return self._database.execute(one, (mark.sid, mark.seq)).fetchone() is not None

    def confirm(self, confirmation: Confirmation) -> int:
        """Let go of what the platform holds; returns how many entries that were.

        The deletion becomes durable with the next append: losing it in a power cut costs a second sending, never a fix.

        Raises:
            StorageError: the disk did not take it.
        """
        removed = freed = 0
        for first, last in _held_ranges(confirmation):
            with refusals():
                rows = self._database.execute(
                    "delete from entry where sid = ? and seq between ? and ? returning length(payload)",
                    (confirmation.sid, first, last),
                ).fetchall()
            removed += len(rows)
            freed += sum(length for (length,) in rows)
        self.count -= removed
        self.bytes -= freed + removed * ROW_BYTES
        return removed

    def close(self) -> None:
        """Make the last confirmations durable, where the disk still takes them."""
        with contextlib.suppress(StorageError), refusals():
            self._database.commit()

    # -- full ---------------------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether `thin` has to make room."""
        return self.bytes > self._bytes_max

    def thin(self, report: Callable[[Thinned], Event]) -> list[tuple[Thinned, Entry]]:
        """Give up what matters least, in one step, and append what says so; returns what went, with its report.

        Every second of the oldest locations that were thinned least goes: the track of a long outage loses density
        before it loses its shape. Events go only when no location is left, oldest first, an SOS last. A power cut
        finds both, what went and its report, or neither.

        Args:
            report: the event that tells of what went of one session.

        Raises:
            StorageError: the disk did not take it; nothing went.
        """
        victims = self._database.execute(
            "select sid, seq from entry where kind = 'loc' order by thinnings, sid, seq limit ?", (THIN_ROWS,)
        ).fetchall()
        if len(victims) > 1:
            survivors, victims = victims[0::2], victims[1::2]
        else:
            survivors = []
            victims += self._database.execute(
                "select sid, seq from entry where kind <> 'loc' order by kind in ('sos', 'storage'), sid, seq limit ?",
                (THIN_ROWS // 10,),
            ).fetchall()
        with transaction(self._database):
            self._database.executemany(
                "update entry set thinnings = thinnings + 1 where sid = ? and seq = ?", survivors
            )
            self._database.executemany("delete from entry where sid = ? and seq = ?", victims)
            told = [
                (gone, self._entry(self.seq + number, "storage", report(gone)))
                for number, gone in enumerate(_by_session([Mark(sid, seq) for sid, seq in victims]), 1)
            ]
            for _, entry in told:
                self._insert(entry)
        self.seq += len(told)
        self.count, self.bytes = self._weigh()
        return told


def _held_ranges(confirmation: Confirmation) -> list[tuple[int, int]]:
    """What lies between the missing ranges, from 0 to `upto`, both ends included."""
    held = []
    start = 0
    for first, last in sorted(confirmation.missing):
        if first > start:
            held.append((start, min(first - 1, confirmation.upto)))
        start = max(start, last + 1)
    if start <= confirmation.upto:
        held.append((start, confirmation.upto))
    return held


def _by_session(marks: Sequence[Mark]) -> list[Thinned]:
    """Neighbouring sequences as ranges, at most `RANGES_MAX` in one report."""
    ranges: list[tuple[int, SequenceRange]] = []
    for mark in sorted(marks):
        if ranges and ranges[-1][0] == mark.sid and ranges[-1][1].last == mark.seq - 1:
            ranges[-1] = (mark.sid, SequenceRange(first=ranges[-1][1].first, last=mark.seq))
        else:
            ranges.append((mark.sid, SequenceRange(first=mark.seq, last=mark.seq)))
    reports = []
    for sid in sorted({sid for sid, _ in ranges}):
        own = [r for owner, r in ranges if owner == sid]
        reports += [Thinned(sid=sid, ranges=tuple(own[i : i + RANGES_MAX])) for i in range(0, len(own), RANGES_MAX)]
    return reports
