"""The push-to-talk key: what it says to the floor, and what the officer hears."""

import pytest

from xunlu_edge.talk.key import ANSWER_S_MAX, Key
from xunlu_protocol.talk import Deny, FloorRelease, FloorRequest, Granted, Idle, Position, Revoke

ASK = FloorRequest(gid="g")
SOS = FloorRequest(gid="g", urgency=2)
LET_GO = FloorRelease(gid="g")


def granted(grant: int = 1, gid: str = "g") -> Granted:
    return Granted(gid=gid, grant=grant, left_s=30)


def pressed() -> Key:
    key = Key()
    assert key.press("g", 0, 10.0) == [ASK]
    return key


def talking() -> Key:
    key = pressed()
    assert key.take(granted()) == ["permit"]
    assert key.is_talking
    return key


def test_a_press_asks_and_a_grant_permits_until_the_key_comes_up() -> None:
    key = talking()
    assert key.let_go() == [LET_GO]
    assert not key.is_talking


def test_an_emergency_is_asked_for_as_one() -> None:
    assert Key().press("g", 2, 0.0) == [FloorRequest(gid="g", urgency=2)]


def test_a_denied_key_must_be_let_go_before_it_asks_again() -> None:
    key = pressed()
    assert key.take(Deny(gid="g", cause="taken")) == ["deny"]
    assert key.press("g", 0, 11.0) == []
    assert key.let_go() == []
    assert key.press("g", 0, 12.0) == [ASK]


def test_whoever_waits_hears_it_once_and_may_be_granted_later() -> None:
    key = pressed()
    assert key.take(Position(gid="g", position=2)) == ["queued"]
    assert key.take(Position(gid="g", position=1)) == []
    assert key.take(granted()) == ["permit"]


def test_a_grant_that_comes_after_the_key_went_up_is_given_back() -> None:
    key = pressed()
    assert key.let_go() == [LET_GO]
    assert key.take(granted()) == [LET_GO]
    assert not key.is_talking


@pytest.mark.parametrize("cause", ["too_long", "preempted", "taken_down"])
def test_a_talker_revoked_without_grace_stops_at_once_and_lets_the_floor_go(cause: str) -> None:
    key = talking()
    assert key.take(Revoke.parse({"gid": "g", "cause": cause})) == ["revoke", LET_GO]
    assert not key.is_talking
    assert key.let_go() == []


def test_a_talker_revoked_with_grace_is_told_once_and_talks_until_its_end() -> None:
    key = talking()
    revoke = Revoke(gid="g", cause="too_long", left_s=3)
    assert key.take(revoke) == ["ending"]
    assert key.is_talking
    assert key.take(revoke.model_copy(update={"left_s": 2})) == [], "what is repeated is not told again"
    assert key.grace_is_over() == ["revoke", LET_GO]
    assert key.state == "refused"
    assert key.grace_is_over() == []


def test_whoever_lets_go_within_the_grace_hears_no_more() -> None:
    key = talking()
    key.take(Revoke(gid="g", cause="too_long", left_s=3))
    assert key.let_go() == [LET_GO]
    assert key.grace_is_over() == []
    assert key.state == "up"


def test_a_connection_lost_within_the_grace_ends_it() -> None:
    key = talking()
    key.take(Revoke(gid="g", cause="too_long", left_s=3))
    assert key.lost() == ["revoke"]
    assert key.state == "refused"


def test_a_floor_that_fell_idle_is_ours_no_more() -> None:
    key = talking()
    assert key.take(Idle(gid="g")) == ["revoke"]
    assert not key.is_talking


def test_an_sos_while_the_key_waits_asks_again_as_an_emergency() -> None:
    key = pressed()
    key.take(Position(gid="g", position=2))
    assert key.escalate("g", 2, 11.0) == [SOS]
    assert key.is_unanswered(11.1 + ANSWER_S_MAX)
    assert key.escalate("g", 2, 12.0) == [], "once"
    assert key.take(granted()) == ["permit"]
    key.lost()
    assert key.joined(20.0) == [SOS]


def test_an_sos_while_talking_asks_again_and_interrupts_nothing() -> None:
    key = talking()
    assert key.escalate("g", 2, 11.0) == [SOS]
    assert key.is_talking
    assert key.take(granted(2)) == []
    assert key.is_talking


def test_an_sos_within_the_grace_saves_the_floor() -> None:
    key = talking()
    key.take(Revoke(gid="g", cause="too_long", left_s=3))
    assert key.escalate("g", 2, 11.0) == [SOS]
    assert key.take(granted(2)) == ["permit"]
    assert key.grace_is_over() == []
    assert key.is_talking


def test_an_sos_asks_for_a_key_that_was_refused_and_is_still_held() -> None:
    key = pressed()
    key.take(Deny(gid="g", cause="taken"))
    assert key.escalate("h", 2, 11.0) == [FloorRequest(gid="h", urgency=2)]
    assert key.take(granted(gid="h")) == ["permit"]


def test_an_sos_says_nothing_while_the_key_is_up() -> None:
    assert Key().escalate("g", 2, 0.0) == []


def test_the_key_stays_in_the_group_in_which_it_began() -> None:
    key = talking()
    assert key.tune({"call", "g"}) == []
    assert key.escalate("call", 2, 11.0) == [SOS]


@pytest.mark.parametrize(("key", "signal"), [(pressed(), "deny"), (talking(), "revoke")])
def test_a_key_that_is_held_in_a_group_that_is_over_must_be_let_go(key: Key, signal: str) -> None:
    assert key.tune({"h", None}) == [signal]
    assert key.state == "refused"
    assert key.let_go() == []
    assert key.press("h", 0, 12.0) == [FloorRequest(gid="h")]


def test_each_group_numbers_its_grants_for_itself() -> None:
    key = pressed()
    key.take(granted(7))
    key.let_go()
    key.press("h", 0, 11.0)
    assert key.take(granted(3, gid="h")) == ["permit"]
    assert key.stale == 0


def test_a_smaller_grant_than_before_is_ignored() -> None:
    key = pressed()
    key.take(granted(7))
    key.let_go()
    key.press("g", 0, 11.0)
    assert key.take(granted(6)) == []
    assert not key.is_talking
    assert key.stale == 1


def test_what_concerns_another_group_changes_nothing() -> None:
    key = talking()
    assert key.take(Revoke(gid="other", cause="preempted")) == []
    assert key.take(Idle(gid="other")) == []
    assert key.is_talking


def test_a_key_that_is_held_across_a_lost_connection_asks_again() -> None:
    key = talking()
    assert key.lost() == ["revoke"]
    assert not key.is_talking
    assert key.joined(20.0) == [ASK]
    assert key.take(granted(2)) == ["permit"]


def test_without_a_group_or_a_connection_the_officer_hears_no() -> None:
    key = Key()
    assert key.press(None, 0, 0.0) == ["deny"]
    assert key.let_go() == []


def test_a_request_without_an_answer_is_noticed() -> None:
    key = pressed()
    assert not key.is_unanswered(10.0 + ANSWER_S_MAX)
    assert key.is_unanswered(10.1 + ANSWER_S_MAX)
