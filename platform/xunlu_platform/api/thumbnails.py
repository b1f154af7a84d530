"""Thumbnails: the newest small picture of every recorder, in memory only."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from xunlu_kit.clock import Clock
from xunlu_kit.mqtt import Message
from xunlu_platform.api.metrics import THUMBNAILS_DROPPED
from xunlu_protocol.topics import parse_up

THUMBNAIL_BYTES_MAX = 12 * 1024
THUMBNAILS_MAX = 4000
"""At most 48 MiB; the device that was heard longest ago goes first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thumbnail:
    """A picture and when it came.

    Attributes:
        image: JPEG or WebP.
        media_type: which of them.
        etag: of the image (RFC 9110 §8.8.3).
        at_s: UTC seconds of arrival.
    """

    image: bytes
    media_type: str
    etag: str
    at_s: int


class Thumbnails:
    """The newest of each device."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: OrderedDict[str, Thumbnail] = OrderedDict()

    def receive(self, message: Message) -> None:
        """Take a thumbnail; what is none is counted and forgotten.

        Raises:
            ProtocolError: the topic names no device.
        """
        did = parse_up(message.topic).did
        media_type = _media_type(message.payload)
        if media_type is None or len(message.payload) > THUMBNAIL_BYTES_MAX:
            THUMBNAILS_DROPPED.labels("form").inc()
            return
        self._newest[did] = Thumbnail(
            image=message.payload,
            media_type=media_type,
            etag=f'"{hashlib.sha256(message.payload).hexdigest()[:32]}"',
            at_s=self._clock.time_ms() // 1000,
        )
        self._newest.move_to_end(did)
        if len(self._newest) > THUMBNAILS_MAX:
            self._newest.popitem(last=False)
            THUMBNAILS_DROPPED.labels("full").inc()

    def newest(self, did: str) -> Thumbnail | None:
        """The newest of a device; None when it has sent none since this process began."""
        return self._newest.get(did)


def _media_type(image: bytes) -> str | None:
    """By the first bytes: JPEG (ISO 10918-1 B.1.1.3: SOI and a marker), WebP (RFC 9649 §2.4)."""
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if image[:4] == b"RIFF" and image[8:12] == b"WEBP" else None
