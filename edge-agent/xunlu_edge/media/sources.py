"""Live sources by their addresses. Nothing heavy is imported before one is opened."""

import asyncio
import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Capture
from xunlu_kit.errors import ConfigError

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame

VIDEO_FORMS = "v4l2:///dev/video0?size=1280x720&fps=25, file:///FILE or test://?size=640x360&fps=15"
AUDIO_FORMS = "alsa://DEVICE, file:///FILE or test://"
THUMBNAIL_TIMEOUT_S = 20.0
ERROR_CHARACTERS = 300

_SIZE = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})")


def is_media_installed() -> bool:
    """Whether the extra `media` is there; asks without importing it."""
    return all(importlib.util.find_spec(name) is not None for name in ("av", "aiortc", "websockets"))


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratedVideo:
    """The test picture as a camera.

    Attributes:
        name: shown in it.
        utc_ms: the time to show.
        width: pixels, even.
        height: lines, even.
        fps: pictures a second.
    """

    name: str
    utc_ms: Callable[[], int]
    width: int = 640
    height: int = 360
    fps: float = 15.0

    def open(self, height_max: int, fps_max: float, /) -> "Capture[VideoFrame]":
        """Begin to paint."""
        from xunlu_edge.media.pattern import Pattern  # noqa: PLC0415  heavy: only when it is switched on

        del height_max
        return Pattern(self.name, self.width, self.height, min(self.fps, fps_max), self.utc_ms)

    async def thumbnail(self) -> bytes:
        """A JPEG of now."""
        from xunlu_edge.media import thumbnail  # noqa: PLC0415  heavy: only when it is switched on

        return await asyncio.to_thread(thumbnail.take, self)


class GeneratedSound:
    """The test tone as a microphone."""

    def open(self) -> "Capture[AudioFrame]":
        """Begin to sound."""
        from xunlu_edge.media.tone import Tone  # noqa: PLC0415  heavy: only when it is switched on

        return Tone()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceVideo:
    """A V4L2 camera, or a file in its place.

    Attributes:
        address: as in the settings.
        size: wished, such as `1280x720`; None follows the request.
        fps: wished; None follows the request.
    """

    address: str
    size: str | None = None
    fps: float | None = None

    def open(self, height_max: int, fps_max: float, /) -> "Capture[VideoFrame]":
        """Switch it on.

        Raises:
            DeviceError: it cannot be opened.
        """
        from xunlu_edge.media import devices  # noqa: PLC0415  heavy: only when it is switched on

        parts = urlsplit(self.address)
        if parts.scheme == "file":
            return devices.film(Path(parts.path))
        size = self.size or f"{height_max * 16 // 9 // 2 * 2}x{height_max}"
        return devices.camera(parts.path, {"video_size": size, "framerate": f"{self.fps or fps_max:g}"})

    async def thumbnail(self) -> bytes:
        """A JPEG of now, by a process that ends, and gives its memory back.

        Raises:
            DeviceError: the camera failed.
        """
        program = (sys.executable, "-m", "xunlu_edge.media.thumbnail", self.address)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*program, stdout=pipe, stderr=pipe)
        try:
            async with asyncio.timeout(THUMBNAIL_TIMEOUT_S):
                picture, complaint = await process.communicate()
        except TimeoutError as error:
            raise DeviceError("The camera gave no picture in time.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise DeviceError(complaint.decode(errors="replace").strip()[-ERROR_CHARACTERS:])
        return picture


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSound:
    """An ALSA microphone, or a file in its place.

    Attributes:
        address: as in the settings.
    """

    address: str

    def open(self) -> "Capture[AudioFrame]":
        """Switch it on.

        Raises:
            DeviceError: it cannot be opened.
        """
        from xunlu_edge.media import devices  # noqa: PLC0415  heavy: only when it is switched on

        scheme, _, rest = self.address.partition("://")
        return devices.sound(Path(rest)) if scheme == "file" else devices.microphone(rest)


def find_video(address: str, name: str, utc_ms: Callable[[], int]) -> GeneratedVideo | DeviceVideo:
    """The camera that a setting names; it is not opened.

    Args:
        address: one of `VIDEO_FORMS`.
        name: of the device, for the test picture.
        utc_ms: the time, for the test picture.

    Raises:
        ConfigError: the setting cannot be understood.
    """
    parts = urlsplit(address)
    size, fps = _size(parts.query), _fps(parts.query)
    if parts.scheme == "test":
        width, height = (int(number) // 2 * 2 for number in (size or "640x360").split("x"))
        if width < 160 or height < 90:
            raise ConfigError("XUNLU_AGENT_VIDEO: a test picture has at least 160x90 pixels.")
        return GeneratedVideo(name=name, utc_ms=utc_ms, width=width, height=height, fps=fps or 15.0)
    if parts.scheme not in ("v4l2", "file") or not parts.path.startswith("/"):
        raise ConfigError(f"XUNLU_AGENT_VIDEO must be {VIDEO_FORMS}, not {address[:200]!r}.")
    return DeviceVideo(address=address, size=size, fps=fps)


def find_microphone(address: str) -> GeneratedSound | DeviceSound:
    """The microphone that a setting names; it is not opened.

    Raises:
        ConfigError: the setting cannot be understood.
    """
    scheme, _, rest = address.partition("://")
    if scheme == "test":
        return GeneratedSound()
    if scheme not in ("alsa", "file") or not rest:
        raise ConfigError(f"XUNLU_AGENT_AUDIO must be {AUDIO_FORMS}, not {address[:200]!r}.")
    return DeviceSound(address=address)


def _size(query: str) -> str | None:
    value = parse_qs(query).get("size", [None])[0]
    if value is not None and _SIZE.fullmatch(value) is None:
        raise ConfigError(f"XUNLU_AGENT_VIDEO: size must be WIDTHxHEIGHT, not {value[:50]!r}.")
    return value


def _fps(query: str) -> float | None:
    value = parse_qs(query).get("fps", [None])[0]
    if value is None:
        return None
    if not value.isdigit() or not 1 <= int(value) <= 120:
        raise ConfigError(f"XUNLU_AGENT_VIDEO: fps must be a whole number from 1 to 120, not {value[:50]!r}.")
    return float(value)
