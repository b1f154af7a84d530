"""What a path carries, in figures of the last second."""

from collections.abc import Sequence

from xunlu_streaming.layer import Outgoing

FPS_MAX = 1000.0
"""Told at most: a publisher may mark as many packets as it likes."""


class Meter:
    """Counts a publication.

    Attributes:
        octets: bytes forwarded since it began, each once.
        packets: packets forwarded.
        bitrate_bps: of the last second.
        fps: pictures of the last second.
    """

    def __init__(self) -> None:
        self.octets = self.packets = 0
        self.bitrate_bps = 0
        self.fps = 0.0
        self._frames = 0
        self._before = (0, 0)

    def count(self, burst: Sequence[Outgoing]) -> None:
        """Take note of what is forwarded."""
        self.packets += len(burst)
        self.octets += sum(len(one.packet) for one in burst)
        # A marker bit closes a picture (RFC 6184 §5.1, RFC 7741 §4.1).
        self._frames += sum(one.packet[1] >> 7 for one in burst if one.layer.track.kind == "video")

    def tick(self, passed_s: float) -> None:
        """A second or so has passed."""
        octets, frames = self._before
        self.bitrate_bps = round((self.octets - octets) * 8 / passed_s)
        self.fps = min(FPS_MAX, round((self._frames - frames) / passed_s, 1))
        self._before = (self.octets, self._frames)
