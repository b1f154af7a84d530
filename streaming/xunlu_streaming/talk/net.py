"""The radio net: the owner of all groups and participants. Everything happens in the turn of the loop that asks for it.

What comes in is a token with an offer (`join`), messages (`request`, …), packets (`media`), groups from the broker, and
time (`run`). A request is decided, the gate moved, listeners turned and everybody told before anything else can happen.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from dataclasses import dataclass, field

from xunlu_protocol.talk import FloorState, GroupInfo, Groups, Members, Problem, TalkClaims, TalkGroup, Welcome
from xunlu_streaming.errors import OverloadedError
from xunlu_streaming.negotiation import accept_participant
from xunlu_streaming.peers import Peers
from xunlu_streaming.sdp import Local, Offer, write_answer
from xunlu_streaming.talk import hearing
from xunlu_streaming.talk.access import Access, access_of
from xunlu_streaming.talk.calls import Calls, Outlets
from xunlu_streaming.talk.floor import Timers
from xunlu_streaming.talk.group import Burst, Group
from xunlu_streaming.talk.participant import Participant
from xunlu_streaming.talk.voice import Downlink, Sound, VoiceStage
from xunlu_streaming.tokens import has_expired

log = logging.getLogger(__name__)

HOUSEKEEPING_S = 0.5
REPORTS_S = 1.0
RETRY_S = (2, 6)
"""Whoever is turned away comes again after a time out of this range, not all at once."""
GATHERING_S = 5.0
"""Within this time everybody comes back to a server that was killed, and one of them is the first."""
EPOCH_MAX = 2**53
"""What every client's numbers hold; a larger one was not ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the net admits.

    Attributes:
        participants_max: at once.
        opening_max: of them, those that have not shaken hands yet.
        groups_max: that are known.
        linger_s: how long somebody whose WebSocket broke off stays, so that a talker may change its address.
        timers: of every floor.
    """

    participants_max: int = 2000
    opening_max: int = 100
    groups_max: int = 5000
    linger_s: float = 5.0
    timers: Timers = field(default_factory=Timers)


class RadioNet:
    """Groups and who is in them.

    Attributes:
        groups: by name.
        participants: by name.
        calls: requests, and what follows from them.
        stage: what sends the sound.
        gated: packets of somebody who had no floor.
        joined: participants so far.
        rejected: packets of those who have left that were forged, replayed, malformed or too many.
        refused_groups: groups that were too many.
    """

    def __init__(self, peers: Peers, tasks: asyncio.TaskGroup, limits: Limits, outlets: Outlets) -> None:
        """Begin empty.

        Args:
            peers: makes sessions of media.
            tasks: owner of their tasks.
            limits: what is admitted.
            outlets: who is told what happens: log, broker, tap.
        """
        self.groups: dict[str, Group] = {}
        self.participants: dict[str, Participant] = {}
        self.stage = VoiceStage()
        self.gated = self.joined = self.rejected = self.refused_groups = 0
        self.calls = Calls(outlets, self._turn)
        self._peers = peers
        self._tasks = tasks
        self._limits = limits
        self._outlets = outlets
        self._epochs: dict[str, int] = {}
        self._began_ms = time.time_ns() // 1_000_000
        self._began_s = time.monotonic()

    # -- participants -------------------------------------------------------------------------------------------------

    async def join(self, claims: TalkClaims, offer: Offer) -> Participant:
        """Somebody comes; the newest connection of a name takes the place of the one before.

        Raises:
            SdpError: the offer cannot be taken.
            OverloadedError: there is no room.
        """
        self._admit(claims.sub)
        ssrc = secrets.randbits(32)
        accepted = accept_participant(offer, ssrc)
        peer, candidates = await self._peers.make(offer)
        who = Participant(claims, peer, Downlink(ssrc, accepted.payload_types["opus"], peer), self)
        local = Local(
            name=secrets.token_hex(8),
            ufrag=peer.ufrag,
            password=peer.password,
            fingerprint=self._peers.fingerprint,
            candidates=candidates,
        )
        answer = write_answer(offer, accepted.media, local)
        who.tell(Welcome(sdp=answer, you=who.person, rights=claims.rights, groups=self._groups_of(who)))
        self._take_place(who)
        peer.open(who, self._tasks, f"talk.{who.id}")
        self.joined += 1
        return who

    def _admit(self, name: str) -> None:
        opening = sum(one.peer.keys is None for one in self.participants.values())
        full = name not in self.participants and len(self.participants) >= self._limits.participants_max
        if full or opening >= self._limits.opening_max:
            retry_s = secrets.choice(range(*RETRY_S))
            raise OverloadedError(f"The radio net is full. Try again in {retry_s} s.", retry_after_s=retry_s)

    def _take_place(self, who: Participant) -> None:
        """Its groups, and the floor if it has it, pass over from the connection before."""
        before = self.participants.get(who.id)
        self.participants[who.id] = who
        if before is None:
            return
        who.wanted, who.tuned, who.bursts = before.wanted, before.tuned, before.bursts
        before.tuned, before.bursts = {}, []
        before.hear(None)
        for gid in who.tuned:
            self.groups[gid].tuned[who.id] = who
            self.calls.greet(self.groups[gid], who)
        for burst in who.bursts:
            burst.turn()
        before.outbox.end(Problem(slug="replaced", detail="You are connected anew elsewhere.", final=True))
        before.peer.close("replaced")

    def left(self, who: Participant, why: str) -> None:
        """Its session of media has ended."""
        if self.participants.get(who.id) is not who:
            return
        self._retune(who, None, ())
        del self.participants[who.id]
        self.rejected += who.peer.refused.total()
        who.hear(None)
        log.debug("participant left", extra={"who": who.id, "why": why})
        who.outbox.end(Problem(slug=why, detail="The session of media has ended. Connect anew.", final=True))

    def renew(self, who: Participant, claims: TalkClaims) -> None:
        """A fresh token of the same participant: it may stay until that one ends, and do what that one allows."""
        who.claims = claims
        who.groups_changed = True
        self._retune(who, *who.wanted)

    def tune(self, who: Participant, main: str | None, scan: tuple[str, ...]) -> None:
        """Be in these groups from now on, as far as the token allows; those that come later are joined then."""
        who.wanted = (main, scan)
        self._retune(who, main, scan)

    def _retune(self, who: Participant, main: str | None, scan: tuple[str, ...]) -> None:
        ranks = {gid: rank for rank, gid in enumerate((main, *scan)) if gid is not None}
        # Named as main and as scanned it is the main group.
        ranks |= {main: hearing.MAIN} if main is not None else {}
        now_s = time.time()
        allowed: dict[str, Access] = {}
        for gid in ranks:
            group = self.groups.get(gid)
            access = access_of(who.claims, group.roll, now_s) if group is not None else None
            if access is not None:
                allowed[gid] = access
        for gid in [one for one in who.tuned if one not in allowed]:
            del who.tuned[gid]
            self.calls.part(self.groups[gid], who)
        for gid, access in allowed.items():
            new = gid not in who.tuned
            who.tuned[gid] = ranks[gid]
            self.calls.enter(self.groups[gid], who, access, new=new)
        self.turn(who)

    # -- sound --------------------------------------------------------------------------------------------------------

    def media(self, who: Participant, sound: Sound, packet: bytes, now_s: float) -> None:
        """A packet came: it goes to everybody who hears a burst of its talker, while the gate is open."""
        passed = False
        for burst in who.bursts or self._duplex(who, now_s):
            if burst.passes(now_s):
                passed = True
                self.stage.send(sound, burst.audience, now_s)
                self._outlets.tap.packet(burst, packet)
                if burst.group.spec.duplex and len(burst.group.tuned) > 2:
                    self._turn(burst.group)
        self.gated += not passed

    def _duplex(self, who: Participant, now_s: float) -> list[Burst]:
        """In a call without a floor whoever sends talks, if it may."""
        main = who.wanted[0]
        group = self.groups.get(main) if main in who.tuned and main is not None else None
        if group is not None and group.spec.duplex:
            self.calls.speak(group, who, now_s)
        return who.bursts

    def _groups_of(self, who: Participant) -> tuple[GroupInfo, ...]:
        infos = (group.info_for(who.claims) for group in self.groups.values())
        return tuple(info for info in infos if info is not None)

    def turn(self, who: Participant) -> None:
        """Choose what it hears."""
        bursts = (
            (burst, rank)
            for gid, rank in who.tuned.items()
            for burst in self.groups[gid].bursts.values()
            if burst.talker.id != who.id
        )
        who.hear(hearing.choose(bursts, who.heard))

    def _turn(self, group: Group) -> None:
        for who in group.tuned.values():
            self.turn(who)

    # -- groups -------------------------------------------------------------------------------------------------------

    def succeed(self, left: FloorState) -> None:
        """A state that a predecessor has left: our grants are larger, and words that it cut off may go on."""
        gid, epoch = left.gid, left.epoch
        if not 0 <= epoch < EPOCH_MAX or (gid not in self._epochs and len(self._epochs) >= self._limits.groups_max):
            return
        self._epochs[gid] = max(epoch, self._epochs.get(gid, 0))
        if left.talker is not None and gid not in self.groups:
            weight = {"urgency": left.urgency, "priority": left.priority}
            self._outlets.log.note(gid, "interrupted", left.talker, grant=epoch, **weight)
        if (group := self.groups.get(gid)) is not None and group.floor.grants < epoch:
            group.floor.grants = epoch
            self._outlets.states.put(gid, group.state(time.monotonic()))

    def put_group(self, spec: TalkGroup, connection: int) -> None:
        """The platform tells of a group, new or changed."""
        group = self.groups.get(spec.gid)
        if group is None:
            if len(self.groups) >= self._limits.groups_max:
                self.refused_groups += 1
                return
            grants = max(self._number_now(), self._epochs.get(spec.gid, 0)) + 1
            group = self.groups[spec.gid] = Group(spec, self._limits.timers, grants, connection)
            if spec.gid in self._epochs:
                group.floor.gathers_until_s = self._began_s + GATHERING_S
            self._outlets.states.put(spec.gid, group.state(time.monotonic()))
            self._follow(spec.gid, {})
            return
        group.connection = connection
        if group.spec == spec:
            return
        before = {who.id: group.info_for(who.claims) for who in self.participants.values()}
        if group.spec.duplex != spec.duplex:
            # Another kind of call: nobody's words of the one before go on in it.
            for who in list(group.tuned.values()):
                self._leave(who, group)
        group.become(spec)
        self._follow(spec.gid, before)

    def _number_now(self) -> int:
        """Above every number that a group which is no more can have given: it gave less than one in a millisecond."""
        return self._began_ms + round((time.monotonic() - self._began_s) * 1000)

    def drop_group(self, gid: str) -> None:
        """The group is no more."""
        group = self.groups.get(gid)
        if group is None:
            return
        before = {who.id: group.info_for(who.claims) for who in self.participants.values()}
        for who in list(group.tuned.values()):
            self._leave(who, group)
        del self.groups[gid]
        if group.floor.grants < self._number_now():
            self._epochs.pop(gid, None)
        else:
            # The clock of a predecessor was ahead of ours.
            self._epochs[gid] = group.floor.grants
        self._outlets.states.put(gid, None)
        self._follow(gid, before)

    def _follow(self, gid: str, before: dict[str, GroupInfo | None]) -> None:
        """A group changed: whoever wants it joins, whoever may not be in it any more parts, and they are told."""
        group = self.groups.get(gid)
        for who in list(self.participants.values()):
            info = group.info_for(who.claims) if group is not None else None
            who.groups_changed |= info != before.get(who.id)
            if gid in who.tuned or gid in (who.wanted[0], *who.wanted[1]):
                self._retune(who, *who.wanted)

    def _leave(self, who: Participant, group: Group) -> None:
        del who.tuned[group.gid]
        self.calls.part(group, who)
        self.turn(who)

    def forget_before(self, connection: int) -> None:
        """Drop groups that a new connection to the broker did not bring again: they were withdrawn meanwhile."""
        for gid in [gid for gid, group in self.groups.items() if group.connection < connection]:
            self.drop_group(gid)

    # -- time ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Timers, for ever."""
        tidied_s = reported_s = 0.0
        changed = self.calls.changed
        while True:
            now_s = time.monotonic()
            if now_s - tidied_s >= HOUSEKEEPING_S:
                tidied_s = now_s
                self._tidy(now_s)
            if now_s - reported_s >= REPORTS_S:
                reported_s = now_s
                for who in list(self.participants.values()):
                    who.peer.tick(now_s)
                    who.tick(now_s)
            self.calls.tick(now_s)
            due_s = self.calls.due_s()
            wake_s = tidied_s + HOUSEKEEPING_S if due_s is None else min(due_s, tidied_s + HOUSEKEEPING_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, wake_s - time.monotonic())):
                    await changed.wait()
            changed.clear()

    def _tidy(self, now_s: float) -> None:
        """What is told or ended a moment later than it happens."""
        over_s = time.time()
        for gid, group in list(self.groups.items()):
            if group.spec.until is not None and over_s >= group.spec.until:
                self.drop_group(gid)
            elif group.members_changed:
                group.members_changed = False
                group.tell(Members(gid=gid, online=tuple(one.person for one in group.tuned.values())))
        for who in list(self.participants.values()):
            if who.lost_s is not None and now_s - who.lost_s >= self._limits.linger_s:
                who.peer.close("lost")
            elif has_expired(who.claims, over_s):
                who.peer.close("token-expired")
            elif who.groups_changed:
                who.groups_changed = False
                who.tell(Groups(groups=self._groups_of(who)))

    async def close(self) -> None:
        """Say goodbye to everybody."""
        everybody = list(self.participants.values())
        for who in everybody:
            who.peer.close("server-ends")
        await asyncio.gather(*(who.peer.wait_closed() for who in everybody))
