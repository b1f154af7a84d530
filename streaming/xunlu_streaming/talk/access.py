"""Who may join which group, and what a request weighs: pure functions of token and group."""

from collections.abc import Mapping
from typing import NamedTuple

from xunlu_protocol.talk import GroupKind, Person, Right, TalkClaims, TalkGroup
from xunlu_streaming.talk.floor import Claim, Urgency

PRIORITY_WITHOUT_BARGE = 127
"""Of a token without the right `barge` no more counts, so that it cuts in on nobody above the ordinary."""

_NEEDED_TO_TALK: Mapping[GroupKind, Right] = {"private": "barge", "broadcast": "broadcast"}
"""Of whoever is no member."""


class Access(NamedTuple):
    """What somebody may do in a group.

    Attributes:
        may_talk: whether it may ask for the floor.
        listening_in: whether it hears people who do not count on it (监听), which the log must tell.
        member: whether it belongs to the group.
    """

    may_talk: bool
    listening_in: bool = False
    member: bool = False


class Roll:
    """Whom a group is for, so that one of thousands is found at once.

    Attributes:
        spec: the group, as the platform tells of it.
        members: of it.
        listeners: of its members, those who may not talk.
    """

    __slots__ = ("listeners", "members", "spec")

    def __init__(self, spec: TalkGroup) -> None:
        self.spec = spec
        self.members: frozenset[Person] = frozenset(spec.members)
        self.listeners: frozenset[Person] = frozenset(spec.listeners)


def access_of(claims: TalkClaims, roll: Roll, now_s: float) -> Access | None:
    """What a token allows in a group; None when it may not even listen.

    A member talks unless it is a listener. Others need a unit path that covers the group; they talk, but in a private
    call only with `barge` and in a broadcast only with `broadcast`; whoever may not talk needs `listen_in` to hear.

    Args:
        claims: of the token.
        roll: of the group that is asked for.
        now_s: UTC seconds.
    """
    group = roll.spec
    if group.until is not None and now_s >= group.until:
        return None
    if claims.sub in roll.members:
        return Access(claims.sub not in roll.listeners, member=True)
    if claims.path is None or not group.path.startswith(claims.path):
        return None
    needed = _NEEDED_TO_TALK.get(group.kind)
    may_talk = needed is None or needed in claims.rights
    if not may_talk and "listen_in" not in claims.rights:
        return None
    return Access(may_talk, listening_in=group.kind == "private" or not may_talk)


def may_call_emergency(claims: TalkClaims, roll: Roll) -> bool:
    """Whether urgency 2 is believed."""
    return "emergency" in claims.rights or claims.sub in roll.members


def claim_of(claims: TalkClaims, urgency: int) -> Claim:
    """A request as the floor weighs it."""
    priority = claims.priority if "barge" in claims.rights else min(claims.priority, PRIORITY_WITHOUT_BARGE)
    return Claim(claims.sub, Urgency(urgency), priority)
