"""Cameras, microphones and files through PyAV; all of them block."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

import av
from av.container import InputContainer

from xunlu_edge.errors import DeviceError
from xunlu_edge.media.pattern import TIME_BASE

Frame = TypeVar("Frame", bound=av.VideoFrame | av.AudioFrame)

MICROPHONE_OPTIONS = {"sample_rate": "48000", "channels": "1"}


class Input(Generic[Frame]):
    """Frames of a device as they come, stamped with the moment."""

    def __init__(self, container: InputContainer, decoded: Callable[[InputContainer], Iterator[Frame]]) -> None:
        self._container = container
        self._frames = decoded(container)

    def read(self) -> Frame:
        """The next frame.

        Raises:
            DeviceError: the device is gone.
        """
        try:
            frame = next(self._frames)
        except (StopIteration, av.FFmpegError, OSError) as error:
            raise DeviceError(f"{self._container.name} gives nothing any more: {error}.") from error
        lasted_s = frame.samples / frame.sample_rate if isinstance(frame, av.AudioFrame) else 0.0
        return stamped(frame, time.monotonic() - lasted_s)

    def close(self) -> None:
        """Let go of the device."""
        self._container.close()


class Playback(Generic[Frame]):
    """Frames of a file at their own pace, again and again."""

    def __init__(self, container: InputContainer, decoded: Callable[[InputContainer], Iterator[Frame]]) -> None:
        self._container = container
        self._decoded = decoded
        self._frames = self._looped()

    def read(self) -> Frame:
        """The next frame, when it is due.

        Raises:
            DeviceError: the file cannot be read any more.
        """
        try:
            return next(self._frames)
        except (StopIteration, av.FFmpegError, OSError) as error:
            raise DeviceError(f"{self._container.name} cannot be played: {error}.") from error

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _looped(self) -> Iterator[Frame]:
        first_s: float | None = 0.0
        while first_s is not None:
            began_s, first_s = time.monotonic(), None
            for frame in self._decoded(self._container):
                at_s = float(frame.time or 0.0)
                first_s = at_s if first_s is None else first_s
                due_s = began_s + at_s - first_s
                time.sleep(max(0.0, due_s - time.monotonic()))
                yield stamped(frame, due_s)
            self._container.seek(0)


def stamped(frame: Frame, monotonic_s: float) -> Frame:
    """The frame with its moment of capture as its time."""
    frame.pts, frame.time_base = round(monotonic_s / TIME_BASE), TIME_BASE
    return frame


def camera(device: str, wishes: Mapping[str, str]) -> Input[av.VideoFrame]:
    """Open a V4L2 device; a driver that does not know the wishes is opened as it likes.

    Raises:
        DeviceError: it cannot be opened.
    """
    with contextlib.suppress(DeviceError):
        return Input(_opened(device, "v4l2", "video", wishes), _pictures)
    return Input(_opened(device, "v4l2", "video"), _pictures)


def microphone(device: str) -> Input[av.AudioFrame]:
    """Open an ALSA device.

    Raises:
        DeviceError: it cannot be opened.
    """
    return Input(_opened(device, "alsa", "audio", MICROPHONE_OPTIONS), _sounds)


def film(file: Path) -> Playback[av.VideoFrame]:
    """Play the pictures of a file.

    Raises:
        DeviceError: it cannot be opened, or has none.
    """
    return Playback(_opened(str(file), None, "video"), _pictures)


def sound(file: Path) -> Playback[av.AudioFrame]:
    """Play the sound of a file.

    Raises:
        DeviceError: it cannot be opened, or has none.
    """
    return Playback(_opened(str(file), None, "audio"), _sounds)


def _opened(
    name: str, form: str | None, kind: Literal["video", "audio"], options: Mapping[str, str] = MappingProxyType({})
) -> InputContainer:
    try:
        container = av.open(name, format=form, options=dict(options))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DeviceError(f"{name} cannot be opened: {error}.") from error
    if not getattr(container.streams, kind):
        container.close()
        raise DeviceError(f"{name} holds no {kind}.")
    return container


def _pictures(container: InputContainer) -> Iterator[av.VideoFrame]:
    return container.decode(container.streams.video[0])


def _sounds(container: InputContainer) -> Iterator[av.AudioFrame]:
    return container.decode(container.streams.audio[0])
