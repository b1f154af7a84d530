"""A ZIP file that is written from one end to the other, with the SHA-256 of everything in it."""

import hashlib
import threading
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from xunlu_platform.export.errors import ExportError

CHUNK: Final = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file of the archive: `sha256` in hexadecimal."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(slots=True)
class Progress:
    """What the thread that writes tells the loop that waits.

    Attributes:
        total_bytes: about so many will be written.
        done_bytes: so many are.
        stopped: set to make the thread give up.
    """

    total_bytes: int = 0
    done_bytes: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)


class Archive:
    """Files are added one after the other, by one thread; a context manager."""

    def __init__(self, path: Path, *, at: datetime, bytes_max: int, progress: Progress) -> None:
        """Describe it.

        Args:
            path: is overwritten.
            at: time of all files in it.
            bytes_max: no more is written.
            progress: is told of every chunk.
        """
        self._at = at.astimezone(UTC).timetuple()[:6]
        self._bytes_max = bytes_max
        self._progress = progress
        self._zip = zipfile.ZipFile(path, "w", allowZip64=True)
        self.entries: list[Entry] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add_text(self, name: str, parts: Iterable[str]) -> Entry:
        """A text, compressed; `parts` are joined."""
        return self._add(name, (part.encode() for part in parts), zipfile.ZIP_DEFLATED)

    def add_bytes(self, name: str, data: bytes) -> Entry:
        """A few bytes as they are."""
        return self._add(name, (data,), zipfile.ZIP_STORED)

    def add_file(self, name: str, source: Path) -> Entry:
        """A file as it is: film and sound are compressed already, and players jump within them.

        Raises:
            FileNotFoundError: it has gone meanwhile; nothing was added.
            OSError: it cannot be read to its end.
        """
        with source.open("rb") as file:
            return self._add(name, iter(lambda: file.read(CHUNK), b""), zipfile.ZIP_STORED)

    def _add(self, name: str, chunks: Iterable[bytes], how: int) -> Entry:
        about = zipfile.ZipInfo(name, self._at)
        about.compress_type = how
        about.external_attr = 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(about, "w", force_zip64=True) as member:
            for chunk in self._bounded(chunks):
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        entry = Entry(path=name, size_bytes=size, sha256=digest.hexdigest())
        self.entries.append(entry)
        return entry

    def _bounded(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._progress.stopped.is_set():
                raise ExportError("stopped")
            self._progress.done_bytes += len(chunk)
            if self._progress.done_bytes > self._bytes_max:
                raise ExportError("disk")
            yield chunk
