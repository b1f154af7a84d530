"""Merges the tracks of a publication into one order of time."""

import heapq
from typing import NamedTuple

from xunlu_streaming.record.unit import Unit

HOLD_US = 500_000
"""How long a track is waited for; longer than packets wait for their order."""
FRAMES_MAX = 500


class Frame(NamedTuple):
    """A unit with its place in time.

    Attributes:
        utc_us: UTC microseconds of its beginning.
        number: of arrival; keeps frames of equal time in order.
        track: it belongs to.
        unit: itself.
    """

    utc_us: int
    number: int
    track: int
    unit: Unit


class Interleave:
    """Frames in order of time, so that a cut between two files is at one moment for all tracks."""

    def __init__(self, tracks: int) -> None:
        """Begin.

        Args:
            tracks: how many, numbered from 0.
        """
        self._newest_us = [0] * tracks
        self._heap: list[Frame] = []
        self._count = 0

    def put(self, track: int, utc_us: int, unit: Unit) -> bool:
        """Take a frame.

        Within a track none is earlier than the one before it. A picture that claims to be is shown right after that
        one; sound, of which there would then be too much for its time, is left out.

        Returns:
            Whether it was taken.
        """
        newest_us = self._newest_us[track]
        if utc_us <= newest_us:
            if not unit.format.width:
                return False
            utc_us = newest_us + 1
        self._newest_us[track] = utc_us
        self._count += 1
        heapq.heappush(self._heap, Frame(utc_us, self._count, track, unit))
        return True

    def take(self) -> Frame | None:
        """The next frame, once nothing earlier can come or has been waited for long enough."""
        heap = self._heap
        if not heap:
            return None
        first_us = heap[0].utc_us
        newest = self._newest_us
        if first_us <= min(newest) or max(newest) - first_us > HOLD_US or len(heap) > FRAMES_MAX:
            return heapq.heappop(heap)
        return None

    def flush(self) -> Frame | None:
        """The next frame, at the end."""
        return heapq.heappop(self._heap) if self._heap else None
