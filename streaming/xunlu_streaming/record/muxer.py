"""Units to the bytes of a file, by libavformat and without a codec: H.264 to fragmented MP4, VP8 to live WebM.

MP4 has no standard place for VP8, and browsers play it nowhere but in WebM. Both are written from front to back, and
each fragment or cluster can be played when nothing follows it.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import av
from av.container import OutputContainer
from av.stream import Stream

from xunlu_streaming.record.unit import Format, Unit

FRAGMENT_US_MAX = 1_000_000
# Frames come in order: what libavformat would hold back to order them itself only waits (1 µs).
_COMMON = {"max_interleave_delta": "1"}
_MP4 = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": str(FRAGMENT_US_MAX)} | _COMMON
_WEBM = {"live": "1", "cluster_time_limit": str(FRAGMENT_US_MAX // 1000)} | _COMMON

_CODECS = {"H264": "h264", "VP8": "vp8"}
_CLOCK_HZ = {"video": 90_000, "audio": 48_000}


def extension(formats: Sequence[Format]) -> str:
    """How the name of a file with such tracks ends."""
    return "webm" if any(one.codec == "VP8" for one in formats) else "mp4"


class _Sink:
    """The file as libavformat sees it: it only grows."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class Muxer:
    """One file's container."""

    def __init__(self, formats: Sequence[Format], facts: Mapping[str, str]) -> None:
        """Describe the file; its header comes with the first unit.

        Args:
            formats: of the tracks, in their order.
            facts: metadata, such as `creation_time` (ISO 8601).
        """
        self._sink = _Sink()
        kind = extension(formats)
        options = dict(_WEBM if kind == "webm" else _MP4)
        self._container: OutputContainer = av.open(self._sink, "w", format=kind, options=options)
        self._container.metadata.update(facts)
        self._streams = [self._add(one) for one in formats]
        self._clocks_hz = [_CLOCK_HZ[stream.type] for stream in self._streams]
        self._bases = [Fraction(1, clock_hz) for clock_hz in self._clocks_hz]
        self._last = [-1] * len(formats)

    def _add(self, one: Format) -> Stream:
        if one.codec == "opus":
            # Opened as an encoder, although nothing is encoded: only so libavformat learns the header (RFC 7845 §5.1).
            return self._container.add_stream("libopus", rate=_CLOCK_HZ["audio"])
        stream = self._container.add_mux_stream(_CODECS[one.codec], width=one.width, height=one.height)
        stream.time_base = Fraction(1, _CLOCK_HZ["video"])
        return stream

    def put(self, track: int, at_us: int, unit: Unit, lasts_us: int) -> bytes:
        """Add a unit.

        Args:
            track: its place in `formats`.
            at_us: microseconds since the beginning of the file, >= 0; moved on where it is not later than the last.
            unit: itself.
            lasts_us: how long it is shown or sounds, as far as known.

        Returns:
            What is to be written now: nothing, or the header, or whole fragments.
        """
        clock_hz = self._clocks_hz[track]
        at = max(round(at_us * clock_hz / 1_000_000), self._last[track] + 1)
        self._last[track] = at
        packet = av.Packet(unit.data)
        packet.stream = self._streams[track]
        packet.time_base = self._bases[track]
        packet.pts = packet.dts = at
        packet.duration = lasts_us * clock_hz // 1_000_000
        packet.is_keyframe = unit.keyframe
        self._container.mux_one(packet)
        return self._sink.take()

    def close(self) -> bytes:
        """End the file; gives its last bytes."""
        self._container.close()
        return self._sink.take()
