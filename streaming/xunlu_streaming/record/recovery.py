"""Closes what a killed process left: the file stays as it is, and its report says how far it goes."""

import hashlib
import logging
import os
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from xunlu_streaming.record.ledger import D, Ledger, R

log = logging.getLogger(__name__)


def close_abandoned(ledger: Ledger[D, R]) -> None:
    """Close every file whose process was killed. Blocks, about as long as reading the files takes."""
    for draft in ledger.abandoned():
        close_one(ledger, draft)


def close_one(ledger: Ledger[D, R], draft: D) -> R | None:
    """Close a file that was not finished; None when it holds no picture and no sound."""
    file = ledger.root / draft.file
    lasts_us = _duration_us(file) if file.exists() else None
    if lasts_us is None:
        log.warning("killed before anything was on disk", extra={"file": draft.file})
        file.unlink(missing_ok=True)
        ledger.forget(draft.id)
        return None
    with file.open("rb") as media:
        digest = hashlib.file_digest(media, "sha256").hexdigest()
        size = media.tell()
        os.fchmod(media.fileno(), 0o440)
        os.fsync(media.fileno())
    ended_ms = draft.started_ms + lasts_us // 1000
    report = ledger.report(draft, ended_ms=ended_ms, size_bytes=size, sha256=digest, complete=False)
    ledger.finish(report)
    log.warning("file closed for a killed process", extra={"file": report.file})
    return report


def _duration_us(file: Path) -> int | None:
    """Where the last frame of a file ends, microseconds; None when there is none."""
    end_us: int | None = None
    try:
        container: InputContainer
        with av.open(str(file)) as container:
            for packet in container.demux():
                if packet.pts is not None and packet.size:
                    at_us = int((packet.pts + (packet.duration or 0)) * packet.time_base * 1_000_000)
                    end_us = max(end_us or 0, at_us)
    except FFmpegError as error:
        # A torn end is to be expected, and everything before it counts.
        log.debug("file ends early", extra={"file": str(file), "error": str(error)})
    return end_us
