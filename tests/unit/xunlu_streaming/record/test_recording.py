"""A disk that does not keep up, or will not, costs what it must and says so."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from tests.rtp_media import FPS, pictures, video_stream
from xunlu_protocol.media import RecordingReport
from xunlu_streaming.record.ledger import Ledger, RecordingDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.publication import Publication
from xunlu_streaming.record.recording import GAPS_MAX, Recording
from xunlu_streaming.record.recovery import close_abandoned
from xunlu_streaming.record.unit import Format
from xunlu_streaming.record.wishes import Wish
from xunlu_streaming.tap_messages import TapPath, TapTrack

START_US = 1_800_000_000_000_000
VIDEO = TapTrack(track=0, kind="video", codec="H264", clock_hz=90_000, pt=96)
PATH = TapPath(did="REC-1", path=1, began_ms=0, tracks=(VIDEO,))


class Studio:
    """Begins recordings whose files a test keeps when it likes."""

    def __init__(self, folder: Path, queue_bytes_max: int) -> None:
        self.measures = Measures()
        self.split_us = 600_000_000
        self.ledger = Ledger(folder, RecordingDraft, RecordingReport)
        self.ledger.open()
        self.begun: list[Recording] = []
        self.asked = 0
        self._queue_bytes_max = queue_bytes_max

    def open(self, did: str, wish: Wish, formats: Sequence[Format], started_us: int) -> Recording:
        name = f"recording-{len(self.begun)}"
        draft = RecordingDraft(id=name, did=did, why=wish.why, file=f"day/{name}.mp4", started_ms=started_us // 1000)
        self.begun.append(Recording(draft, formats, started_us, self._queue_bytes_max, self.measures))
        return self.begun[-1]

    def ask(self) -> None:
        self.asked += 1

    def dropped(self, reason: str) -> float:
        value = self.measures.registry.get_sample_value("xunlu_record_dropped_total", {"reason": reason})
        return value or 0.0


class Feed:
    """One publication with video alone."""

    def __init__(self, studio: Studio) -> None:
        self.publication = Publication(PATH, Wish("always"), studio, studio.ask)
        self._stream = video_stream()
        self._at = 0

    def play(self, seconds: int) -> None:
        shown = pictures("H264", 10 * FPS)
        for at in range(self._at, self._at + seconds * FPS):
            for packet in self._stream.packets(shown[at].payloads, at / FPS):
                self.publication.packet(0, START_US + at * 1_000_000 // FPS, packet, 0)
        self._at += seconds * FPS


async def kept(studio: Studio, recording: Recording) -> RecordingReport:
    with ThreadPoolExecutor(1) as pool:
        async with asyncio.timeout(10):
            return await recording.keep(studio.ledger, pool)


async def written(studio: Studio) -> None:
    """Wait until nothing waits for the disk."""
    async with asyncio.timeout(10):
        while studio.measures.registry.get_sample_value("xunlu_record_queued_bytes"):  # noqa: ASYNC110  a file's task
            await asyncio.sleep(0.01)


def pictures_of(file: Path) -> int:
    with av.open(str(file)) as container:
        return sum(1 for _ in container.decode(video=0))


async def test_what_the_disk_cannot_take_is_a_gap_up_to_a_keyframe(tmp_path: Path) -> None:
    studio = Studio(tmp_path, queue_bytes_max=150_000)
    feed = Feed(studio)
    feed.play(5)
    [recording] = studio.begun
    missing = studio.dropped("disk")
    assert missing > FPS
    keeping = asyncio.create_task(kept(studio, recording))
    for _ in range(3):
        await written(studio)
        feed.play(1)
    await written(studio)
    feed.publication.end()
    report = await keeping
    [gap] = report.gaps
    assert studio.dropped("disk") == missing
    assert gap.to_ms - gap.from_ms == pytest.approx(1000 * missing / FPS, abs=1)
    assert pictures_of(tmp_path / report.file) == 8 * FPS - missing
    assert studio.measures.registry.get_sample_value("xunlu_record_queued_bytes") == 0


async def test_a_disk_that_fails_costs_a_file_and_the_next_keyframe_begins_another(tmp_path: Path) -> None:
    studio = Studio(tmp_path, queue_bytes_max=10_000_000)
    feed = Feed(studio)
    feed.play(2)
    (tmp_path / "day").write_bytes(b"no folder")
    with pytest.raises(OSError, match="day"):
        await kept(studio, studio.begun[0])
    (tmp_path / "day").unlink()
    feed.play(2)
    feed.publication.end()
    assert len(studio.begun) == 2
    report = await kept(studio, studio.begun[1])
    assert pictures_of(tmp_path / report.file) == 2 * FPS
    # What the first one left behind is closed at the next start: there is nothing in it.
    close_abandoned(studio.ledger)
    assert not studio.ledger.abandoned()
    assert [one.id for one in studio.ledger.unconfirmed()] == ["recording-1"]


async def test_gaps_beyond_their_bound_grow_into_the_last(tmp_path: Path) -> None:
    studio = Studio(tmp_path, queue_bytes_max=10_000_000)
    feed = Feed(studio)
    feed.play(2)
    [recording] = studio.begun
    for number in range(GAPS_MAX + 10):
        recording.note_gap(START_US + (number + 3) * 1_000_000)
    feed.publication.end()
    report = await kept(studio, recording)
    assert len(report.gaps) == GAPS_MAX
    assert report.gaps[-1].to_ms == START_US // 1000 + (GAPS_MAX + 12) * 1000


async def test_a_publication_without_a_keyframe_is_asked_for_one_and_makes_no_file(tmp_path: Path) -> None:
    studio = Studio(tmp_path, queue_bytes_max=10_000_000)
    publication = Publication(PATH, Wish("always"), studio, studio.ask)
    stream = video_stream()
    for at, picture in enumerate(pictures("H264", 10 * FPS)[1:20]):
        for packet in stream.packets(picture.payloads, at / FPS):
            publication.packet(0, START_US + at * 40_000, packet, 0)
    before = studio.asked
    publication.tick()
    publication.end()
    assert before > 0
    assert studio.asked == before + 1
    assert not studio.begun
    reason = {"reason": "undecodable"}
    assert studio.measures.registry.get_sample_value("xunlu_record_packets_total", reason) == 19
