"""The floor log on disk until the database has it: SQLite, so that a killed server or a power cut loses no entry.

Blocking: never on the loop.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from xunlu_kit.errors import ConfigError
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.talk_reports import FloorEntry

SCHEMA = "create table if not exists entry (id text primary key, body blob not null)"


class Spool:
    """Entries in the order in which they were added; a context manager.

    Attributes:
        broken: entries that nobody can read any more.
    """

    def __init__(self, file: Path) -> None:
        """Describe it; the folder is made, readable by us alone."""
        self.broken = 0
        self._file = file
        # A write that nobody waits for any more goes on in its thread.
        self._busy = threading.Lock()
        self._database: sqlite3.Connection

    def __enter__(self) -> Self:
        """Open or make the file; one that SQLite cannot read is set aside, for whoever can still rescue it.

        Raises:
            ConfigError: the folder cannot be written.
        """
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._database = _opened(self._file)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                self._file.rename(self._file.with_suffix(f".broken-{time.time_ns() // 1_000_000}"))
                self._database = _opened(self._file)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"{self._file} cannot be used ({error}); set XUNLU_STREAMING_RUN.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._busy:
            self._database.close()

    def entries(self) -> list[FloorEntry]:
        """What a predecessor has left, oldest first."""
        found = []
        for (body,) in self._database.execute("select body from entry order by rowid"):
            try:
                found.append(FloorEntry.decode(body))
            except ProtocolError:
                self.broken += 1
        return found

    def write(self, added: Iterable[FloorEntry], gone: Iterable[str]) -> None:
        """Keep entries, and forget others; on the disk when it returns.

        Raises:
            sqlite3.Error: the disk does not take it.
        """
        with self._busy, self._database:
            self._database.executemany("insert into entry values (?, ?)", [(one.id, one.encode()) for one in added])
            self._database.executemany("delete from entry where id = ?", [(one,) for one in gone])


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, check_same_thread=False)
    try:
        # A commit has reached the disk when it returns (SQLite manual, "Write-Ahead Logging").
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute(SCHEMA)
        file.chmod(0o600)
    except BaseException:
        database.close()
        raise
    return database
