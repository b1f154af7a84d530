"""One recording: a file while it is written. The loop puts frames in; a task brings what they become to the disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from av.error import FFmpegError

from xunlu_protocol.media import Gap, RecordingReport
from xunlu_streaming.record.interleave import Frame
from xunlu_streaming.record.ledger import Draft, DurableFile, Ledger
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.muxer import Muxer
from xunlu_streaming.record.unit import Format
from xunlu_streaming.record.wishes import Wish

log = logging.getLogger(__name__)

T = TypeVar("T")

GAP_US_MIN = 2_000_000
"""A picture that stands longer is a gap, whether packets are missing or none were sent."""
GAPS_MAX = 1000
INTERVAL_US_MAX = 1_000_000
LEADER = 0
"""The track that decides: video, or audio where there is no video."""


class Recording:
    """A file that grows.

    Attributes:
        wish: why it is made.
        formats: of its tracks.
        started_us: UTC microseconds of the first frame.
        shown_until_us: UTC microseconds of the end of the leading track's last frame.
        failed: whether the disk, or libavformat, would have no more of it.
    """

    def __init__(
        self, draft: Draft, formats: Sequence[Format], started_us: int, queue_bytes_max: int, measures: Measures
    ) -> None:
        """Begin; nothing is on disk before `keep`.

        Args:
            draft: what is known at the beginning.
            formats: of its tracks, the leading one first.
            started_us: UTC microseconds of the first frame.
            queue_bytes_max: bytes that may wait for the disk.
            measures: where frames and bytes are counted.
        """
        self.wish = Wish(draft.why, draft.order)
        self.formats = tuple(formats)
        self.started_us = self.shown_until_us = started_us
        self.failed = False
        began = datetime.fromtimestamp(started_us / 1e6, UTC).isoformat(timespec="milliseconds")
        self._muxer = Muxer(formats, {"creation_time": began, "title": draft.did, "comment": draft.id})
        self._draft = draft
        self._measures = measures
        self._queue_bytes_max = queue_bytes_max
        self._pieces: list[bytes] = []
        self._queued = 0
        self._stirred = asyncio.Event()
        self._closed = False
        self._ended_us = self._last_us = started_us
        self._interval_us = 40_000

    # -- in the loop --------------------------------------------------------------------------------------------------

    @property
    def behind(self) -> bool:
        """Whether the disk does not keep up: frames are to be left out."""
        return self._queued > self._queue_bytes_max

    def put(self, frame: Frame) -> None:
        """Add a frame; one from before the beginning belongs to nobody."""
        at_us = frame.utc_us - self.started_us
        if at_us < 0 or self._closed:
            return
        lasts_us = frame.unit.duration_us or self._note_interval(frame.utc_us)
        try:
            self._append(self._muxer.put(frame.track, at_us, frame.unit, lasts_us))
        except FFmpegError as error:
            log.error("recording cannot be written", extra={"recording": self._draft.id, "error": str(error)})  # noqa: TRY400
            self.failed = True
            self.close()
            return
        self._measures.frames.inc()
        self._ended_us = max(self._ended_us, frame.utc_us + lasts_us)
        if frame.track == LEADER:
            self.shown_until_us = frame.utc_us + lasts_us
        elif self._draft.audio is None:
            self._draft = self._draft.model_copy(update={"audio": self.formats[frame.track].codec})

    def _note_interval(self, utc_us: int) -> int:
        passed_us, self._last_us = utc_us - self._last_us, utc_us
        if 0 < passed_us < INTERVAL_US_MAX:
            self._interval_us = passed_us
        return self._interval_us

    def note_gap(self, to_us: int) -> None:
        """Say that nothing is shown between the last frame and now; beyond the bound the last gap grows."""
        gap = Gap(from_ms=self.shown_until_us // 1000, to_ms=max(self.shown_until_us, to_us) // 1000)
        gaps = self._draft.gaps
        if len(gaps) >= GAPS_MAX:
            gaps, gap = gaps[:-1], Gap(from_ms=gaps[-1].from_ms, to_ms=gap.to_ms)
        self._draft = self._draft.model_copy(update={"gaps": (*gaps, gap)})
        self._measures.gaps.inc()
        self._stirred.set()

    def close(self) -> None:
        """No more frames: the file ends with the last one."""
        if self._closed:
            return
        if self._ended_us - self.shown_until_us > GAP_US_MIN:
            self.note_gap(self._ended_us)
        self._closed = True
        try:
            self._append(self._muxer.close())
        except FFmpegError as error:
            log.warning("recording has no proper end", extra={"recording": self._draft.id, "error": str(error)})
        self._stirred.set()

    def _append(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._queued += len(data)
            self._measures.queued.inc(len(data))
            self._stirred.set()

    # -- towards the disk ---------------------------------------------------------------------------------------------

    async def keep(self, ledger: Ledger, pool: Executor) -> RecordingReport:
        """Write until it is closed, each piece durable before the next.

        Raises:
            OSError: the disk will not; what it has stays good, and the draft with it.
        """
        run = partial(_run, pool)
        file: DurableFile | None = None
        try:
            noted = self._draft
            await run(partial(ledger.note, noted))
            file = await run(partial(DurableFile, ledger.root / noted.file))
            while not (self._closed and not self._pieces):
                await self._stirred.wait()
                self._stirred.clear()
                if self._draft is not noted:
                    noted = self._draft
                    await run(partial(ledger.note, noted))
                await self._write(run, file)
            report = self._report(file, await run(file.finish))
            await run(partial(ledger.finish, report))
        except OSError:
            self.failed = True
            if file is not None:
                file.abandon()
            raise
        finally:
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

    def _report(self, file: DurableFile, sha256: str) -> RecordingReport:
        return self._draft.report(
            ended_ms=self._ended_us // 1000, size_bytes=file.size, sha256=sha256, complete=not self.failed
        )

    @property
    def draft(self) -> Draft:
        """What is known of it by now."""
        return self._draft


def _run(pool: Executor, function: Callable[[], T]) -> asyncio.Future[T]:
    return asyncio.get_running_loop().run_in_executor(pool, function)
