"""Floor control: who may talk in a group, now.

A pure state machine in the vocabulary of 3GPP TS 24.380 §6.3.4 (arbitration) and §6.3.5 (each participant): what
happens goes in with its time, what must be told comes out. It sends nothing, waits for nothing and reads no clock, so
that every schedule can be tried.

    idle ──request──► taken ──release, end of media──► idle, or the next in the queue
                        │
                        ├── asks as a more urgent call ──► taken by the same one, with the whole time anew
                        ├── talks too long ──► pending revoke ──grace over──► idle, or the next in the queue
                        └── preempted, taken down ──► the new talker, or idle, in the same moment

The one departure from §6.3.4.5: whoever preempts gets the floor at once, without waiting for the old talker's release.
The gate is ours, so the old talker's media stop in the same moment, and nobody's emergency waits for a lost message.

An emergency waits for nothing but another one: neither for T9, nor for a place in a full queue, nor for the grace of
whoever talked too long, the caller included.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Participant = str


class Urgency(IntEnum):
    """Classes of calls; a higher one always preempts a lower one (TS 24.380 §4.1.1.4)."""

    NORMAL = 0
    IMMINENT = 1
    EMERGENCY = 2


DenyCause = Literal["taken", "alone", "wait", "receive_only", "queue_full"]
"""TS 24.380 §8.2.6.2: #1, #3, #4, #5, #7."""
RevokeCause = Literal["alone", "too_long", "no_right", "preempted", "taken_down"]
"""TS 24.380 §8.2.10.2: #1, #2, #3, #4; taken down is ours."""
StopCause = Literal["released", "silent", "left", "too_long", "preempted", "taken_down", "raised"]
"""Raised: the same one talks on, as a more urgent call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timers:
    """Seconds; names as in TS 24.380 table 11.1.1-1 and 11.1.3-1.

    Attributes:
        end_of_media: T1, no media for so long is a release.
        stop_talking: T2, the longest burst.
        grace: T3, from the revocation to the closed gate.
        retry_after: T9, nobody who was revoked for talking too long asks again sooner, but for an emergency.
        revoke_again: T8, between two Revoke.
        grant_again: T20, between two Granted to somebody from the queue.
        grants_max: C20, Granted to somebody from the queue who sends nothing.
        queue_max: requests that wait.
    """

    end_of_media: float = 4.0
    stop_talking: float = 30.0
    grace: float = 3.0
    retry_after: float = 3.0
    revoke_again: float = 1.0
    grant_again: float = 1.0
    grants_max: int = 3
    queue_max: int = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody wants to talk.

    Attributes:
        who: wants it.
        urgency: of the call.
        priority: 0–255, higher is more.
    """

    who: Participant
    urgency: Urgency
    priority: int

    @property
    def rank(self) -> tuple[int, int]:
        """What preempts by being larger (TS 24.380 §4.1.1.4): the class, and within one a strictly higher priority."""
        return self.urgency, self.priority


@dataclass(frozen=True, slots=True)
class Granted:
    """To one: you have the floor until `until_s`; `again` when it was said before."""

    to: Participant
    grant: int
    until_s: float
    again: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """To all: who has the floor."""

    talker: Participant
    grant: int
    urgency: Urgency
    priority: int


@dataclass(frozen=True, slots=True)
class Idle:
    """To all: nobody has the floor."""


@dataclass(frozen=True, slots=True)
class Deny:
    """To one: no, and why."""

    to: Participant
    cause: DenyCause


@dataclass(frozen=True, slots=True)
class Position:
    """To one: your place in the queue, from 1."""

    to: Participant
    position: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """To one: stop, and why; the gate closes at `gate_s`."""

    to: Participant
    cause: RevokeCause
    gate_s: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """For the log: a burst ended."""

    talker: Participant
    grant: int
    cause: StopCause


Effect = Granted | Taken | Idle | Deny | Position | Revoke | Stopped


@dataclass(slots=True)
class _Burst:
    """The floor while somebody has it.

    Attributes:
        heard_s: when media last came; the grant's time before the first.
        queued: whether the talker waited for it, and so may have to be told again.
        gate_s: when the gate closes for good; infinite before a Revoke.
        told_s: when Granted or Revoke was last said.
        grants: how often Granted was said.
    """

    claim: Claim
    grant: int
    began_s: float
    heard_s: float
    queued: bool
    told_s: float
    spoke: bool = False
    grants: int = 1
    gate_s: float = float("inf")

    @property
    def revoked(self) -> bool:
        return self.gate_s != float("inf")


