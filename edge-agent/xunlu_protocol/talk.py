"""Push-to-talk on the wire: `/ptt` (WebSocket), retained messages of groups and floors, reports of the talk server.

The vocabulary is that of 3GPP TS 24.380. Who decides what: docs/decisions/0008-push-to-talk.md.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from xunlu_protocol.base import Identifier, UtcSeconds, Wire, decode_any
from xunlu_protocol.media import Milliseconds

SCAN_MAX = 16
MEMBERS_MAX = 2000
OTHERS_MAX = 15
"""Of those who talk at once in a two-way call, so many are told of beside the newest."""
TALK_AUDIENCE = "xunlu-talk"

GroupKind = Literal["squad", "standing", "temporary", "private", "broadcast", "emergency"]
Right = Literal["barge", "take_down", "listen_in", "emergency", "broadcast"]
DenyCause = Literal["taken", "alone", "wait", "receive_only", "queue_full"]
RevokeCause = Literal["alone", "too_long", "no_right", "preempted", "taken_down"]
Gid = Identifier
Person = Identifier
"""A participant: a device's name, or `u-` and the number of an account."""
Priority = Annotated[int, Field(ge=0, le=255)]
Urgency = Annotated[int, Field(ge=0, le=2)]
"""0 normal, 1 imminent peril, 2 emergency."""
Label = Annotated[str, Field(max_length=64)]


class TalkClaims(Wire):
    """What a token for `/ptt` says.

    Attributes:
        aud: `TALK_AUDIENCE`.
        sub: the participant.
        jti: of the token.
        name: for people.
        number: officer number, if there is one.
        did: device that belongs to it, if there is one.
        priority: in every group.
        rights: beyond talking and listening as a member.
        path: unit path; groups at or below it may be joined without being a member. None: member only.
        iat: UTC seconds of issue.
        exp: UTC seconds after which nobody may join or stay with it.
    """

    aud: Literal["xunlu-talk"] = "xunlu-talk"
    sub: Person
    jti: Identifier
    name: Label
    number: Label | None = None
    did: Identifier | None = None
    priority: Priority = 100
    rights: Annotated[tuple[Right, ...], Field(max_length=8)] = ()
    path: Annotated[str, Field(max_length=200)] | None = None
    iat: UtcSeconds
    exp: UtcSeconds


class TalkGroup(Wire):
    """`ptt/group/{gid}`, retained: a talk group; an empty payload withdraws it.

    Attributes:
        gid: its name in topics.
        name: for people.
        kind: what it is.
        path: unit path that it belongs to.
        members: participants that belong to it.
        listeners: members that may not talk, as in a broadcast.
        duplex: a private call in which both may talk at once: no floor.
        until: UTC seconds after which it is over.
    """

    gid: Gid
    name: Label
    kind: GroupKind
    path: Annotated[str, Field(max_length=200)]
    members: Annotated[tuple[Person, ...], Field(max_length=MEMBERS_MAX)] = ()
    listeners: Annotated[tuple[Person, ...], Field(max_length=MEMBERS_MAX)] = ()
    duplex: bool = False
    until: UtcSeconds | None = None


class Peer(Wire):
    """A participant as others see it."""

    id: Person
    name: Label
    number: Label | None = None
    did: Identifier | None = None


class FloorState(Wire):
    """`g/{gid}/floor`, retained: who has the floor of a group; late entry, and the map.

    Attributes:
        gid: the group.
        talker: participant; None while idle. In a two-way call the newest of those who talk.
        did: the talker's device, if it has one.
        name: the talker's name.
        urgency: of the burst.
        priority: of the talker.
        others: who else talks now in a two-way call.
        epoch: number of the newest grant; a smaller one than before is stale.
        until: UTC milliseconds at which it ends at the latest, unless it is told anew; None while idle.
        tms: UTC milliseconds of this state.
    """

    gid: Gid
    talker: Person | None = None
    did: Identifier | None = None
    name: Label | None = None
    urgency: Urgency = 0
    priority: Priority = 0
    others: Annotated[tuple[Peer, ...], Field(max_length=OTHERS_MAX)] = ()
    epoch: Annotated[int, Field(ge=0)] = 0
    until: Milliseconds | None = None
    tms: Milliseconds


class TalkInvitation(Wire):
    """`dn/talk`, retained: how a recorder joins the radio net; said anew before the token ends, and when groups change.

    Attributes:
        url: of the WebSocket `/ptt`.
        token: for it; never logged or shown.
        main: its main group, None when it has none.
        scan: what it also hears, by rank.
    """

    url: Annotated[str, Field(max_length=500, pattern=r"^wss?://[^\s]+$")]
    token: Annotated[str, Field(max_length=2000)]
    main: Gid | None = None
    scan: Annotated[tuple[Gid, ...], Field(max_length=SCAN_MAX)] = ()


# -- /ptt: client to server -------------------------------------------------------------------------------------------


