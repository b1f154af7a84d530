"""Decoding Opus with its own library: FFmpeg's decoders use neither in-band FEC nor concealment (RFC 6716 §2.1.7).

The library is the one that PyAV has brought along for its encoder, or else the system's: nothing more to install.
"""

import ctypes
from functools import cache
from pathlib import Path

import av

from xunlu_edge.errors import DeviceError
from xunlu_edge.talk.tones import PIECE_SAMPLES, RATE_HZ

SAMPLES_MAX = 5760
"""120 ms, the longest packet (RFC 6716 §2.1.4)."""
SAMPLE_BYTES = 2


class OpusDecoder:
    """One stream of mono sound, 48 kHz, 16 bits.

    Attributes:
        broken: packets that are no Opus.
    """

    def __init__(self) -> None:
        """Begin in silence.

        Raises:
            DeviceError: there is no libopus.
        """
        self.broken = 0
        self._library = _library()
        code = ctypes.c_int()
        self._state: int | None = self._library.opus_decoder_create(RATE_HZ, 1, ctypes.byref(code))
        if self._state is None:
            raise DeviceError(f"libopus gives no decoder (error {code.value}).")
        self._samples = (ctypes.c_int16 * SAMPLES_MAX)()

    def __del__(self) -> None:
        if (state := getattr(self, "_state", None)) is not None:
            self._library.opus_decoder_destroy(state)

    def decode(self, packet: bytes) -> bytes:
        """The sound of a packet; what is no Opus is concealed."""
        pcm = self._decoded(packet, SAMPLES_MAX, with_fec=False)
        if pcm is None:
            self.broken += 1
            return self.mend(None)
        return pcm

    def mend(self, following: bytes | None) -> bytes:
        """20 ms in place of a lost packet.

        Args:
            following: the packet behind it, in which the encoder has repeated it coarsely; None when that is lost, too,
                and the sound is drawn out and faded.
        """
        return self._decoded(following, PIECE_SAMPLES, with_fec=following is not None) or bytes(
            PIECE_SAMPLES * SAMPLE_BYTES
        )

    def _decoded(self, packet: bytes | None, samples_max: int, *, with_fec: bool) -> bytes | None:
        count = self._library.opus_decode(
            self._state, packet, len(packet or b""), self._samples, samples_max, int(with_fec)
        )
        return bytes(memoryview(self._samples).cast("B")[: count * SAMPLE_BYTES]) if count > 0 else None


@cache
def _library() -> ctypes.CDLL:
    bundled = sorted((Path(av.__file__).parent.parent / "av.libs").glob("libopus-*.so*"))
    for name in (*map(str, bundled), "libopus.so.0"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.opus_decoder_create.restype = ctypes.c_void_p
        library.opus_decode.argtypes = (
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int32,
            ctypes.POINTER(ctypes.c_int16),
            ctypes.c_int,
            ctypes.c_int,
        )
        library.opus_decoder_destroy.argtypes = (ctypes.c_void_p,)
        library.opus_decoder_destroy.restype = None
        return library
    raise DeviceError("There is no libopus for push-to-talk. Install the package libopus0.")
