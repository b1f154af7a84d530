"""Encoding to H.264 that every browser plays: constrained baseline, no B-frames, no look-ahead, keyframes on demand.

Blocking; belongs into a thread.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from xunlu_edge.errors import DeviceError
from xunlu_edge.media import ladder

log = logging.getLogger(__name__)

SOFTWARE = "libx264"
RTP_CLOCK = Fraction(1, 90_000)
# Keyframes come when somebody needs one; this is only for a relay that never asks.
GOP_S = 10
# Each opening costs a keyframe. libx264 follows the bitrate without one within the bounds that it was opened with; a
# hardware encoder is opened again when the change is worth it.
FOLLOWED = {"libx264": (0.5, 1.5)}
TOLERATED = (0.75, 1.25)
# How far single frames may go above the mean, and how much of it at once: a keyframe of half a second's bits.
PEAK, BUFFER_S = 1.5, 0.5
OPTIONS: Mapping[str, Mapping[str, str]] = {
    SOFTWARE: {"preset": "superfast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What is encoded.

    Attributes:
        width: pixels, even.
        height: lines, even.
        fps: pictures a second.
    """

    width: int
    height: int
    fps: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedPicture:
    """One access unit in the byte stream format of H.264 (Annex B).

    Attributes:
        data: with parameter sets before a keyframe.
        captured_s: monotonic time of capture.
        keyframe: whether it stands alone.
        shape: of the picture.
    """

    data: bytes
    captured_s: float
    keyframe: bool
    shape: Shape


class H264Encoder:
    """Encodes pictures one by one; size and frame rate follow the bitrate that is passed with each.

    Attributes:
        codec: FFmpeg's name of the encoder in use.
        openings: how often it was opened.
    """

    def __init__(self, codec: str, *, height_max: int, fps_max: float) -> None:
        """Describe the encoder; it opens with the first picture.

        Args:
            codec: FFmpeg's name, such as `libx264` or `h264_v4l2m2m`.
            height_max: upper bound of the picture's height, lines.
            fps_max: upper bound of the frame rate.
        """
        self.codec = codec
        self.openings = 0
        self._height_max = height_max
        self._fps_max = fps_max
        self._step: ladder.Step | None = None
        self._shape: Shape | None = None
        self._opened_bps = 0
        self._context: av.VideoCodecContext | None = None
        # Of our own: the one that a frame brings would be shared with whoever makes a thumbnail of it.
        self._reformatter = VideoReformatter()
        self._due_s = float("-inf")

    def wants(self, captured_s: float) -> bool:
        """Whether a picture captured then is due; the others are left out to keep the frame rate."""
        if self._shape is None:
            return True
        period_s = 1 / self._shape.fps
        # A camera's rhythm is not exact: a picture a third of a period early is the one that is meant.
        if captured_s < self._due_s - period_s / 3:
            return False
        self._due_s += period_s
        if self._due_s <= captured_s:
            self._due_s = captured_s + period_s
        return True

    def encode(self, frame: av.VideoFrame, bitrate_bps: float, *, keyframe: bool) -> EncodedPicture | None:
        """Encode a picture; None when the encoder has not finished any.

        Args:
            frame: whose time is the monotonic second of its capture.
            bitrate_bps: what the stream may spend from now on.
            keyframe: whether it must stand alone.

        Raises:
            DeviceError: no encoder takes it.
        """
        captured_s = float(frame.time or 0.0)
        try:
            return self._encode(frame, captured_s, round(bitrate_bps), keyframe=keyframe)
        except (av.FFmpegError, ValueError) as error:
            if self.codec == SOFTWARE:
                raise DeviceError(f"The picture could not be encoded: {error}.") from error
            log.warning("encoder failed, using software", extra={"codec": self.codec, "error": str(error)})
            self.codec, self._context = SOFTWARE, None
        return self.encode(frame, bitrate_bps, keyframe=True)

    def _encode(
        self, frame: av.VideoFrame, captured_s: float, bitrate_bps: int, *, keyframe: bool
    ) -> EncodedPicture | None:
        shape = self._shape_for(frame, bitrate_bps)
        context = self._context
        if context is None or shape != self._shape or not self._reaches(bitrate_bps):
            context = self._open(shape, bitrate_bps)
        elif self.codec in FOLLOWED:
            context.bit_rate = bitrate_bps
        picture = self._reformatter.reformat(frame, width=shape.width, height=shape.height, format="yuv420p")
        picture.pts, picture.time_base = round(captured_s / RTP_CLOCK), RTP_CLOCK
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = context.encode(picture)
        if not packets:
            return None
        return EncodedPicture(
            data=b"".join(bytes(packet) for packet in packets),
            captured_s=captured_s,
            keyframe=any(packet.is_keyframe for packet in packets),
            shape=shape,
        )

    def _shape_for(self, frame: av.VideoFrame, bitrate_bps: int) -> Shape:
        self._step = step = ladder.step_for(bitrate_bps, self._step)
        width, height = ladder.size_within(frame.width, frame.height, min(step.height, self._height_max))
        return Shape(width=width, height=height, fps=min(step.fps, self._fps_max))

    def _reaches(self, bitrate_bps: int) -> bool:
        """Whether the open encoder serves for a bitrate."""
        lowest, highest = FOLLOWED.get(self.codec, TOLERATED)
        return lowest <= bitrate_bps / self._opened_bps <= highest

    def _open(self, shape: Shape, bitrate_bps: int) -> av.VideoCodecContext:
        context = av.CodecContext.create(self.codec, "w")
        if not isinstance(context, av.VideoCodecContext):
            raise ValueError(f"{self.codec} encodes no video")  # noqa: TRY004  as any other name that is of no use
        context.width, context.height = shape.width, shape.height
        context.pix_fmt = "yuv420p"
        context.time_base = RTP_CLOCK
        context.framerate = Fraction(shape.fps).limit_denominator(1000)
        context.gop_size = round(shape.fps * GOP_S)
        context.max_b_frames = 0
        context.bit_rate = bitrate_bps
        peak_bps = round(bitrate_bps * PEAK)
        limits = {"maxrate": str(peak_bps), "bufsize": str(round(peak_bps * BUFFER_S))}
        context.options = {**OPTIONS.get(self.codec, {}), **limits}
        context.open()
        self._context, self._shape, self._opened_bps = context, shape, bitrate_bps
        self.openings += 1
        log.info("encoder opened", extra={"codec": self.codec, "height": shape.height, "fps": shape.fps})
        return context
