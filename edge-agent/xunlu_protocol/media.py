"""Live video between our own services: token claims, frames of the relay, orders and reports of the recorder process.

Recorders and browsers see of all this only a token, which they need not understand.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, UtcSeconds, Wire

AUDIENCE = "xunlu-streaming"
"""`aud` of every media token (RFC 7519 §4.1.3)."""

ALGORITHM = "Ed25519"
"""`alg` of every media token (RFC 9864 §2.2): the platform signs, the relay holds the public key alone."""

VIEWINGS_PER_FRAME_MAX = 400
PATHS_PER_FRAME_MAX = 400
"""So many of both stay below `PAYLOAD_BYTES_MAX`, whatever their fields hold; a busy worker sends several frames."""

Milliseconds = Annotated[int, Field(ge=0, le=32_503_680_000_000)]
Action = Literal["publish", "play"]
Cause = Literal["hand", "sos", "always"]


class MediaClaims(Wire):
    """What a media token (RFC 7519) says.

    Attributes:
        aud: `AUDIENCE`.
        path: the path it is for: a device's name.
        act: what it allows there.
        jti: the viewing of a `play` token, the command of a `publish` token.
        sub: who asked.
        iat: UTC seconds of issue.
        exp: UTC seconds after which no session may begin with it; a session that began goes on.
    """

    aud: Literal["xunlu-streaming"] = "xunlu-streaming"
    path: Identifier
    act: Action
    jti: Identifier
    sub: Annotated[str, Field(max_length=64)]
    iat: UtcSeconds
    exp: UtcSeconds


class Viewing(Wire):
    """Somebody watches, or did: what the audit is made of.

    Attributes:
        id: `jti` of the token.
        did: whom they watch.
        from_ms: UTC milliseconds of the first picture sent.
        to_ms: of the end; None while it goes on.
        sent_bytes: media sent so far.
        why: how it ended: `left`, `lost` (the viewer fell silent), `withdrawn` (the right to it ended), `error` (a
            mistake of the relay) or `shutdown`.
    """

    id: Identifier
    did: Identifier
    from_ms: Milliseconds
    to_ms: Milliseconds | None = None
    sent_bytes: Annotated[int, Field(ge=0)] = 0
    why: Annotated[str, Field(max_length=32)] | None = None


class PathState(Wire):
    """A path of the relay.

    Attributes:
        did: its name.
        live: whether a publisher sends; an ended path is told once with False.
        since_ms: UTC milliseconds since when.
        viewers: how many watch; recordings are none.
        recorded: whether the recorder process takes it.
        video: codec, such as `H264`; None without.
        audio: codec, such as `opus`; None without.
        width: of the last keyframe, pixels.
        height: of the last keyframe, pixels.
        bitrate_bps: received in the last second.
        loss_percent: of the packets of the uplink that never came, retransmissions counted as come.
        fps: frames of the last second.
    """

    did: Identifier
    live: bool
    since_ms: Milliseconds
    viewers: Annotated[int, Field(ge=0)] = 0
    recorded: bool = False
    video: Annotated[str, Field(max_length=16)] | None = None
    audio: Annotated[str, Field(max_length=16)] | None = None
    width: Annotated[int, Field(ge=0, le=16_384)] | None = None
    height: Annotated[int, Field(ge=0, le=16_384)] | None = None
    bitrate_bps: Annotated[int, Field(ge=0)] = 0
    loss_percent: Annotated[float, Field(ge=0, le=100)] = 0
    fps: Annotated[float, Field(ge=0, le=1000)] = 0


class MediaFrame(Wire):
    """`media/frame/{worker}`: every 2 s, and at once when a path or a viewing begins or ends.

    Attributes:
        worker: of the relay.
        tms: UTC milliseconds.
        more: whether the next frame goes on with the same telling: it was too large for one.
        paths: all that are live, and those that ended since the last frame.
        viewings: all that go on, and those that ended and are not yet confirmed by `MediaAck`.
    """

    worker: Identifier
    tms: Milliseconds
    more: bool = False
    paths: Annotated[tuple[PathState, ...], Field(max_length=PATHS_PER_FRAME_MAX)] = ()
    viewings: Annotated[tuple[Viewing, ...], Field(max_length=VIEWINGS_PER_FRAME_MAX)] = ()


class RecordingOrder(Wire):
    """`media/order/{did}`, retained: record this path whenever it is live; an empty payload withdraws the order.

    Attributes:
        id: of the order.
        why: who wanted it.
        by: user name, for `hand`.
        until: UTC seconds after which it no longer counts.
    """

    id: Identifier
    why: Cause
    by: Annotated[str, Field(max_length=64)] | None = None
    until: UtcSeconds | None = None


class Gap(Wire):
    """A stretch of a recording without video, UTC milliseconds."""

    from_ms: Milliseconds
    to_ms: Milliseconds


class RecordingReport(Wire):
    """`media/recording/{host}`: a finished file; said again until `MediaAck` names it.

    Attributes:
        id: of the recording.
        did: whose.
        why: the rule or person that wanted it.
        order: the order it belongs to, None for `always`.
        file: path below the recordings folder, with `/`.
        started_ms: UTC milliseconds of the first frame.
        ended_ms: of the end of the last one.
        size_bytes: of the file.
        sha256: of the file, hexadecimal.
        video: codec.
        audio: codec.
        gaps: where frames are missing, oldest first.
        complete: False when the process was killed and the file was closed by its successor.
    """

    id: Identifier
    did: Identifier
    why: Cause
    order: Identifier | None = None
    file: Annotated[str, Field(max_length=300, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$")]
    started_ms: Milliseconds
    ended_ms: Milliseconds
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    video: Annotated[str, Field(max_length=16)] | None = None
    audio: Annotated[str, Field(max_length=16)] | None = None
    gaps: Annotated[tuple[Gap, ...], Field(max_length=1000)] = ()
    complete: bool = True


class MediaAck(Wire):
    """`media/ack/{worker or host}`: what the database holds; the writer lets go only now."""

    viewings: Annotated[tuple[Identifier, ...], Field(max_length=VIEWINGS_PER_FRAME_MAX)] = ()
    recordings: Annotated[tuple[Identifier, ...], Field(max_length=500)] = ()


class MediaEnd(Wire):
    """`media/end/{worker}`: what must not go on; said again as long as a frame names it.

    Attributes:
        viewings: of accounts that may not look there any more, by `jti`; none of them may begin again.
        paths: of devices that may not publish any more.
    """

    viewings: Annotated[tuple[Identifier, ...], Field(max_length=VIEWINGS_PER_FRAME_MAX)] = ()
    paths: Annotated[tuple[Identifier, ...], Field(max_length=PATHS_PER_FRAME_MAX)] = ()


def worker_of(path: str, workers: Sequence[str]) -> int:
    """Which worker serves a path: its number in `workers`, the same for everybody who knows the list.

    Rendezvous hashing: a worker that joins or leaves moves only the paths that it takes or had.

    Args:
        path: name of the path.
        workers: any stable names of the workers, at least one.
    """

    def weight(number: int) -> bytes:
        return hashlib.blake2b(f"{workers[number]}\n{path}".encode(), digest_size=8).digest()

    return max(range(len(workers)), key=weight)
