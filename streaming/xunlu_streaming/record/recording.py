"""One recording: frames in, a file that grows out."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from av.error import FFmpegError

from xunlu_protocol.media import Gap, RecordingReport
from xunlu_streaming.record.interleave import Frame
from xunlu_streaming.record.kept_file import KeptFile
from xunlu_streaming.record.ledger import RecordingDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.muxer import Muxer
from xunlu_streaming.record.unit import Format
from xunlu_streaming.record.wishes import Wish

log = logging.getLogger(__name__)

GAP_US_MIN = 2_000_000
"""A picture that stands longer is a gap, whether packets are missing or none were sent."""
GAPS_MAX = 1000
INTERVAL_US_MAX = 1_000_000
LEADER = 0
"""The track that decides: video, or audio where there is no video."""


class Recording(KeptFile[RecordingDraft, RecordingReport]):
    """A file of pictures and sound that grows; see `KeptFile`.

    Attributes:
        wish: why it is made.
        formats: of its tracks.
        started_us: UTC microseconds of the first frame.
        shown_until_us: UTC microseconds of the end of the leading track's last frame.
    """

    def __init__(
        self,
        draft: RecordingDraft,
        formats: Sequence[Format],
        started_us: int,
        queue_bytes_max: int,
        measures: Measures,
    ) -> None:
        """Begin; nothing is on disk before `keep`.

        Args:
            draft: what is known at the beginning.
            formats: of its tracks, the leading one first.
            started_us: UTC microseconds of the first frame.
            queue_bytes_max: bytes that may wait for the disk.
            measures: where frames and bytes are counted.
        """
        super().__init__(draft, started_us, queue_bytes_max, measures)
        self.wish = Wish(draft.why, draft.order)
        self.formats = tuple(formats)
        self.started_us = self.shown_until_us = started_us
        began = datetime.fromtimestamp(started_us / 1e6, UTC).isoformat(timespec="milliseconds")
        self._muxer = Muxer(formats, {"creation_time": began, "title": draft.did, "comment": draft.id})
        self._last_us = started_us
        self._interval_us = 40_000

    def put(self, frame: Frame) -> None:
        """Add a frame; one from before the beginning belongs to nobody."""
        at_us = frame.utc_us - self.started_us
        if at_us < 0 or self._closed:
            return
        lasts_us = frame.unit.duration_us or self._note_interval(frame.utc_us)
        try:
            self.append(self._muxer.put(frame.track, at_us, frame.unit, lasts_us))
        except FFmpegError as error:
            log.error("recording cannot be written", extra={"recording": self.draft.id, "error": str(error)})  # noqa: TRY400
            self.failed = True
            self.close()
            return
        self._measures.frames.inc()
        self.ended_us = max(self.ended_us, frame.utc_us + lasts_us)
        if frame.track == LEADER:
            self.shown_until_us = frame.utc_us + lasts_us
        elif self.draft.audio is None:
            self.note(audio=self.formats[frame.track].codec)

    def _note_interval(self, utc_us: int) -> int:
        passed_us, self._last_us = utc_us - self._last_us, utc_us
        if 0 < passed_us < INTERVAL_US_MAX:
            self._interval_us = passed_us
        return self._interval_us

    def note_gap(self, to_us: int) -> None:
        """Say that nothing is shown between the last frame and now; beyond the bound the last gap grows."""
        gap = Gap(from_ms=self.shown_until_us // 1000, to_ms=max(self.shown_until_us, to_us) // 1000)
        gaps = self.draft.gaps
        if len(gaps) >= GAPS_MAX:
            gaps, gap = gaps[:-1], Gap(from_ms=gaps[-1].from_ms, to_ms=gap.to_ms)
        self.note(gaps=(*gaps, gap))
        self._measures.gaps.inc()

    def close(self) -> None:
        """No more frames: the file ends with the last one."""
        if self._closed:
            return
        if self.ended_us - self.shown_until_us > GAP_US_MIN:
            self.note_gap(self.ended_us)
        try:
            self.append(self._muxer.close())
        except FFmpegError as error:
            log.warning("recording has no proper end", extra={"recording": self.draft.id, "error": str(error)})
        self.finish()
