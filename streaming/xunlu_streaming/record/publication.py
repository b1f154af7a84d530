"""One publication of a path, and the recordings that are made of it, one after the other."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from xunlu_streaming.record.interleave import Frame, Interleave
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.opus import FORMAT as SOUND
from xunlu_streaming.record.recording import GAP_US_MIN, LEADER, Recording
from xunlu_streaming.record.track import Track, depacketiser
from xunlu_streaming.record.unit import Format, Unit
from xunlu_streaming.record.wishes import Wish
from xunlu_streaming.tap_messages import TapPath

log = logging.getLogger(__name__)


class Studio(Protocol):
    """Where recordings are begun."""

    measures: Measures
    split_us: int

    def open(self, did: str, wish: Wish, formats: Sequence[Format], started_us: int) -> Recording | None:
        """Begin a recording; None when that is not possible now."""
        ...


class Publication:
    """What a publisher sends, track by track, until it ends.

    Attributes:
        did: name of the path.
        wish: why it is recorded; another one needs another file.
    """

    def __init__(self, path: TapPath, wish: Wish, studio: Studio, ask_for_keyframe: Callable[[], None]) -> None:
        """Begin; the first recording begins with the first keyframe.

        Args:
            path: what the relay said.
            wish: why it is recorded.
            studio: where recordings are begun.
            ask_for_keyframe: asks the publisher; may be called at any rate.
        """
        self.did = path.did
        self.wish = wish
        self._studio = studio
        self._ask = ask_for_keyframe
        self._tracks = _tracks(path)
        self._in_order = [track for _, track in self._tracks.values()]
        self._interleave = Interleave(len(self._in_order))
        self._recording: Recording | None = None
        self._waiting = True
        self._asked = False
        self._counted: Counter[str] = Counter()
        self.tick()

    def packet(self, number: int, arrival_us: int, data: bytes, at: int) -> None:
        """Take a packet of a track.

        Args:
            number: of the track.
            arrival_us: UTC microseconds when the relay received it.
            data: holds the packet.
            at: where it begins.
        """
        entry = self._tracks.get(number)
        if entry is None:
            return
        place, track = entry
        if placed := track.take(data, at, arrival_us):
            self._put(place, placed)
            while (frame := self._interleave.take()) is not None:
                self._take(frame)
        if not self._asked and place == LEADER and track.depacketiser.needs_keyframe:
            self._asked = True
            self._ask()

    def _put(self, place: int, placed: Sequence[tuple[int, Unit]]) -> None:
        for utc_us, unit in placed:
            if not self._interleave.put(place, utc_us, unit):
                self._studio.measures.dropped.labels("overlap").inc()

    def report(self, number: int, ntp: int, stamp: int) -> None:
        """Take a sender report of a track."""
        entry = self._tracks.get(number)
        if entry is None:
            return
        entry[1].timeline.report = (ntp, stamp)
        self._align()

    def _align(self) -> None:
        for track in self._in_order[1:]:
            track.timeline.follow(self._in_order[LEADER].timeline)

    def tick(self) -> None:
        """Once a second: ask for the keyframe that something waits for, and count."""
        recording = self._recording
        if self._in_order and (
            recording is None
            or self._waiting
            or self._in_order[LEADER].depacketiser.needs_keyframe
            or recording.wish != self.wish
            or recording.shown_until_us - recording.started_us >= self._studio.split_us
        ):
            self._ask()
        self._count()

    def _count(self) -> None:
        now: Counter[str] = Counter()
        for track in self._in_order:
            now["lost"] += track.reorder.lost
            now["late"] += track.reorder.late
            now["malformed"] += track.malformed + track.depacketiser.malformed
            now["undecodable"] += track.depacketiser.undecodable
        for reason, count in (now - self._counted).items():
            self._studio.measures.packets.labels(reason).inc(count)
        self._counted = now

    def end(self) -> None:
        """The publication is over, or nobody wants it recorded any more."""
        for place, track in self._tracks.values():
            self._put(place, track.flush())
        while (frame := self._interleave.flush()) is not None:
            self._take(frame)
        self._count()
        if self._recording is not None:
            self._recording.close()
            self._recording = None
        self._tracks = {}

    # -- frames in order of time --------------------------------------------------------------------------------------

    def _take(self, frame: Frame) -> None:
        if frame.track == LEADER:
            self._lead(frame)
        elif self._recording is not None and not self._recording.behind:
            self._recording.put(frame)

    def _lead(self, frame: Frame) -> None:
        """A frame of the leading track: it begins, changes and ends recordings."""
        recording = self._recording
        if recording is not None and recording.failed:
            self._recording = recording = None
            self._waiting = True
        if recording is not None and recording.behind:
            self._drop("disk")
            return
        if self._waiting and not frame.unit.keyframe:
            self._drop("keyframe")
            return
        self._asked = False
        if recording is None or (frame.unit.keyframe and self._is_over(recording, frame)):
            recording = self._change(frame)
            if recording is None:
                return
        elif self._waiting or frame.unit.after_loss or frame.utc_us - recording.shown_until_us > GAP_US_MIN:
            recording.note_gap(frame.utc_us)
        self._waiting = False
        recording.put(frame)

    def _drop(self, reason: str) -> None:
        self._waiting = True
        self._studio.measures.dropped.labels(reason).inc()

    def _is_over(self, recording: Recording, frame: Frame) -> bool:
        return (
            recording.wish != self.wish
            or recording.formats[LEADER] != frame.unit.format
            or frame.utc_us - recording.started_us >= self._studio.split_us
        )

    def _change(self, frame: Frame) -> Recording | None:
        """End the file that is open, and begin another one with this keyframe."""
        if self._recording is not None:
            self._recording.close()
            self._in_order[LEADER].timeline.settle()
            for track in self._in_order[1:]:
                track.timeline.forget_reports()
            self._align()
        formats = [frame.unit.format, *(SOUND for _ in self._in_order[1:])]
        self._recording = self._studio.open(self.did, self.wish, formats, frame.utc_us)
        if self._recording is None:
            self._drop("refused")
        return self._recording


def _tracks(path: TapPath) -> dict[int, tuple[int, Track]]:
    """Of each kind the first that can be recorded, by its number and with its place; video comes first and so leads."""
    chosen: dict[int, tuple[int, Track]] = {}
    for kind in ("video", "audio"):
        for one in path.tracks:
            if one.kind == kind and one.track not in chosen and (taken := depacketiser(one)) is not None:
                chosen[one.track] = (len(chosen), Track(one.clock_hz, one.pt, taken))
                break
    return chosen
