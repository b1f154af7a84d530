"""Encoding to Opus (RFC 6716) as RTP carries it (RFC 7587): 20 ms at 48 kHz, mono, with in-band error correction.

Blocking for less than a millisecond.
"""

from dataclasses import dataclass
from fractions import Fraction

import av

RATE_HZ = 48_000
FRAME_SAMPLES = 960
BITRATE_BPS = 24_000
# What the error correction is prepared for.
EXPECTED_LOSS_PERCENT = 10
# Samples are counted; when a microphone's clock is this far off, the count begins anew at the true time.
DRIFT_S_MAX = 0.06


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedSound:
    """20 ms of sound.

    Attributes:
        data: one Opus packet.
        captured_s: monotonic time of its first sample.
    """

    data: bytes
    captured_s: float


class OpusEncoder:
    """Takes PCM of any rate and layout."""

    def __init__(self) -> None:
        context = av.AudioCodecContext.create("libopus", "w")
        context.sample_rate = RATE_HZ
        context.layout = "mono"
        context.format = "s16"
        context.bit_rate = BITRATE_BPS
        context.options = {
            "application": "voip",
            "frame_duration": "20",
            "fec": "1",
            "packet_loss": str(EXPECTED_LOSS_PERCENT),
        }
        self._context = context
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ, frame_size=FRAME_SAMPLES)
        self._began_s = float("-inf")
        self._samples = 0

    def encode(self, frame: av.AudioFrame) -> list[EncodedSound]:
        """What became whole with this piece of sound.

        Args:
            frame: whose time is the monotonic second of its first sample.
        """
        captured_s, rate_hz = float(frame.time or 0.0), frame.sample_rate
        if abs(captured_s - self._began_s - self._samples / rate_hz) > DRIFT_S_MAX:
            self._began_s = captured_s - self._samples / rate_hz
        frame.pts, frame.time_base = self._samples, Fraction(1, rate_hz)
        self._samples += frame.samples
        packets = (packet for piece in self._resampler.resample(frame) for packet in self._context.encode(piece))
        return [self._sound(packet) for packet in packets]

    def _sound(self, packet: "av.Packet[av.AudioStream]") -> EncodedSound:
        return EncodedSound(data=bytes(packet), captured_s=self._began_s + (packet.pts or 0) / RATE_HZ)
