"""What the talk server and the recorder process report to the platform: the floor log and finished bursts."""

from typing import Annotated

from pydantic import Field

from xunlu_protocol.base import Identifier, Wire
from xunlu_protocol.media import Milliseconds
from xunlu_protocol.talk import Gid, Label, Person, Priority, Urgency


class FloorEntry(Wire):
    """One line of the floor log: what happened in a group.

    Attributes:
        id: of the entry, unique; a second arrival changes nothing.
        gid: the group.
        tms: UTC milliseconds.
        what: `granted`, `released`, `silent`, `left`, `too_long`, `preempted`, `taken_down`,
            `raised` (the same one talks on, as a more urgent call), `interrupted` (told by the next server: the one
            before was killed), `denied`, `queued`, `joined`, `parted`, `listening_in`.
        who: participant.
        by: who preempted, or took down.
        grant: its number, where there is one.
        urgency: of the request.
        priority: of the request.
    """

    id: Identifier
    gid: Gid
    tms: Milliseconds
    what: Label
    who: Person
    by: Person | None = None
    grant: int | None = None
    urgency: Urgency = 0
    priority: Priority = 0


class TalkLog(Wire):
    """`ptt/log`: entries that are not confirmed yet, oldest first."""

    entries: Annotated[tuple[FloorEntry, ...], Field(max_length=500)] = ()


class BurstReport(Wire):
    """`ptt/burst/{host}`: a finished burst; said again until it is confirmed.

    Attributes:
        id: of the burst.
        gid: group.
        talker: participant.
        did: its device.
        grant: its number.
        urgency: of it.
        file: below the recordings folder.
        started_ms: UTC milliseconds of the first packet.
        ended_ms: of the end of the last one.
        size_bytes: of the file.
        sha256: of the file.
        lost: packets that never came.
        complete: False when the process was killed and its successor closed the file.
    """

    id: Identifier
    gid: Gid
    talker: Person
    did: Identifier | None = None
    grant: Annotated[int, Field(ge=0)] = 0
    urgency: Urgency = 0
    file: Annotated[str, Field(max_length=300, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$")]
    started_ms: Milliseconds
    ended_ms: Milliseconds
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    lost: Annotated[int, Field(ge=0)] = 0
    complete: bool = True


class TalkAck(Wire):
    """`ptt/ack/{source}`: what the database holds."""

    entries: Annotated[tuple[Identifier, ...], Field(max_length=500)] = ()
    bursts: Annotated[tuple[Identifier, ...], Field(max_length=500)] = ()