@dataclass(slots=True)
class Floor:
    """The floor of one group.

    Every method takes the time and gives what must be told, in order. Time never runs backwards.

    Attributes:
        timers: its timers.
        grants: the number of the last grant. A server that starts anew begins above every number it may have given.
        members: who is in the call; others have no right to talk.
        listeners: members who may not talk.
        gathers_until_s: until then others may still be on their way back, and nobody counts as alone.
    """

    timers: Timers = field(default_factory=Timers)
    grants: int = 0
    members: set[Participant] = field(default_factory=set)
    listeners: set[Participant] = field(default_factory=set)
    gathers_until_s: float = float("-inf")
    _burst: _Burst | None = None
    _queue: list[Claim] = field(default_factory=list)
    _waits: dict[Participant, float] = field(default_factory=dict)

    # -- what is known ------------------------------------------------------------------------------------------------

    @property
    def talker(self) -> Participant | None:
        """Who has the floor."""
        return self._burst.claim.who if self._burst is not None else None

    @property
    def queue(self) -> tuple[Participant, ...]:
        """Who waits, the next one first."""
        return tuple(claim.who for claim in self._queue)

    def may_talk(self, who: Participant) -> bool:
        """Whether somebody is in the call, and no listener."""
        return who in self.members and who not in self.listeners

    def due_s(self) -> float | None:
        """When `tick` has something to do next; None when only others can change anything."""
        burst = self._burst
        if burst is None:
            return None
        if burst.revoked:
            return min(burst.gate_s, burst.told_s + self.timers.revoke_again)
        due = min(burst.began_s + self.timers.stop_talking, burst.heard_s + self.timers.end_of_media)
        return min(due, burst.told_s + self.timers.grant_again) if burst.queued and not burst.spoke else due

    # -- members ------------------------------------------------------------------------------------------------------

    def join(self, who: Participant, *, may_talk: bool = True) -> None:
        """Somebody is in the call."""
        self.members.add(who)
        (self.listeners.discard if may_talk else self.listeners.add)(who)

    def leave(self, who: Participant, now_s: float) -> Iterator[Effect]:
        """Somebody is not in the call any more, for whatever reason."""
        self.members.discard(who)
        self.listeners.discard(who)
        self._waits.pop(who, None)
        if self.talker == who:
            yield from self._stop("left", now_s)
        else:
            yield from self._unqueue(who)

    # -- the talker's side --------------------------------------------------------------------------------------------

    def request(self, claim: Claim, now_s: float, *, may_wait: bool = True) -> Iterator[Effect]:
        """Somebody presses the key (TS 24.380 §6.3.5.3.4, §6.3.5.4.4).

        Args:
            claim: who, and with what weight.
            now_s: monotonic seconds.
            may_wait: whether the request may stand in the queue.
        """
        if (cause := self._hindrance(claim, now_s)) is not None:
            yield Deny(claim.who, cause)
        elif self._burst is None:
            yield from self._grant(claim, now_s, queued=False)
        elif self._burst.claim.who == claim.who:
            yield from self._raise(claim, now_s) if claim.urgency > self._burst.claim.urgency else self._repeat()
        elif claim.rank > self._burst.claim.rank:
            yield from self._preempt(claim, now_s)
        elif not may_wait:
            yield from self._unqueue(claim.who)
            yield Deny(claim.who, "taken")
        else:
            yield from self._enqueue(claim)

    def release(self, who: Participant, now_s: float) -> Iterator[Effect]:
        """Somebody lets go of the key; whoever waits gives up waiting (§6.3.5.6.4)."""
        if self.talker == who:
            yield from self._stop("released", now_s)
        else:
            yield from self._unqueue(who)

    def media(self, who: Participant, now_s: float) -> bool:
        """Whether a packet passes the gate."""
        burst = self._burst
        if burst is None or burst.claim.who != who or now_s >= burst.gate_s:
            return False
        burst.heard_s, burst.spoke = now_s, True
        return True

    def take_down(self, now_s: float) -> Iterator[Effect]:
        """Somebody with the right to it ends the burst that is on (强拆)."""
        if (talker := self.talker) is not None:
            yield Revoke(talker, "taken_down", now_s)
            yield from self._stop("taken_down", now_s)

    # -- time ---------------------------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> Iterator[Effect]:
        """Time has passed."""
        burst = self._burst
        if burst is None:
            return
        if now_s >= burst.gate_s:
            yield from self._stop("too_long", now_s)
        elif burst.revoked:
            if now_s >= burst.told_s + self.timers.revoke_again:
                burst.told_s = now_s
                yield Revoke(burst.claim.who, "too_long", burst.gate_s)
        elif now_s >= burst.heard_s + self.timers.end_of_media:
            yield from self._stop("silent", now_s)
        elif now_s >= burst.began_s + self.timers.stop_talking:
            burst.gate_s, burst.told_s = now_s + self.timers.grace, now_s
            self._waits[burst.claim.who] = burst.gate_s + self.timers.retry_after
            yield Revoke(burst.claim.who, "too_long", burst.gate_s)
        elif burst.queued and not burst.spoke and now_s >= burst.told_s + self.timers.grant_again:
            yield from self._grant_again(burst, now_s)

    def _grant_again(self, burst: _Burst, now_s: float) -> Iterator[Effect]:
        if burst.grants >= self.timers.grants_max:
            yield from self._stop("silent", now_s)
            return
        burst.grants, burst.told_s = burst.grants + 1, now_s
        yield from self._repeat()

    # -- what follows -------------------------------------------------------------------------------------------------

    def _hindrance(self, claim: Claim, now_s: float) -> DenyCause | None:
        who = claim.who
        if not self.may_talk(who):
            return "receive_only"
        if len(self.members) < 2 and now_s >= self.gathers_until_s:
            return "alone"
        has_to_wait = self.talker != who and now_s < self._waits.get(who, now_s)
        return "wait" if has_to_wait and claim.urgency < Urgency.EMERGENCY else None

    def _grant(self, claim: Claim, now_s: float, *, queued: bool) -> Iterator[Effect]:
        self.grants += 1
        self._burst = _Burst(claim, self.grants, now_s, now_s, queued, now_s)
        yield Granted(claim.who, self.grants, now_s + self.timers.stop_talking)
        yield Taken(claim.who, self.grants, claim.urgency, claim.priority)

    def _repeat(self) -> Iterator[Effect]:
        burst = self._burst
        assert burst is not None
        if burst.revoked:
            yield Revoke(burst.claim.who, "too_long", burst.gate_s)
        else:
            yield Granted(burst.claim.who, burst.grant, burst.began_s + self.timers.stop_talking, again=True)

    def _raise(self, claim: Claim, now_s: float) -> Iterator[Effect]:
        burst, self._burst = self._burst, None
        assert burst is not None
        yield Stopped(claim.who, burst.grant, "raised")
        yield from self._grant(claim, now_s, queued=False)

    def _preempt(self, claim: Claim, now_s: float) -> Iterator[Effect]:
        burst, self._burst = self._burst, None
        assert burst is not None
        yield Revoke(burst.claim.who, "preempted", now_s)
        yield Stopped(burst.claim.who, burst.grant, "preempted")
        yield from self._unqueue(claim.who)
        yield from self._grant(claim, now_s, queued=False)

    def _stop(self, cause: StopCause, now_s: float) -> Iterator[Effect]:
        """The burst is over; the next of the queue has the floor, or nobody."""
        burst, self._burst = self._burst, None
        assert burst is not None
        yield Stopped(burst.claim.who, burst.grant, cause)
        while self._queue:
            claim = self._queue.pop(0)
            if (hindrance := self._hindrance(claim, now_s)) is not None:
                yield Deny(claim.who, hindrance)
                continue
            yield from self._grant(claim, now_s, queued=True)
            yield from self._positions(0)
            return
        yield Idle()

    # -- queue --------------------------------------------------------------------------------------------------------

    def _enqueue(self, claim: Claim) -> Iterator[Effect]:
        """By rank, and first come first served within one; a repeated request keeps its place unless it is raised."""
        place = next((n for n, one in enumerate(self._queue) if one.who == claim.who), None)
        if place is not None:
            if self._queue[place].rank == claim.rank:
                yield Position(claim.who, place + 1)
                return
            del self._queue[place]
        elif len(self._queue) >= self.timers.queue_max:
            # The last one of a full queue makes room for a more urgent call.
            if self._queue[-1].urgency >= claim.urgency:
                yield Deny(claim.who, "queue_full")
                return
            yield Deny(self._queue.pop().who, "queue_full")
        new = next((n for n, one in enumerate(self._queue) if one.rank < claim.rank), len(self._queue))
        self._queue.insert(new, claim)
        yield from self._positions(new if place is None else min(new, place))

    def _unqueue(self, who: Participant) -> Iterator[Effect]:
        place = next((n for n, one in enumerate(self._queue) if one.who == who), None)
        if place is not None:
            del self._queue[place]
            yield from self._positions(place)

    def _positions(self, first: int) -> Iterator[Effect]:
        for place, claim in enumerate(self._queue[first:], first + 1):
            yield Position(claim.who, place)
