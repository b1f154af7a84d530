"""A group as the talk server is told of it, when its units have grown beyond what one message holds."""

import logging

import pytest

from xunlu_platform.dispatch.talk_groups import group_message
from xunlu_platform.store.store import Row
from xunlu_protocol.talk import MEMBERS_MAX, TalkGroup


def grown(gid: str, people: int) -> Row:
    """A broadcast of the account 7, which comes last by name, to so many recorders."""
    listeners = [f"d-{n:05}" for n in range(people)]
    kind = {"gid": gid, "name": "台风预警", "kind": "broadcast", "path": "/1/", "duplex": False, "until": None}
    return {**kind, "members": [*listeners, "u-7"], "listeners": listeners}


def test_whoever_may_talk_stays_in_a_group_that_grew_too_large() -> None:
    told = TalkGroup.decode(group_message(grown("broadcast-1", MEMBERS_MAX)))
    assert len(told.members) == MEMBERS_MAX
    assert {*told.members} - {*told.listeners} == {"u-7"}


def test_how_many_are_left_out_is_said_once_for_each_number(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for people in (MEMBERS_MAX, MEMBERS_MAX, MEMBERS_MAX + 4, MEMBERS_MAX - 1):
            group_message(grown("broadcast-2", people))
    assert [record.__dict__["count"] for record in caplog.records] == [1, 5]
