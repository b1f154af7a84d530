"""What the recorder process must not forget, on disk: what is being written, and what is finished and not confirmed.

The folder is the state. `running/ID.json` says what is being written, `finished/ID.json` is a report that nobody has
confirmed, and beside the file lies the report that the database holds. Recordings and bursts have a ledger each.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Generic, TypeVar, cast

from pydantic import Field

from xunlu_protocol.base import Identifier, Wire
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.media import Cause, Gap, Milliseconds, RecordingReport
from xunlu_protocol.talk import Gid, Person, Urgency
from xunlu_protocol.talk_reports import BurstReport

log = logging.getLogger(__name__)

Kept = TypeVar("Kept", bound=Wire)


class Draft(Wire):
    """A file that is being written: what its report will say, as far as it is known.

    Attributes:
        id: of the report.
        file: path below the recordings folder, with `/`.
        started_ms: UTC milliseconds of the first frame.
    """

    id: Identifier
    file: Annotated[str, Field(max_length=300)]
    started_ms: Milliseconds


class RecordingDraft(Draft):
    """A recording that runs; see `RecordingReport`."""

    did: Identifier
    why: Cause
    order: Identifier | None = None
    video: str | None = None
    audio: str | None = None
    gaps: tuple[Gap, ...] = ()


class BurstDraft(Draft):
    """A burst that goes on; see `BurstReport`."""

    gid: Gid
    talker: Person
    did: Identifier | None = None
    grant: int = 0
    urgency: Urgency = 0
    lost: int = 0


D = TypeVar("D", bound=Draft)
R = TypeVar("R", bound=RecordingReport | BurstReport)


class Ledger(Generic[D, R]):
    """The folders of one kind of reports. Everything here blocks: it belongs into a thread.

    Attributes:
        root: folder of the recordings.
    """

    def __init__(self, root: Path, drafts: type[D], reports: type[R], place: str = "") -> None:
        """Name the folders; `open` makes them.

        Args:
            root: folder of the recordings.
            drafts: kind of what runs.
            reports: kind of what is finished.
            place: folder below `root` that holds what is running and finished.
        """
        self.root = root
        self._drafts = drafts
        self._reports = reports
        self._running = root / place / "running"
        self._finished = root / place / "finished"

    def open(self) -> None:
        """Make the folders."""
        for folder in (self._running, self._finished):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)

    def note(self, draft: D) -> None:
        """Keep what is known of a file that is being written."""
        write_durably(self._running / f"{draft.id}.json", draft.encode())

    def report(self, draft: D, *, ended_ms: int, size_bytes: int, sha256: str, complete: bool) -> R:
        """What is said of a file when it is finished."""
        end = {"ended_ms": ended_ms, "size_bytes": size_bytes, "sha256": sha256, "complete": complete}
        # A class that is one of two parses to itself, which mypy does not see through the union.
        return cast("R", self._reports.parse(draft.model_dump() | end))

    def finish(self, report: R) -> None:
        """Keep a report until it is confirmed."""
        write_durably(self._finished / f"{report.id}.json", report.encode())
        self.forget(report.id)

    def forget(self, name: str) -> None:
        """A file is not written any more."""
        (self._running / f"{name}.json").unlink(missing_ok=True)

    def confirm(self, report: R) -> None:
        """The database holds a report: from now on it lies beside its file."""
        with contextlib.suppress(FileNotFoundError):
            (self._finished / f"{report.id}.json").replace((self.root / report.file).with_suffix(".json"))

    def unconfirmed(self) -> list[R]:
        """Reports that are still to be confirmed, oldest first."""
        return sorted(_read(self._finished, self._reports), key=lambda report: report.started_ms)

    def abandoned(self) -> list[D]:
        """Files whose process was killed."""
        drafts = []
        for draft in _read(self._running, self._drafts):
            if (self._finished / f"{draft.id}.json").exists():
                self.forget(draft.id)
            else:
                drafts.append(draft)
        return drafts


def _read(folder: Path, kind: type[Kept]) -> Iterator[Kept]:
    for file in folder.glob("*.json"):
        try:
            yield kind.decode(file.read_bytes())
        except (OSError, ProtocolError) as error:
            log.error("not readable, left alone", extra={"file": str(file), "error": str(error)})  # noqa: TRY400


def write_durably(file: Path, data: bytes) -> None:
    """Write a whole file or nothing: a killed process or machine leaves the old one or the new one."""
    new = file.with_suffix(".new")
    with new.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class DurableFile:
    """A file that only grows, each piece durable before the next, and that nobody changes afterwards.

    Attributes:
        size: bytes so far.
    """

    def __init__(self, file: Path) -> None:
        """Make the file.

        Raises:
            OSError: it is there already, or the disk will not.
        """
        file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.size = 0
        self._digest = hashlib.sha256()
        self._out = file.open("xb", buffering=0)
        sync_folder(file.parent)

    def append(self, data: bytes) -> None:
        """Write a piece.

        Raises:
            OSError: the disk will not; what was written before stays good.
        """
        view = memoryview(data)
        while view:
            view = view[self._out.write(view) :]
        os.fdatasync(self._out.fileno())
        self._digest.update(data)
        self.size += len(data)

    def finish(self) -> str:
        """Close it for good, readable only; gives its SHA-256, hexadecimal."""
        os.fchmod(self._out.fileno(), 0o440)
        os.fsync(self._out.fileno())
        self._out.close()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """Close it as it is."""
        with contextlib.suppress(OSError):
            self._out.close()