class Hello(Wire):
    """The first message."""

    t: Literal["hello"] = "hello"
    token: Annotated[str, Field(max_length=2000)]
    sdp: Annotated[str, Field(max_length=64 * 1024)]
    main: Gid | None = None
    scan: Annotated[tuple[Gid, ...], Field(max_length=SCAN_MAX)] = ()


class Tune(Wire):
    """Other groups from now on."""

    t: Literal["tune"] = "tune"
    main: Gid | None = None
    scan: Annotated[tuple[Gid, ...], Field(max_length=SCAN_MAX)] = ()


class Renew(Wire):
    """A fresh token of the same participant: the session goes on until that one ends, with the rights that it gives."""

    t: Literal["renew"] = "renew"
    token: Annotated[str, Field(max_length=2000)]


class FloorRequest(Wire):
    """The key is pressed; where there is no floor it opens a gate that only `release` and `revoke` close."""

    t: Literal["request"] = "request"
    gid: Gid
    urgency: Urgency = 0
    wait: bool = True


class FloorRelease(Wire):
    """The key is let go; whoever waits gives up waiting."""

    t: Literal["release"] = "release"
    gid: Gid


class TakeDown(Wire):
    """End the burst that is on (强拆)."""

    t: Literal["take_down"] = "take_down"
    gid: Gid


class Ping(Wire):
    """Answered by `pong` at once."""

    t: Literal["ping"] = "ping"
    n: Annotated[int, Field(ge=0)] = 0


ClientMessage = Hello | Tune | Renew | FloorRequest | FloorRelease | TakeDown | Ping

# -- /ptt: server to client -------------------------------------------------------------------------------------------


class GroupInfo(Wire):
    """A group as a participant sees it.

    Attributes:
        gid: its name in topics.
        name: for people.
        kind: what it is.
        duplex: both may talk at once.
        may_talk: whether the participant may ask for the floor.
        member: whether the participant belongs to it; others join by right.
        until: UTC seconds after which it is over.
    """

    gid: Gid
    name: Label
    kind: GroupKind
    duplex: bool = False
    may_talk: bool = True
    member: bool = False
    until: UtcSeconds | None = None


class Welcome(Wire):
    """Joined; the groups that the participant may tune to."""

    t: Literal["welcome"] = "welcome"
    sdp: str
    you: Peer
    rights: tuple[Right, ...] = ()
    groups: tuple[GroupInfo, ...] = ()


class Groups(Wire):
    """They changed."""

    t: Literal["groups"] = "groups"
    groups: tuple[GroupInfo, ...] = ()


class Granted(Wire):
    """You have the floor for at most `left_s`."""

    t: Literal["granted"] = "granted"
    gid: Gid
    grant: int
    left_s: float


class Taken(Wire):
    """Somebody has the floor."""

    t: Literal["taken"] = "taken"
    gid: Gid
    grant: int
    talker: Peer
    urgency: Urgency = 0
    priority: Priority = 0


class Idle(Wire):
    """Nobody has the floor."""

    t: Literal["idle"] = "idle"
    gid: Gid


class Deny(Wire):
    """No."""

    t: Literal["deny"] = "deny"
    gid: Gid
    cause: DenyCause


class Position(Wire):
    """Your place in the queue, from 1."""

    t: Literal["position"] = "position"
    gid: Gid
    position: int


class Revoke(Wire):
    """Stop talking; the gate closes in `left_s`."""

    t: Literal["revoke"] = "revoke"
    gid: Gid
    cause: RevokeCause
    left_s: float = 0


class Members(Wire):
    """Who is tuned to a group now."""

    t: Literal["members"] = "members"
    gid: Gid
    online: tuple[Peer, ...] = ()


class Hears(Wire):
    """Which group the downlink carries now; None is silence."""

    t: Literal["hears"] = "hears"
    gid: Gid | None = None


class Pong(Wire):
    """The answer to `ping`."""

    t: Literal["pong"] = "pong"
    n: int = 0


class Problem(Wire):
    """What was wrong; with `final` the connection ends."""

    t: Literal["problem"] = "problem"
    slug: Label
    detail: Annotated[str, Field(max_length=500)]
    final: bool = False


ServerMessage = Welcome | Groups | Granted | Taken | Idle | Deny | Position | Revoke | Members | Hears | Pong | Problem

_FROM_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="t")])
_FROM_SERVER: TypeAdapter[ServerMessage] = TypeAdapter(Annotated[ServerMessage, Field(discriminator="t")])


def from_client(payload: bytes) -> ClientMessage:
    """Read what a participant says.

    Raises:
        ProtocolError: it breaks the contract.
    """
    return decode_any(_FROM_CLIENT, payload)


def from_server(payload: bytes) -> ServerMessage:
    """Read what the talk server says.

    Raises:
        ProtocolError: it breaks the contract.
    """
    return decode_any(_FROM_SERVER, payload)
