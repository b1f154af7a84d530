"""What happens in a group, and who is told: the effects of its floor become messages, open gates, and the floor log."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xunlu_protocol.talk import Deny, Granted, Idle, Position, Problem, Revoke
from xunlu_streaming.talk import floor as floors
from xunlu_streaming.talk.access import Access, claim_of, may_call_emergency
from xunlu_streaming.talk.floor_log import FloorLog
from xunlu_streaming.talk.floor_states import FloorStates
from xunlu_streaming.talk.group import Burst, Group
from xunlu_streaming.talk.participant import Participant
from xunlu_streaming.talk.tap import BurstTap

WITHOUT_LIMIT_S = 86_400.0
"""Told in a call without a floor, where nobody is ever revoked."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Who is told what happens."""

    log: FloorLog
    states: FloorStates
    tap: BurstTap


class Calls:
    """Requests to the groups, and their bursts.

    Attributes:
        active: groups in which somebody talks, by name.
        changed: set when a timer may be due sooner than before.
        told: entries of the floor log by what happened.
    """

    def __init__(self, outlets: Outlets, turn: Callable[[Group], None]) -> None:
        """Begin in silence.

        Args:
            outlets: who is told.
            turn: lets everybody of a group choose anew what they hear.
        """
        self.active: dict[str, Group] = {}
        self.changed = asyncio.Event()
        self.told: Counter[str] = Counter()
        self._outlets = outlets
        self._turn = turn
        self._number = 0

    # -- who is in ----------------------------------------------------------------------------------------------------

    def enter(self, group: Group, who: Participant, access: Access, *, new: bool) -> None:
        """Somebody is in a group from now on, or may talk there from now on, or no more."""
        floor = group.floor
        if not new:
            if (who.id in floor.listeners) != access.may_talk:
                return
            # Whoever loses the right to talk loses the floor, and its place in the queue.
            self._silence(group, who)
            floor.join(who.id, may_talk=access.may_talk)
            return
        group.tuned[who.id] = who
        group.members_changed = True
        floor.join(who.id, may_talk=access.may_talk)
        self._note(group, "listening_in" if access.listening_in else "joined", who.id)
        self.greet(group, who)

    def greet(self, group: Group, who: Participant) -> None:
        """Tell whoever comes late who talks; a talker that comes back hears that it still has the floor."""
        for burst in group.bursts.values():
            if burst.talker.id != who.id:
                who.tell(burst.taken)
            elif not group.spec.duplex:
                self._apply(group, group.floor.request(claim_of(who.claims, 0), time.monotonic()))

    def part(self, group: Group, who: Participant) -> None:
        """Somebody is in a group no more."""
        self._silence(group, who)
        group.tuned.pop(who.id, None)
        group.members_changed = True
        self._note(group, "parted", who.id)

    def _silence(self, group: Group, who: Participant) -> None:
        self._apply(group, group.floor.leave(who.id, time.monotonic()))
        self._shut(group, who, "left")

    # -- what they ask ------------------------------------------------------------------------------------------------

    def request(self, group: Group, who: Participant, urgency: int, *, may_wait: bool) -> None:
        """The key is pressed: decided now, and the gate moved before anything else happens."""
        claim = claim_of(who.claims, urgency)
        now_s = time.monotonic()
        if urgency == floors.Urgency.EMERGENCY and not may_call_emergency(who.claims, group.roll):
            detail = "Only members of the group, and whoever has the right to it, call an emergency."
            who.tell(Problem(slug="right-emergency", detail=detail))
            self._apply(group, [floors.Deny(who.id, "receive_only")], claim=claim)
            return
        if group.spec.duplex:
            self._open(group, who, claim, now_s)
            return
        waited = who.id in group.floor.queue
        self._apply(group, group.floor.request(claim, now_s, may_wait=may_wait), claim=claim, by=who.id)
        if not waited and who.id in group.floor.queue:
            self._note(group, "queued", who.id, urgency=urgency, priority=claim.priority)

    def release(self, group: Group, who: Participant) -> None:
        """The key is let go."""
        self._apply(group, group.floor.release(who.id, time.monotonic()))
        self._shut(group, who, "released")

    def take_down(self, group: Group, who: Participant) -> None:
        """End all that is said (强拆)."""
        if "take_down" not in who.claims.rights:
            who.tell(Problem(slug="right-take-down", detail="Your role may not end the words of others."))
            return
        self._apply(group, group.floor.take_down(time.monotonic()), by=who.id)
        talkers, group.gates = [*group.gates], {}
        for name in talkers:
            group.tuned[name].tell(Revoke(gid=group.gid, cause="taken_down"))
        self._hush(group, talkers, "taken_down", by=who.id)

    # -- calls without a floor: everybody has a gate of their own -----------------------------------------------------

    def _open(self, group: Group, who: Participant, claim: floors.Claim, now_s: float) -> None:
        """The key is pressed: the gate stays open, through silence, until the key is let go or the call taken down."""
        if not group.floor.may_talk(who.id):
            self._apply(group, [floors.Deny(who.id, "receive_only")], claim=claim)
            return
        burst = group.bursts.get(who.id)
        if burst is not None and claim.urgency > burst.urgency:
            self._end(burst, "raised")
        group.gates[who.id] = claim
        self.speak(group, who, now_s)
        who.tell(Granted(gid=group.gid, grant=group.bursts[who.id].grant, left_s=WITHOUT_LIMIT_S))

    def speak(self, group: Group, who: Participant, now_s: float) -> None:
        """Somebody sends in a call without a floor, and talks if its gate is open."""
        claim = group.gates.get(who.id)
        if claim is None or who.id in group.bursts:
            return
        group.floor.grants += 1
        self._begin(group, floors.Taken(who.id, group.floor.grants, claim.urgency, claim.priority), now_s)
        self._turn(group)

    def _shut(self, group: Group, who: Participant, why: floors.StopCause) -> None:
        """A gate closes, if there is one."""
        if group.gates.pop(who.id, None) is not None:
            self._hush(group, [who.id], why)

    def _hush(self, group: Group, talkers: Iterable[str], why: floors.StopCause, *, by: str | None = None) -> None:
        """Some talk no more in a call without a floor; whoever still does is told."""
        ended = [group.bursts[name] for name in talkers if name in group.bursts]
        for burst in ended:
            self._end(burst, why, by=by)
        if not ended:
            return
        if group.bursts:
            self._tell_talker(group)
        else:
            self._idle(group)
        self._turn(group)

    # -- time ---------------------------------------------------------------------------------------------------------

    def due_s(self) -> float | None:
        """When `tick` has something to do next, monotonic seconds."""
        dues = (due for group in self.active.values() if (due := self._due_of(group)) is not None)
        return min(dues, default=None)

    def _due_of(self, group: Group) -> float | None:
        if not group.spec.duplex:
            return group.floor.due_s()
        return min((burst.due_s for burst in group.bursts.values()), default=None)

    def tick(self, now_s: float) -> None:
        """Timers go off."""
        for group in list(self.active.values()):
            due_s = self._due_of(group)
            if due_s is None or due_s > now_s:
                continue
            if group.spec.duplex:
                self._hush_or_renew(group, now_s)
            else:
                self._apply(group, group.floor.tick(now_s))

    def _hush_or_renew(self, group: Group, now_s: float) -> None:
        """Whoever sends nothing for T1 talks no more; of the others it is told that they still do."""
        due = [burst for burst in group.bursts.values() if now_s >= burst.due_s]
        for burst in due:
            burst.renew(now_s)
        self._hush(group, [burst.talker.id for burst in due if now_s >= burst.due_s], "silent")
        if group.bursts:
            self._outlets.states.put(group.gid, group.state(now_s))

    # -- effects ------------------------------------------------------------------------------------------------------

    def _apply(
        self,
        group: Group,
        effects: Iterable[floors.Effect],
        *,
        claim: floors.Claim | None = None,
        by: str | None = None,
    ) -> None:
        """Let everything that follows happen now, and tell it."""
        now_s = time.monotonic()
        moved = False
        for effect in effects:
            match effect:
                case floors.Taken():
                    self._begin(group, effect, now_s)
                    moved = True
                case floors.Stopped():
                    cut = effect.cause in ("preempted", "taken_down")
                    self._end(group.bursts[effect.talker], effect.cause, by=by if cut else None)
                    moved = True
                case floors.Idle():
                    self._idle(group)
                case _:
                    self._answer(group, effect, claim, now_s)
        if moved:
            self._turn(group)
        self.changed.set()

    def _answer(self, group: Group, effect: floors.Effect, claim: floors.Claim | None, now_s: float) -> None:
        """What one participant is told."""
        gid = group.gid
        match effect:
            case floors.Granted():
                group.tuned[effect.to].tell(Granted(gid=gid, grant=effect.grant, left_s=effect.until_s - now_s))
            case floors.Position():
                group.tuned[effect.to].tell(Position(gid=gid, position=effect.position))
            case floors.Revoke():
                left_s = max(0.0, effect.gate_s - now_s)
                group.tuned[effect.to].tell(Revoke(gid=gid, cause=effect.cause, left_s=left_s))
            case floors.Deny():
                group.tuned[effect.to].tell(Deny(gid=gid, cause=effect.cause))
                asked = claim if claim is not None and claim.who == effect.to else None
                weight = {"urgency": int(asked.urgency), "priority": asked.priority} if asked is not None else {}
                self._note(group, "denied", effect.to, **weight)

    def _begin(self, group: Group, taken: floors.Taken, now_s: float) -> None:
        """The gate opens."""
        who = group.tuned[taken.talker]
        self._number = self._number % 0xFFFF + 1
        burst = Burst(self._number, group, who.person, taken, now_s)
        group.bursts[who.id] = burst
        who.bursts.append(burst)
        self.active[group.gid] = group
        self._tell_talker(group)
        self._note(group, "granted", who.id, grant=burst.grant, urgency=burst.urgency, priority=burst.priority)
        self.changed.set()

    def _end(self, burst: Burst, why: floors.StopCause, *, by: str | None = None) -> None:
        """The gate is shut."""
        group, talker = burst.group, burst.talker.id
        del group.bursts[talker]
        group.tuned[talker].bursts.remove(burst)
        self._outlets.tap.end(burst, why)
        weight = {"urgency": burst.urgency, "priority": burst.priority}
        self._note(group, why, talker, by=by, grant=burst.grant, **weight)

    def _tell_talker(self, group: Group) -> None:
        """Who talks: the newest, where there are several."""
        *_, newest = group.bursts.values()
        group.tell(newest.taken)
        self._outlets.states.put(group.gid, group.state(time.monotonic()))

    def _idle(self, group: Group) -> None:
        self.active.pop(group.gid, None)
        group.tell(Idle(gid=group.gid))
        self._outlets.states.put(group.gid, group.state(time.monotonic()))

    def _note(self, group: Group, what: str, who: str, **more: int | str | None) -> None:
        self.told[what] += 1
        self._outlets.log.note(group.gid, what, who, **more)
