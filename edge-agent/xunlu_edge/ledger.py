"""The ledger of commands: what was asked and answered, on disk: one `rid` is one command, also after a restart."""

import sqlite3
from dataclasses import dataclass

from xunlu_edge.database import refusals, transaction
from xunlu_kit.clock import Clock
from xunlu_protocol.command import FINAL_STATES, Reply

ROWS_MAX = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The last reply of a command."""

    rid: str
    name: str
    reply: Reply


class Ledger:
    """Commands by request id."""

    def __init__(self, database: sqlite3.Connection, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def answer(self, rid: str) -> Answer | None:
        """The last reply of a command, None for a new one."""
        rows = self._answers("where rid = ?", rid)
        return rows[0] if rows else None

    def unsent(self) -> list[Answer]:
        """Replies that the broker has not taken."""
        return self._answers("where not sent order by received_ms")

    def unfinished(self) -> list[Answer]:
        """Commands without a final reply."""
        finals = ",".join(f"'{state}'" for state in sorted(FINAL_STATES))
        return self._answers(f"where state not in ({finals}) order by received_ms")

    def _answers(self, where: str, *values: str) -> list[Answer]:
        rows = self._database.execute(f"select rid, name, reply from command {where}", values)  # noqa: S608  constants
        return [Answer(rid=rid, name=name, reply=Reply.decode(reply)) for rid, name, reply in rows]

    def begin(self, rid: str, name: str, reply: Reply) -> None:
        """Write a new command down; the oldest finished ones make room."""
        with transaction(self._database):
            self._database.execute(
                "insert into command (rid, name, received_ms, state, reply) values (?, ?, ?, ?, ?)",
                (rid, name, self._clock.time_ms(), reply.st, reply.encode()),
            )
            self._database.execute(
                "delete from command where rid in"
                " (select rid from command order by received_ms desc limit -1 offset ?)",
                (ROWS_MAX,),
            )

    def advance(self, rid: str, reply: Reply) -> None:
        """Write the next reply down."""
        with transaction(self._database):
            self._database.execute(
                "update command set state = ?, reply = ?, sent = 0 where rid = ?", (reply.st, reply.encode(), rid)
            )

    def mark_sent(self, rid: str, reply: Reply) -> None:
        """The broker took this reply; durable with the next commit, for a second sending changes nothing."""
        with refusals():
            self._database.execute("update command set sent = 1 where rid = ? and state = ?", (rid, reply.st))
