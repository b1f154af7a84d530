"""A file while it is written. The loop appends; a task brings it to the disk, each piece durable before the next."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Generic, TypeVar

from xunlu_streaming.record.ledger import D, DurableFile, Ledger, R
from xunlu_streaming.record.measures import Measures

T = TypeVar("T")


class KeptFile(Generic[D, R]):
    """A file that grows.

    Attributes:
        draft: what is known of it by now.
        ended_us: UTC microseconds of the end of what it holds.
        failed: whether the disk, or whoever makes its bytes, would have no more of it.
    """

    def __init__(self, draft: D, started_us: int, queue_bytes_max: int, measures: Measures) -> None:
        """Begin; nothing is on disk before `keep`.

        Args:
            draft: what is known at the beginning.
            started_us: UTC microseconds of the first frame.
            queue_bytes_max: bytes that may wait for the disk.
            measures: where bytes are counted.
        """
        self.draft = draft
        self.ended_us = started_us
        self.failed = False
        self._measures = measures
        self._queue_bytes_max = queue_bytes_max
        self._pieces: list[bytes] = []
        self._queued = 0
        self._stirred = asyncio.Event()
        self._closed = False
        self._over = False

    # -- in the loop --------------------------------------------------------------------------------------------------

    @property
    def behind(self) -> bool:
        """Whether the disk does not keep up: frames are to be left out."""
        return self._queued > self._queue_bytes_max

    def note(self, **changes: object) -> None:
        """Something of the draft has become known."""
        self.draft = self.draft.model_copy(update=changes)
        self._stirred.set()

    def append(self, data: bytes) -> None:
        """Add bytes, if there are any, as long as somebody brings them to the disk."""
        if data and not self._over:
            self._pieces.append(data)
            self._queued += len(data)
            self._measures.queued.inc(len(data))
            self._stirred.set()

    def finish(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._stirred.set()

    # -- towards the disk ---------------------------------------------------------------------------------------------

    async def keep(self, ledger: Ledger[D, R], pool: Executor) -> R:
        """Write until it is finished.

        Raises:
            OSError: the disk will not; what it has stays good, and the draft with it.
        """
        run = partial(_run, pool)
        file: DurableFile | None = None
        try:
            noted = self.draft
            await run(partial(ledger.note, noted))
            file = await run(partial(DurableFile, ledger.root / noted.file))
            while not (self._closed and not self._pieces):
                await self._stirred.wait()
                self._stirred.clear()
                if self.draft is not noted:
                    noted = self.draft
                    await run(partial(ledger.note, noted))
                await self._write(run, file)
            report = self._report(ledger, file, await run(file.finish))
            await run(partial(ledger.finish, report))
        except OSError:
            self.failed = True
            if file is not None:
                file.abandon()
            raise
        finally:
            self._over = True
            self._measures.queued.dec(self._queued)
        return report

    async def _write(self, run: Callable[[Callable[[], None]], asyncio.Future[None]], file: DurableFile) -> None:
        data = b"".join(self._pieces)
        self._pieces.clear()
        if not data:
            return
        await run(partial(file.append, data))
        # Only now: what is in the thread's hands waits, too.
        self._queued -= len(data)
        self._measures.queued.dec(len(data))
        self._measures.written.inc(len(data))

    def _report(self, ledger: Ledger[D, R], file: DurableFile, sha256: str) -> R:
        return ledger.report(
            self.draft, ended_ms=self.ended_us // 1000, size_bytes=file.size, sha256=sha256, complete=not self.failed
        )


def _run(pool: Executor, function: Callable[[], T]) -> asyncio.Future[T]:
    return asyncio.get_running_loop().run_in_executor(pool, function)
