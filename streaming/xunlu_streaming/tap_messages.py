"""What is said over a tap: the contract between a worker of the relay and who reads from it; see docs/streaming.md.

A reader asks in JSON: `take`, `leave` or `keyframe`, with the name of a path. A taken path need not be live, and is
kept up. What a worker says begins with the byte of its kind; behind `P` and `E` comes JSON.

The talk server has a tap of its own, `TALK_TAP`, which carries bursts in place of publications: `B`, then `R` with the
burst's number in place of the path, then `E`. There is nothing to take but everything.
"""

import struct
from typing import Annotated, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, Wire
from xunlu_protocol.media import Milliseconds
from xunlu_protocol.talk import Gid, Label, Person, Urgency

EVERY_PATH = "*"
"""Takes every path whenever it is live, and keeps none up; leaves all, those taken by name too."""
TALK_TAP = "ptt"
"""Name of the talk server's tap, as `relay-1` is one of a relay worker's."""
TALK_TRACK = 1
"""The only track of a burst: Opus with a clock of 48 kHz (RFC 7587 §4.1), one source."""
PACKET = struct.Struct(">cHBq")
"""`R`, path, track, UTC µs of arrival; the packet follows, in plain text."""
REPORT = struct.Struct(">cHBQI")
"""`S`, path, track, NTP time, RTP time: of a sender report (RFC 3550 §6.4.1)."""
MESSAGE_BYTES_MAX = 16_384
PACKET_KIND, REPORT_KIND, BEGIN_KIND, END_KIND, BURST_KIND = b"RSPEB"


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


class TapBurst(Wire):
    """`B`: a burst begins, or goes on for a reader that has just come.

    Attributes:
        burst: its number in messages of this connection.
        id: of the burst.
        gid: group.
        talker: participant.
        did: the talker's device, if there is one.
        name: the talker's, for people.
        grant: its number.
        urgency: of the burst.
        began_ms: UTC milliseconds.
    """

    burst: Annotated[int, Field(ge=0, le=0xFFFF)]
    id: Identifier
    gid: Gid
    talker: Person
    did: Identifier | None = None
    name: Label = ""
    grant: Annotated[int, Field(ge=0)] = 0
    urgency: Urgency = 0
    began_ms: Milliseconds


class TapBurstEnd(Wire):
    """`E`: a burst ended."""

    burst: Annotated[int, Field(ge=0, le=0xFFFF)]
    why: Annotated[str, Field(max_length=64)] = ""
    ended_ms: Milliseconds
