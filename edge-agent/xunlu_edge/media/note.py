"""A recorded note to the loudspeaker: FFmpeg decodes what the browser wrote. It blocks."""

import threading
from contextlib import closing
from pathlib import Path

import av

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Loudspeaker
from xunlu_edge.media.playout import RATE_HZ, SAMPLE_BYTES
from xunlu_protocol.command import NOTE_S_MAX

PIECE_SAMPLES = 960
PIECES_MAX = round((NOTE_S_MAX + 5) * RATE_HZ / PIECE_SAMPLES)
"""What is longer than any note may be is cut off: nobody fills the ears of an officer."""


def play_file(path: Path, loudspeaker: Loudspeaker, stop: threading.Event) -> None:
    """Play a file to its end.

    Args:
        path: Opus in WebM or Ogg.
        loudspeaker: is opened, and closed at the end.
        stop: ends it early.

    Raises:
        DeviceError: the file holds no sound, or the loudspeaker failed.
    """
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ, frame_size=PIECE_SAMPLES)
    try:
        with av.open(str(path)) as container, closing(loudspeaker.open()) as playout:
            pieces = (piece for frame in container.decode(audio=0) for piece in resampler.resample(frame))
            for number, piece in enumerate(pieces):
                if stop.is_set() or number >= PIECES_MAX:
                    return
                playout.write(bytes(piece.planes[0])[: piece.samples * SAMPLE_BYTES])
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise DeviceError(f"The voice note cannot be played: {error}.") from error
