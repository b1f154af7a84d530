"""Owns the files of one kind that are being written, until each is reported."""

import asyncio
import logging
import time
from typing import Generic

from xunlu_streaming.record.kept_file import KeptFile
from xunlu_streaming.record.ledger import D, R
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.recovery import close_one
from xunlu_streaming.record.reports import Reports

log = logging.getLogger(__name__)

RETRY_S = 5.0
"""How long nothing is begun after the disk has refused something."""


class Keeper(Generic[D, R]):
    """Files that are being written, a task each.

    Attributes:
        ledger: of them.
        running: their drafts' ids.
    """

    def __init__(self, reports: Reports[D, R], tasks: asyncio.TaskGroup, measures: Measures, files_max: int) -> None:
        """Begin without files.

        Args:
            reports: where finished ones go.
            tasks: where their tasks live; it ends when all are finished.
            measures: what is counted.
            files_max: files at once.
        """
        self.ledger = reports.ledger
        self.running: set[str] = set()
        self._reports = reports
        self._tasks = tasks
        self._measures = measures
        self._files_max = files_max
        self._closed_until_s = 0.0

    @property
    def takes(self) -> bool:
        """Whether another file may be begun now."""
        return time.monotonic() >= self._closed_until_s and not self.full

    @property
    def full(self) -> bool:
        """Whether there are as many files as may be."""
        return len(self.running) >= self._files_max

    def begin(self, file: KeptFile[D, R]) -> None:
        """Bring a file to the disk from now on."""
        self.running.add(file.draft.id)
        self._tasks.create_task(self._keep(file), name=f"file[{file.draft.id}]")
        log.info("file begins", extra={"file": file.draft.file})

    async def _keep(self, file: KeptFile[D, R]) -> None:
        try:
            report = await file.keep(self.ledger, self._reports.pool)
        except OSError as error:
            self._measures.failures.inc()
            self._closed_until_s = time.monotonic() + RETRY_S
            log.error("the disk refused a file", extra={"file": file.draft.file, "error": str(error)})  # noqa: TRY400
            await self._rescue(file.draft)
        else:
            log.info("file finished", extra={"file": report.file, "size_bytes": report.size_bytes})
            self._reports.add(report)
        finally:
            self.running.discard(file.draft.id)

    async def _rescue(self, draft: D) -> None:
        """Close what the disk has; when it refuses that, too, the next start does it."""
        loop = asyncio.get_running_loop()
        try:
            report = await loop.run_in_executor(self._reports.pool, close_one, self.ledger, draft)
        except OSError as error:
            log.warning("file stays open", extra={"file": draft.file, "error": str(error)})
        else:
            if report is not None:
                self._reports.add(report)
