"""Who may be in a group, and how much their word weighs."""

from typing import Any

import pytest

from xunlu_protocol.talk import TalkClaims, TalkGroup
from xunlu_streaming.talk.access import Access, Roll, access_of, claim_of, may_call_emergency

NOW_S = 1_800_000_000


def claims(**more: Any) -> TalkClaims:
    return TalkClaims.parse({"sub": "u-1", "jti": "j", "name": "Lin", "iat": NOW_S, "exp": NOW_S + 60} | more)


def roll(**more: Any) -> Roll:
    spec = {"gid": "g", "name": "squad", "kind": "squad", "path": "/1/3/", "members": ["m"]}
    return Roll(TalkGroup.parse(spec | more))


TALK = Access(may_talk=True)
MEMBER, LISTENER = Access(may_talk=True, member=True), Access(may_talk=False, member=True)
SPY = Access(may_talk=False, listening_in=True)


@pytest.mark.parametrize(
    ("token", "spec", "access"),
    [
        ({"sub": "m"}, {}, MEMBER),
        ({"sub": "m"}, {"listeners": ["m"]}, LISTENER),
        ({"sub": "m"}, {"until": NOW_S}, None),
        ({}, {}, None),
        ({"path": "/1/"}, {}, TALK),
        ({"path": "/1/3/"}, {}, TALK),
        ({"path": "/1/30/"}, {}, None),
        ({"path": "/1/"}, {"kind": "broadcast"}, None),
        ({"path": "/1/", "rights": ["listen_in"]}, {"kind": "broadcast"}, SPY),
        ({"path": "/1/", "rights": ["broadcast"]}, {"kind": "broadcast"}, TALK),
        ({"path": "/1/"}, {"kind": "private"}, None),
        ({"path": "/1/", "rights": ["listen_in"]}, {"kind": "private"}, SPY),
        ({"path": "/1/", "rights": ["barge"]}, {"kind": "private"}, Access(may_talk=True, listening_in=True)),
    ],
)
def test_membership_path_and_rights_decide(token: dict[str, Any], spec: dict[str, Any], access: Access | None) -> None:
    assert access_of(claims(**token), roll(**spec), NOW_S) == access


def test_without_the_right_to_barge_in_a_high_priority_does_not_count() -> None:
    assert claim_of(claims(priority=200), 0).priority == 127
    assert claim_of(claims(priority=90), 0).priority == 90
    assert claim_of(claims(priority=200, rights=["barge"]), 0).priority == 200


def test_members_and_whoever_has_the_right_call_an_emergency() -> None:
    assert may_call_emergency(claims(sub="m"), roll())
    assert may_call_emergency(claims(rights=["emergency"]), roll())
    assert not may_call_emergency(claims(rights=["barge"], path="/"), roll())
