"""Sound to ALSA through PyAV; it blocks."""

import av

from xunlu_edge.errors import DeviceError

RATE_HZ = 48_000
SAMPLE_BYTES = 2


class AlsaPlayout:
    """An open device."""

    def __init__(self, device: str) -> None:
        """Open it.

        Raises:
            OSError: there is none, or it is in use.
        """
        self._device = device
        self._container = av.open(device, "w", format="alsa")
        try:
            self._stream = self._container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
            self._container.start_encoding()
        except (OSError, ValueError):
            self._container.close()
            raise
        self._samples = 0

    def write(self, pcm: bytes, /) -> None:
        """Sound a piece.

        Raises:
            DeviceError: the device is gone.
        """
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
        frame.planes[0].update(pcm)
        frame.sample_rate, frame.pts = RATE_HZ, self._samples
        self._samples += frame.samples
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise DeviceError(f"{self._device} sounds nothing any more: {error}.") from error

    def close(self) -> None:
        """Let go of the device."""
        self._container.close()
