"""The floor under every schedule: never two talkers, nobody forgotten, nothing after the gate."""

from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from xunlu_streaming.talk.floor import (
    Claim,
    Deny,
    Effect,
    Floor,
    Granted,
    Idle,
    Position,
    Revoke,
    Stopped,
    Taken,
    Timers,
    Urgency,
)

PEOPLE = tuple("abcde")
TIMERS = Timers(queue_max=3, stop_talking=5.0)
people = st.sampled_from(PEOPLE)
claims = st.builds(Claim, people, st.sampled_from(Urgency), st.sampled_from((0, 100, 101, 255)))


class Schedules(RuleBasedStateMachine):
    """Anything in any order, told to a floor and to a plain account of what may be true."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor(TIMERS, grants=1000)
        self.now_s = 0.0
        self.talking: Claim | None = None
        self.grant = 1000
        self.waiting: list[Claim] = []
        self.asked: Claim | None = None

    @initialize()
    def everybody_is_there(self) -> None:
        for who in PEOPLE:
            self.floor.join(who)

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(claim=claims, may_wait=st.booleans())
    def request(self, claim: Claim, may_wait: bool) -> None:
        before, self.asked = self.talking, claim
        effects = self.follow(self.floor.request(claim, self.now_s, may_wait=may_wait))
        self.asked = None
        if any(isinstance(one, Revoke) and one.cause == "preempted" for one in effects):
            assert before is not None
            assert claim.rank > before.rank
        if isinstance(effects[-1], Deny) and effects[-1].cause == "taken":
            assert not may_wait
            self.forget(claim.who)
        told = {type(one) for one in effects if getattr(one, "to", claim.who) == claim.who}
        assert told & {Granted, Deny, Position, Revoke}, "whoever asks is answered"
        if claim.urgency == Urgency.EMERGENCY:
            self.nothing_but_an_emergency_goes_before(claim, before, effects)

    def nothing_but_an_emergency_goes_before(self, claim: Claim, before: Claim | None, effects: list[Effect]) -> None:
        assert self.talking is not None
        assert self.talking.urgency == Urgency.EMERGENCY, "nobody less urgent talks while an emergency is asked for"
        if before is None or before.urgency < Urgency.EMERGENCY:
            assert self.talking == claim, "at once: no grace, no T9, whoever had the floor"
            assert self.floor.media(claim.who, self.now_s)
        denied = {one.cause for one in effects if isinstance(one, Deny) and one.to == claim.who}
        assert denied <= {"taken", "queue_full"}
        if "queue_full" in denied:
            assert all(one.urgency == Urgency.EMERGENCY for one in self.waiting)

    @rule(who=people)
    def release(self, who: str) -> None:
        self.forget(who)
        self.follow(self.floor.release(who, self.now_s))

    @rule(who=people)
    def leave_and_come_back(self, who: str) -> None:
        self.forget(who)
        self.follow(self.floor.leave(who, self.now_s))
        assert not self.floor.media(who, self.now_s)
        self.floor.join(who)

    @rule()
    def take_down(self) -> None:
        self.follow(self.floor.take_down(self.now_s))

    @rule(who=people)
    def media(self, who: str) -> None:
        assert self.floor.media(who, self.now_s) <= (self.talking is not None and self.talking.who == who)

    @rule()
    def a_key_sticks(self) -> None:
        """Whoever talks goes on until its gate is shut."""
        talker = self.floor.talker
        while talker is not None and self.floor.talker == talker:
            self.floor.media(talker, self.now_s)
            self.time_passes(1.0)

    @rule(passed_s=st.sampled_from((0.0, 0.02, 0.5, 1.0, 3.0)))
    def time_passes(self, passed_s: float) -> None:
        """Timers go off when they are due, one after the other."""
        end_s = self.now_s + passed_s
        while (due_s := self.floor.due_s()) is not None and due_s <= end_s:
            assert due_s >= self.now_s
            assert not list(self.floor.tick((self.now_s + due_s) / 2)) or due_s == self.now_s, "nothing before its time"
            self.now_s = due_s
            effects = self.follow(self.floor.tick(due_s))
            assert effects, "what is due happens"
        self.now_s = end_s

    # -- what must be true --------------------------------------------------------------------------------------------

    def follow(self, effects: Iterable[Effect]) -> list[Effect]:
        done = list(effects)
        for one in done:
            match one:
                case Granted(again=False):
                    assert self.talking is None, "never two talkers"
                    assert one.grant == self.grant + 1
                    self.grant = one.grant
                    self.talking = self.next_of(one.to)
                    self.forget(one.to)
                case Granted():
                    assert (self.talking and self.talking.who, self.grant) == (one.to, one.grant)
                case Stopped():
                    assert one.cause != "raised" or self.is_raised(one.talker)
                    assert (self.talking and self.talking.who, self.grant) == (one.talker, one.grant)
                    self.talking = None
                    assert not self.floor.media(one.talker, self.now_s) or self.floor.talker == one.talker
                case Taken():
                    assert (self.talking and self.talking.who, self.grant) == (one.talker, one.grant)
                case Idle():
                    assert self.talking is None
                    assert not self.waiting, "whoever waits is served"
                case Deny():
                    assert one.cause != "queue_full" or len(self.waiting) == TIMERS.queue_max
                    if self.asked and one.cause == "queue_full" and one.to != self.asked.who:
                        assert self.waiting[-1].who == one.to, "the last one makes room"
                        assert self.waiting[-1].urgency < self.asked.urgency
                        self.forget(one.to)
                case Position() if self.asked and one.to == self.asked.who:
                    self.enqueue(self.asked)
                case _:
                    pass
        return done

    def is_raised(self, who: str) -> bool:
        """Whether the talker asks now, as a more urgent call."""
        asked, talking = self.asked, self.talking
        return bool(asked and talking and asked.who == talking.who == who and asked.urgency > talking.urgency)

    def next_of(self, who: str) -> Claim:
        """The claim that is granted: the one that asks now, or the first of those that wait."""
        if self.asked and self.asked.who == who:
            return self.asked
        assert self.waiting[0].who == who, "by rank, and first come first served"
        return self.waiting[0]

    def enqueue(self, claim: Claim) -> None:
        if claim in self.waiting:
            return
        self.forget(claim.who)
        self.waiting.append(claim)
        self.waiting.sort(key=lambda one: one.rank, reverse=True)

    def forget(self, who: str) -> None:
        self.waiting = [one for one in self.waiting if one.who != who]

    @invariant()
    def all_agree(self) -> None:
        assert self.floor.talker == (self.talking.who if self.talking else None)
        assert self.floor.queue == tuple(one.who for one in self.waiting)
        assert self.floor.grants == self.grant
        assert (self.floor.due_s() is None) == (self.talking is None)


Schedules.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSchedules = Schedules.TestCase


def call(*, listeners: str = "") -> Floor:
    floor = Floor()
    for who in PEOPLE:
        floor.join(who, may_talk=who not in listeners)
    return floor


def normal(who: str, priority: int = 100) -> Claim:
    return Claim(who, Urgency.NORMAL, priority)


def test_whoever_waits_is_served_in_turn_when_nobody_else_asks() -> None:
    floor, now_s, served = call(), 0.0, []
    for who in PEOPLE:
        list(floor.request(normal(who), now_s))
    while (talker := floor.talker) is not None:
        served.append(talker)
        assert floor.media(talker, now_s)
        while floor.talker == talker:
            now_s = floor.due_s() or now_s
            list(floor.tick(now_s))
    assert served == list(PEOPLE)


def test_a_long_talker_is_revoked_has_its_grace_and_then_must_wait() -> None:
    floor, timers = call(), Timers()
    list(floor.request(normal("a"), 0.0))
    for hundredths in range(100, 3000, 100):
        assert floor.media("a", hundredths / 100)
    [revoke] = floor.tick(timers.stop_talking)
    gate_s = timers.stop_talking + timers.grace
    assert revoke == Revoke("a", "too_long", gate_s)
    assert floor.media("a", gate_s - 0.01)
    assert not floor.media("a", gate_s)
    assert list(floor.tick(gate_s)) == [Stopped("a", 1, "too_long"), Idle()]
    assert list(floor.request(normal("a"), gate_s + 1)) == [Deny("a", "wait")]
    assert Granted("a", 2, gate_s + 33) in floor.request(normal("a"), gate_s + 3)


def test_an_emergency_has_the_floor_in_the_same_moment() -> None:
    floor = call()
    list(floor.request(normal("a", 255), 0.0))
    assert floor.media("a", 1.0)
    effects = list(floor.request(Claim("b", Urgency.EMERGENCY, 0), 1.0))
    assert effects[:3] == [Revoke("a", "preempted", 1.0), Stopped("a", 1, "preempted"), Granted("b", 2, 31.0)]
    assert not floor.media("a", 1.0)
    assert floor.media("b", 1.0)


def emergency(who: str) -> Claim:
    return Claim(who, Urgency.EMERGENCY, 0)


def revoked(floor: Floor) -> float:
    """When the grace of `a`, who has talked for too long, began."""
    list(floor.request(normal("a"), 0.0))
    for second in range(1, 30):
        assert floor.media("a", float(second))
    assert [*floor.tick(30.0)] == [Revoke("a", "too_long", 33.0)]
    return 30.0


def test_a_talker_that_calls_an_emergency_has_the_whole_time_anew() -> None:
    floor = call()
    list(floor.request(normal("a", 255), 0.0))
    assert list(floor.request(emergency("a"), 20.0)) == [
        Stopped("a", 1, "raised"),
        Granted("a", 2, 50.0),
        Taken("a", 2, Urgency.EMERGENCY, 0),
    ]
    assert floor.media("a", 20.0)
    assert list(floor.request(emergency("a"), 21.0)) == [Granted("a", 2, 50.0, again=True)]
    assert list(floor.request(normal("a"), 22.0)) == [Granted("a", 2, 50.0, again=True)], "nothing lowers it"


def test_an_emergency_does_not_wait_for_the_grace_of_its_own_caller() -> None:
    floor = call()
    now_s = revoked(floor) + 1
    assert list(floor.request(normal("a"), now_s)) == [Revoke("a", "too_long", 33.0)]
    assert Granted("a", 2, now_s + 30) in list(floor.request(emergency("a"), now_s))
    assert not list(floor.tick(33.0)), "the gate stays open"
    assert floor.media("a", 33.0)


def test_an_emergency_does_not_wait_after_a_stuck_key() -> None:
    floor = call()
    gate_s = revoked(floor) + 3
    list(floor.tick(gate_s))
    assert list(floor.request(normal("a"), gate_s)) == [Deny("a", "wait")]
    assert Granted("a", 2, gate_s + 30) in list(floor.request(emergency("a"), gate_s))


def test_whoever_waits_is_raised_to_an_emergency_and_cuts_in() -> None:
    floor = call()
    for who in "abc":
        list(floor.request(normal(who), 0.0))
    effects = list(floor.request(emergency("c"), 1.0))
    assert effects[:3] == [Revoke("a", "preempted", 1.0), Stopped("a", 1, "preempted"), Granted("c", 2, 31.0)]
    assert floor.queue == ("b",)


def test_a_full_queue_makes_room_for_an_emergency() -> None:
    floor = Floor(Timers(queue_max=2))
    for who in PEOPLE:
        floor.join(who)
    list(floor.request(emergency("a"), 0.0))
    for who in "bc":
        list(floor.request(normal(who), 0.0))
    assert list(floor.request(normal("d", 255), 0.0)) == [Deny("d", "queue_full")]
    assert list(floor.request(emergency("d"), 0.0)) == [Deny("c", "queue_full"), Position("d", 1), Position("b", 2)]
    list(floor.request(emergency("e"), 0.0))
    assert floor.queue == ("d", "e")


@pytest.mark.parametrize(("who", "cause"), [("e", "receive_only"), ("stranger", "receive_only")])
def test_whoever_has_no_right_to_talk_is_denied(who: str, cause: str) -> None:
    floor = call(listeners="e")
    assert list(floor.request(normal(who), 0.0)) == [Deny(who, cause)]  # type: ignore[arg-type]  # one of the literals


def test_whoever_lost_the_right_to_talk_while_waiting_is_told() -> None:
    floor = call()
    for who in "abc":
        list(floor.request(normal(who), 0.0))
    floor.join("b", may_talk=False)
    effects = list(floor.release("a", 1.0))
    assert effects[1] == Deny("b", "receive_only")
    assert floor.talker == "c"


def test_nobody_talks_to_an_empty_room() -> None:
    floor = Floor()
    floor.join("a")
    assert list(floor.request(normal("a"), 0.0)) == [Deny("a", "alone")]


def test_the_first_who_comes_back_does_not_count_as_alone() -> None:
    floor = Floor(gathers_until_s=3.0)
    floor.join("a")
    assert Granted("a", 1, 30.0) in list(floor.request(normal("a"), 0.0))
    list(floor.release("a", 1.0))
    assert list(floor.request(normal("a"), 3.0)) == [Deny("a", "alone")]


def test_a_talker_that_sends_nothing_loses_the_floor_after_t1() -> None:
    floor = call()
    list(floor.request(normal("a"), 0.0))
    assert floor.due_s() == 4.0
    assert not list(floor.tick(3.99))
    assert list(floor.tick(4.0)) == [Stopped("a", 1, "silent"), Idle()]


def test_who_was_granted_out_of_the_queue_is_told_three_times() -> None:
    floor = call()
    for who in "ab":
        list(floor.request(normal(who), 0.0))
    list(floor.release("a", 1.0))
    assert [type(one) for one in (*floor.tick(2.0), *floor.tick(3.0))] == [Granted, Granted]
    assert Stopped("b", 2, "silent") in floor.tick(4.0)
