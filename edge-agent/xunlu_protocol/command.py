"""Commands: `dn/rpc/{rid}` asks, `up/rpc/{rid}` answers, once for each step of the life cycle.

queued → delivered → accepted | rejected → running → done | failed; expired when nobody answered in time.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, UtcSeconds, Wire
from xunlu_protocol.errors import ProtocolError

CommandName = Literal[
    "locate_now",
    "track_interval",
    "photo",
    "record_start",
    "record_stop",
    "say_text",
    "show_text",
    "play_note",
    "lock",
    "unlock",
    "reboot",
    "config",
    "lamp",
    "live_start",
    "live_stop",
]
CommandState = Literal["queued", "delivered", "accepted", "rejected", "running", "done", "failed", "expired"]
ReplyState = Literal["delivered", "accepted", "rejected", "running", "done", "failed"]

FINAL_STATES: frozenset[CommandState] = frozenset({"rejected", "done", "failed", "expired"})

OK = 0
UNSUPPORTED = 1
BAD_ARGUMENTS = 2
EXPIRED = 3
BUSY = 4
HARDWARE = 5
REASONS = {
    OK: "ok",
    UNSUPPORTED: "unsupported",
    BAD_ARGUMENTS: "bad arguments",
    EXPIRED: "expired",
    BUSY: "busy",
    HARDWARE: "hardware failed",
}


class Request(Wire):
    """`dn/rpc/{rid}`. The same `rid` twice is one command.

    Attributes:
        rid: identity of the command.
        name: what to do.
        args: its arguments, validated by `arguments`.
        exp: UTC seconds after which it must not start any more.
    """

    rid: Identifier
    name: CommandName
    args: dict[str, Any] = Field(default_factory=dict)
    exp: UtcSeconds


class Reply(Wire):
    """`up/rpc/{rid}`.

    Attributes:
        st: the step that was reached.
        code: 0 or the reason, see `REASONS`.
        why: words for people.
        progress: percent, while running.
        result: what came out, such as a recording id.
        tst: UTC seconds.
    """

    st: ReplyState
    tst: UtcSeconds
    code: Annotated[int, Field(ge=0, le=999)] = OK
    why: Annotated[str, Field(max_length=500)] | None = None
    progress: Annotated[float, Field(ge=0, le=100)] | None = None
    result: dict[str, Any] | None = None


class NoArguments(Wire):
    """For commands that take none."""


class TrackInterval(Wire):
    """Report a fix every `interval_s` seconds for `duration_s`; 0 returns to the adaptive rate."""

    interval_s: Annotated[float, Field(ge=0, le=3600)]
    duration_s: Annotated[int, Field(ge=1, le=86_400)] = 3600


class SayText(Wire):
    """Read `text` aloud."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    language: Literal["zh", "en"] = "zh"


class ShowText(Wire):
    """Show `text` on the screen; `by` says who wrote it. Done when it is there to be read."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    by: Annotated[str, Field(max_length=64)] | None = None


NOTE_BYTES_MAX = 600_000
NOTE_S_MAX = 60.0
"""A voice note is no larger and no longer."""


class PlayNote(Wire):
    """Fetch a voice note, keep it until it was played aloud. Asked again for the same note, it is played once.

    Attributes:
        note: identity of the note, the same however often it is asked for.
        url: where it is fetched by GET.
        token: bearer token for it, good for some minutes; never kept, logged or shown.
        sha256: of its bytes, hexadecimal.
        size_bytes: how many they are.
        by: who spoke.
    """

    note: Identifier
    url: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s]+$")]
    token: Annotated[str, Field(max_length=2000)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=1, le=NOTE_BYTES_MAX)]
    by: Annotated[str, Field(max_length=64)] | None = None


class RecordStart(Wire):
    """Start recording; `category` is a hint for the evidence library."""

    category: Annotated[str, Field(max_length=64)] | None = None


class Lamp(Wire):
    """Switch a light or the voice announcements."""

    lamp: Literal["white", "laser", "ir", "voice"]
    on: bool


class LiveStart(Wire):
    """Publish live video by WHIP (RFC 9725) until the relay ends the session, `live_stop` comes, or nobody answers.

    Attributes:
        whip: URL to publish to.
        token: bearer token for it; never kept, logged or shown.
        by: who watches, for the officer to see and hear.
        bitrate_bps_max: upper bound of the video bitrate.
        height_max: upper bound of the picture's height, pixels.
        fps_max: upper bound of the frame rate.
        audio: whether the microphone is sent, too.
    """

    whip: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s]+$")]
    token: Annotated[str, Field(max_length=2000)]
    by: Annotated[str, Field(max_length=64)] | None = None
    bitrate_bps_max: Annotated[int, Field(ge=50_000, le=20_000_000)] = 1_500_000
    height_max: Annotated[int, Field(ge=90, le=2160)] = 720
    fps_max: Annotated[float, Field(ge=1, le=60)] = 25
    audio: bool = True


class Configure(Wire):
    """Take over a configuration now; the lasting way is the shadow."""

    config: dict[str, Any]


Arguments = NoArguments | TrackInterval | SayText | ShowText | PlayNote | RecordStart | Lamp | LiveStart | Configure


_ARGUMENTS: Mapping[CommandName, type[Arguments]] = {
    "locate_now": NoArguments,
    "track_interval": TrackInterval,
    "photo": NoArguments,
    "record_start": RecordStart,
    "record_stop": NoArguments,
    "say_text": SayText,
    "show_text": ShowText,
    "play_note": PlayNote,
    "lock": NoArguments,
    "unlock": NoArguments,
    "reboot": NoArguments,
    "config": Configure,
    "lamp": Lamp,
    "live_start": LiveStart,
    "live_stop": NoArguments,
}


def arguments(name: CommandName, args: dict[str, Any]) -> Arguments:
    """Validate a command's arguments.

    Raises:
        ProtocolError: a field is missing or out of bounds.
    """
    return _ARGUMENTS[name].parse(args)


def check(request: Request) -> Arguments:
    """The validated arguments of a request; see `arguments`."""
    try:
        return arguments(request.name, request.args)
    except ProtocolError as error:
        raise ProtocolError("args", f"{request.name}: {error}") from error
