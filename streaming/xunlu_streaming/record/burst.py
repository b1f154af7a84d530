"""One burst of push-to-talk, and the files that are made of it: nearly always one."""

import logging
import secrets
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Protocol

from xunlu_protocol.talk_reports import BurstReport
from xunlu_streaming.record.kept_file import KeptFile
from xunlu_streaming.record.ledger import BurstDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.ogg import CLOCK_HZ, OggOpus
from xunlu_streaming.record.opus import Opus
from xunlu_streaming.record.track import Track
from xunlu_streaming.record.unit import Unit
from xunlu_streaming.tap_messages import TapBurst

log = logging.getLogger(__name__)


class BurstFile(KeptFile[BurstDraft, BurstReport]):
    """A file of sound that grows; see `KeptFile`.

    Attributes:
        started_us: UTC microseconds of the first packet.
    """

    def __init__(self, draft: BurstDraft, name: str, started_us: int, queue_bytes_max: int, measures: Measures) -> None:
        """Begin; nothing is on disk before `keep`.

        Args:
            draft: what is known at the beginning.
            name: of the talker, for people.
            started_us: UTC microseconds of the first packet.
            queue_bytes_max: bytes that may wait for the disk.
            measures: where packets and bytes are counted.
        """
        super().__init__(draft, started_us, queue_bytes_max, measures)
        began = datetime.fromtimestamp(started_us / 1e6, UTC).isoformat(timespec="milliseconds")
        tags = {"TITLE": draft.gid, "ARTIST": draft.talker, "PERFORMER": name, "DATE": began, "COMMENT": draft.id}
        self.started_us = started_us
        self._writer = OggOpus(secrets.randbits(32), tags)

    def put(self, utc_us: int, unit: Unit) -> bool:
        """Add a packet; False when its time has its sound already."""
        at, lasts = _samples(utc_us - self.started_us), _samples(unit.duration_us)
        if at + lasts <= self._writer.position:
            return False
        self.append(self._writer.put(at, unit.data, lasts))
        self.ended_us = utc_us + unit.duration_us
        self._measures.frames.inc()
        return True

    def flush(self) -> None:
        """Bring everything so far towards the disk."""
        self.append(self._writer.flush())

    def close(self) -> None:
        """No more packets: the file ends with the last one."""
        self.append(self._writer.close())
        self.finish()


def _samples(us: int) -> int:
    return round(us * CLOCK_HZ / 1_000_000)


class Shelf(Protocol):
    """Where files of bursts are begun."""

    measures: Measures
    burst_us_max: int

    def open(self, told: TapBurst, started_us: int) -> BurstFile | None:
        """Begin a file; None when that is not possible now."""
        ...


class Burst:
    """What one talker says until the floor goes on.

    Attributes:
        told: what the talk server said of it.
    """

    def __init__(self, told: TapBurst, shelf: Shelf) -> None:
        """Begin; its file begins with the first packet.

        Args:
            told: what the talk server said of it.
            shelf: where its files are begun.
        """
        self.told = told
        self._shelf = shelf
        self._track = Track(CLOCK_HZ, None, Opus())
        self._file: BurstFile | None = None
        self._heard_s = time.monotonic()
        self._dropped: set[str] = set()
        self._unkept = 0
        self._lost_before = 0
        self._counted: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        """Whether nothing has been heard for so long that its end must have been lost."""
        return time.monotonic() >= self._heard_s + self._shelf.burst_us_max / 1e6

    def packet(self, arrival_us: int, data: bytes, at: int) -> None:
        """Take a packet.

        Args:
            arrival_us: UTC microseconds when the talk server received it.
            data: holds the packet.
            at: where it begins.
        """
        self._heard_s = time.monotonic()
        for utc_us, unit in self._track.take(data, at, arrival_us):
            self._put(utc_us, unit)

    def _put(self, utc_us: int, unit: Unit) -> None:
        file = self._file
        if file is not None and (file.failed or utc_us - file.started_us >= self._shelf.burst_us_max):
            self._leave()
        if self._file is None:
            self._file = self._shelf.open(self.told, utc_us)
        if self._file is None:
            self._drop("refused")
        elif self._file.behind:
            self._drop("disk")
        elif not self._file.put(utc_us, unit):
            self._drop("overlap")

    def _leave(self) -> None:
        """End the file; what is missing from now on is missing in the next one."""
        self._count()
        file, self._file = self._file, None
        if file is not None:
            self._lost_before += file.draft.lost
            file.close()

    def _drop(self, reason: str) -> None:
        self._shelf.measures.dropped.labels(reason).inc()
        # Two sounds for one time are one too many; whatever else is dropped is missing.
        self._unkept += reason != "overlap"
        if reason not in self._dropped:
            self._dropped.add(reason)
            log.warning("not all of a burst is kept", extra={"burst": self.told.id, "why": reason})

    def tick(self) -> None:
        """Once a second: what was heard so far goes to the disk, also when the talker pauses."""
        self._count()
        if self._file is not None:
            self._file.flush()

    def end(self) -> None:
        """The floor has gone on."""
        for utc_us, unit in self._track.flush():
            self._put(utc_us, unit)
        self._leave()

    def _count(self) -> None:
        track = self._track
        now = Counter(
            lost=track.reorder.lost,
            late=track.reorder.late,
            malformed=track.malformed + track.depacketiser.malformed,
        )
        for reason, count in (now - self._counted).items():
            self._shelf.measures.packets.labels(reason).inc(count)
        self._counted = now
        lost = now["lost"] + self._unkept - self._lost_before
        if self._file is not None and self._file.draft.lost != lost:
            self._file.note(lost=lost)
