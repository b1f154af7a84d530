"""What the relay says over its tap (`xunlu_streaming.tap`)."""

from typing import Annotated, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, Wire
from xunlu_protocol.media import Milliseconds

MESSAGE_BYTES_MAX = 16_384
PACKET_KIND, REPORT_KIND, BEGIN_KIND, END_KIND = b"R"[0], b"S"[0], b"P"[0], b"E"[0]


class TapTrack(Wire):
    """A track of a publication.

    Attributes:
        track: its number in messages.
        kind: which.
        codec: as SDP spells it.
        clock_hz: of its RTP times.
        fmtp: its format parameters (RFC 8866 §6.15).
        pt: its payload type.
    """

    track: Annotated[int, Field(ge=0, le=255)]
    kind: Literal["video", "audio"]
    codec: Annotated[str, Field(max_length=16)]
    clock_hz: Annotated[int, Field(ge=1, le=1_000_000)]
    fmtp: Annotated[str, Field(max_length=2000)] = ""
    pt: Annotated[int, Field(ge=0, le=127)]


class TapPath(Wire):
    """`P`: a publication goes on or begins.

    Attributes:
        did: name of the path.
        path: number of the publication in messages of this connection.
        began_ms: UTC milliseconds.
        tracks: of it.
    """

    did: Identifier
    path: Annotated[int, Field(ge=0, le=0xFFFF)]
    began_ms: Milliseconds
    tracks: Annotated[tuple[TapTrack, ...], Field(max_length=16)]


class TapEnd(Wire):
    """`E`: a publication ended."""

    path: Annotated[int, Field(ge=0, le=0xFFFF)]
    why: Annotated[str, Field(max_length=64)] = ""
