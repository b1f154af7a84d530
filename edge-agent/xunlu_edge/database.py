"""The recorder's own database: one SQLite file that survives kill -9 and power cuts."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from xunlu_edge.errors import StorageError

log = logging.getLogger(__name__)

FILE_NAME = "agent.db"

SCHEMA = """
create table if not exists number (name text primary key, value integer not null) without rowid;
create table if not exists document (name text primary key, body blob not null) without rowid;
-- Fixes (kind 'loc') and events (kind: their type) that the platform has not confirmed.
create table if not exists entry (
  sid integer not null,
  seq integer not null,
  kind text not null,
  created_ms integer not null,
  -- How often the neighbourhood was thinned because the outbox was full.
  thinnings integer not null default 0,
  payload blob not null,
  primary key (sid, seq)
) without rowid;
create index if not exists entry_thinnable on entry (thinnings, sid, seq) where kind = 'loc';
create index if not exists entry_event on entry (sid, seq) where kind <> 'loc';
-- Commands by request id, with the last reply: the same rid twice is one command, also after a restart.
create table if not exists command (
  rid text primary key,
  name text not null,
  received_ms integer not null,
  state text not null,
  reply blob not null,
  sent integer not null default 0
) without rowid;
-- Voice notes that were played: whoever asks again is told so.
create table if not exists played_note (note text primary key, played_ms integer not null) without rowid;
"""


def open_database(folder: Path) -> sqlite3.Connection:
    """Open or make the database of a state folder.

    WAL with synchronous=FULL: a commit has reached the disk when it returns (SQLite manual, "Write-Ahead Logging").
    A file that SQLite cannot read is set aside, never deleted: it may hold fixes that somebody can still rescue.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _open(folder / FILE_NAME)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise StorageError(
                f"{folder / FILE_NAME} cannot be opened: {error}. Check the disk and its rights."
            ) from error
        _set_aside(folder / FILE_NAME)
        log.exception("database unreadable, set aside")
        return _open(folder / FILE_NAME)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error}.") from error


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level="IMMEDIATE")
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        # A recorder has little memory: 1 MiB of pages is plenty for appending.
        database.execute("pragma cache_size = -1024")
        database.executescript(SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _set_aside(path: Path) -> None:
    number = sum(1 for _ in path.parent.glob(f"{path.name}.broken-*")) + 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.broken-{number}{suffix}"))


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What the disk refuses inside becomes a `StorageError`.

    Raises:
        StorageError: the disk did not take it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"The recorder's disk did not take it: {error}. Check its space and its health.") from error


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what is done inside, together with what was left uncommitted before; undo both on failure.

    Raises:
        StorageError: the disk did not take it.
    """
    with refusals(), database:
        yield database


def read_document(database: sqlite3.Connection, name: str) -> bytes | None:
    """A stored document, such as the shadow in force."""
    row = database.execute("select body from document where name = ?", (name,)).fetchone()
    return row[0] if row else None


def write_document(database: sqlite3.Connection, name: str, body: bytes) -> None:
    """Store a document durably."""
    with transaction(database):
        database.execute("insert or replace into document (name, body) values (?, ?)", (name, body))
