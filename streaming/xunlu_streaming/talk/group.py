"""A talk group while the server knows it: who is tuned, who has the floor, and what is said."""

import secrets
import time
from typing import TYPE_CHECKING

from xunlu_protocol.talk import OTHERS_MAX, FloorState, GroupInfo, ServerMessage, Taken, TalkClaims, TalkGroup
from xunlu_protocol.talk import Peer as Person
from xunlu_streaming.talk import floor as floors
from xunlu_streaming.talk.access import Access, Roll, access_of
from xunlu_streaming.talk.voice import Downlink

if TYPE_CHECKING:
    from xunlu_streaming.talk.participant import Participant

PAUSE_S = 0.25
"""In a call without a floor, whoever says nothing for so long lets listeners hear somebody else."""


class Burst:
    """Somebody talks in a group.

    Attributes:
        id: of the burst.
        number: of it on the tap, 16 bits.
        group: where.
        talker: who, as others see it.
        grant: the floor's number.
        urgency: 0–2.
        priority: of the talker.
        until_s: monotonic seconds at which it ends at the latest, unless it is renewed.
        began_ms: UTC milliseconds of the first packet; 0 before.
        heard_s: monotonic seconds of the newest packet, or of the grant.
        audience: downlinks that carry it; a dictionary for its order and for quick farewells.
    """

    def __init__(self, number: int, group: "Group", talker: Person, taken: floors.Taken, now_s: float) -> None:
        self.id = secrets.token_hex(8)
        self.number = number
        self.group = group
        self.talker = talker
        self.grant = taken.grant
        self.urgency = int(taken.urgency)
        self.priority = taken.priority
        self.until_s = 0.0
        self.renew(now_s)
        self.began_ms = 0
        self.heard_s = now_s
        self.audience: dict[Downlink, None] = {}

    @property
    def gid(self) -> str:
        """Of its group."""
        return self.group.gid

    @property
    def paused(self) -> bool:
        """Whether others may be heard meanwhile: never where there is a floor."""
        return self.group.spec.duplex and time.monotonic() - self.heard_s > PAUSE_S

    def passes(self, now_s: float) -> bool:
        """Whether a packet of its talker goes through now: the gate."""
        if not self.group.spec.duplex and not self.group.floor.media(self.talker.id, now_s):
            return False
        self.heard_s = now_s
        return True

    @property
    def due_s(self) -> float:
        """When something happens to it where there is no floor: it falls silent, or is to be renewed."""
        timers = self.group.floor.timers
        return min(self.heard_s + timers.end_of_media, self.until_s - timers.grace)

    def renew(self, now_s: float) -> None:
        """It may last as long as any from now on; where there is no floor that is told over and over.

        What is told once and for ever would outlive a server that dies.
        """
        self.until_s = now_s + self.group.floor.timers.stop_talking + self.group.floor.timers.grace

    def turn(self) -> None:
        """The talker's numbers begin anew."""
        for downlink in self.audience:
            downlink.turn()

    @property
    def taken(self) -> Taken:
        """What participants are told.

        The number is the newest of the group: where there is no floor others may have spoken since, and a smaller
        number than theirs would be stale.
        """
        newest = self.group.floor.grants
        return Taken(gid=self.gid, grant=newest, talker=self.talker, urgency=self.urgency, priority=self.priority)


class Group:
    """A group.

    Attributes:
        roll: whom it is for.
        connection: number of the broker's connection that brought it last.
        floor: who may talk.
        tuned: participants that are in it, by name.
        bursts: that are on, by talker, the newest last; at most one where there is a floor.
        gates: where there is none, whoever may be heard now, and with what weight.
        members_changed: whether those who are tuned are to be told who is.
    """

    def __init__(self, spec: TalkGroup, timers: floors.Timers, grants: int, connection: int) -> None:
        self.become(spec)
        self.connection = connection
        self.floor = floors.Floor(timers, grants)
        self.tuned: dict[str, Participant] = {}
        self.bursts: dict[str, Burst] = {}
        self.gates: dict[str, floors.Claim] = {}
        self.members_changed = False

    def become(self, spec: TalkGroup) -> None:
        """The platform tells of it, or tells something else."""
        self.roll = Roll(spec)
        self._infos: dict[Access, GroupInfo] = {}

    @property
    def spec(self) -> TalkGroup:
        """What the platform says of it."""
        return self.roll.spec

    @property
    def gid(self) -> str:
        """Its name."""
        return self.spec.gid

    def info_for(self, claims: TalkClaims) -> GroupInfo | None:
        """The group as this participant sees it; None when it may not join."""
        access = access_of(claims, self.roll, time.time())
        if access is None:
            return None
        if access not in self._infos:
            spec = self.spec
            self._infos[access] = GroupInfo(
                gid=spec.gid,
                name=spec.name,
                kind=spec.kind,
                duplex=spec.duplex,
                may_talk=access.may_talk,
                member=access.member,
                until=spec.until,
            )
        return self._infos[access]

    def tell(self, message: ServerMessage) -> None:
        """Say something to everybody who is tuned."""
        text = message.encode().decode()
        for who in self.tuned.values():
            who.outbox.put(text)

    def state(self, now_s: float) -> FloorState:
        """For the map and for other systems."""
        now_ms = time.time_ns() // 1_000_000
        if not self.bursts:
            return FloorState(gid=self.gid, epoch=self.floor.grants, tms=now_ms)
        *others, burst = self.bursts.values()
        return FloorState(
            gid=self.gid,
            talker=burst.talker.id,
            did=burst.talker.did,
            name=burst.talker.name,
            urgency=burst.urgency,
            priority=burst.priority,
            others=tuple(one.talker for one in others[:OTHERS_MAX]),
            epoch=self.floor.grants,
            until=now_ms + round((burst.until_s - now_s) * 1000),
            tms=now_ms,
        )
