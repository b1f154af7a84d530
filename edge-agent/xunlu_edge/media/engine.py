"""What the agent imports when somebody wants to watch: everything heavy hangs on this module."""

import time
from collections.abc import Callable

from av import VideoFrame

from xunlu_edge.errors import LiveError
from xunlu_edge.hardware import Hardware
from xunlu_edge.media import thumbnail
from xunlu_edge.media.adapter import RTCCertificate
from xunlu_edge.media.bitrate import BitrateController
from xunlu_edge.media.full_ice import FullWays
from xunlu_edge.media.ice import LiteWays
from xunlu_edge.media.publication import Publication
from xunlu_edge.media.session import Shared
from xunlu_edge.media.steering import Steering
from xunlu_edge.media.way import IceServer, Ways
from xunlu_edge.media.whip import WhipClient
from xunlu_edge.settings import AgentSettings
from xunlu_protocol.command import LiveStart

__all__ = ["Publication", "find_ways", "jpeg", "publication"]


def publication(
    request: LiveStart, hardware: Hardware, settings: AgentSettings, utc_ms: Callable[[], int]
) -> Publication:
    """A publication for a request; it does not begin by itself.

    Raises:
        LiveError: this recorder has no camera, or the password of its TURN server cannot be read.
    """
    if hardware.video is None:
        raise LiveError("This recorder has no camera for live video.")
    shared = Shared(
        whip=WhipClient(settings.live_ca_file),
        ways=find_ways(settings),
        certificate=RTCCertificate.generateCertificate(),
        steering=Steering(BitrateController(request.bitrate_bps_max, time.monotonic())),
        utc_ms=utc_ms,
    )
    return Publication(request, shared, hardware.video, hardware.microphone, settings.video_codec)


def jpeg(frame: VideoFrame) -> bytes:
    """A thumbnail of a picture; blocking for a few milliseconds.

    Raises:
        DeviceError: it cannot be made small enough.
    """
    return thumbnail.jpeg(frame)


def find_ways(settings: AgentSettings) -> Ways:
    """The kind of ICE that the settings ask for.

    Raises:
        LiveError: the password of the TURN server cannot be read.
    """
    if settings.ice == "lite":
        return LiteWays()
    if settings.ice_server is None:
        return FullWays(())
    password = None
    if settings.ice_password_file is not None:
        try:
            password = settings.ice_password_file.read_text("utf-8").strip()
        except OSError as error:
            raise LiveError(f"The password of the TURN server cannot be read: {error}.") from error
    server = IceServer(url=settings.ice_server, username=settings.ice_username, credential=password)
    return FullWays((server,))
