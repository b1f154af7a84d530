"""Messages of push-to-talk survive the wire, and nothing malformed gets in."""

import contextlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_protocol.test_messages import json_values, maybe, milliseconds, names, seconds
from xunlu_protocol import talk, talk_reports, topics
from xunlu_protocol.base import Wire
from xunlu_protocol.errors import ProtocolError

labels = st.text(max_size=64)
priorities = st.integers(0, 255)
urgencies = st.integers(0, 2)
people = st.lists(names, max_size=3).map(tuple)
kinds = st.sampled_from(get_args(talk.GroupKind))
rights = st.lists(st.sampled_from(get_args(talk.Right)), max_size=5).map(tuple)
peers = st.builds(talk.Peer, id=names, name=labels, number=maybe(labels), did=maybe(names))
infos = st.lists(st.builds(talk.GroupInfo, gid=names, name=labels, kind=kinds, duplex=st.booleans()), max_size=3).map(
    tuple
)
grants = st.integers(0, 2**53)
claims = st.builds(
    talk.TalkClaims,
    sub=names,
    jti=names,
    name=labels,
    number=maybe(labels),
    did=maybe(names),
    priority=priorities,
    rights=rights,
    path=maybe(st.just("/1/4/")),
    iat=seconds,
    exp=seconds,
)
groups = st.builds(
    talk.TalkGroup,
    gid=names,
    name=labels,
    kind=kinds,
    path=st.just("/1/"),
    members=people,
    listeners=people,
    duplex=st.booleans(),
    until=maybe(seconds),
)
floors = st.builds(
    talk.FloorState,
    gid=names,
    talker=maybe(names),
    urgency=urgencies,
    epoch=grants,
    until=maybe(milliseconds),
    tms=milliseconds,
)
invitations = st.builds(
    talk.TalkInvitation, url=st.just("wss://x/ptt"), token=st.text(max_size=50), main=maybe(names), scan=people
)
entries = st.builds(
    talk_reports.FloorEntry,
    id=names,
    gid=names,
    tms=milliseconds,
    what=labels,
    who=names,
    by=maybe(names),
    grant=maybe(grants),
)
bursts = st.builds(
    talk_reports.BurstReport,
    id=names,
    gid=names,
    talker=names,
    did=maybe(names),
    grant=grants,
    file=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}", fullmatch=True),
    started_ms=milliseconds,
    ended_ms=milliseconds,
    size_bytes=st.integers(0),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    complete=st.booleans(),
)
logs = st.builds(talk_reports.TalkLog, entries=st.lists(entries, max_size=3).map(tuple))
acks = st.builds(talk_reports.TalkAck, entries=people, bursts=people)
retained = st.one_of(claims, groups, floors, invitations, logs, bursts, acks)
from_clients = st.one_of(
    st.builds(talk.Hello, token=st.text(max_size=20), sdp=st.text(max_size=20), main=maybe(names), scan=people),
    st.builds(talk.Tune, main=maybe(names), scan=people),
    st.builds(talk.Renew, token=st.text(max_size=20)),
    st.builds(talk.FloorRequest, gid=names, urgency=urgencies, wait=st.booleans()),
    st.builds(talk.FloorRelease, gid=names),
    st.builds(talk.TakeDown, gid=names),
    st.builds(talk.Ping, n=st.integers(0, 2**53)),
)
from_servers = st.one_of(
    st.builds(talk.Welcome, sdp=st.text(max_size=20), you=peers, rights=rights, groups=infos),
    st.builds(talk.Groups, groups=infos),
    st.builds(talk.Granted, gid=names, grant=grants, left_s=st.floats(0, 60)),
    st.builds(talk.Taken, gid=names, grant=grants, talker=peers, urgency=urgencies, priority=priorities),
    st.builds(talk.Idle, gid=names),
    st.builds(talk.Deny, gid=names, cause=st.sampled_from(get_args(talk.DenyCause))),
    st.builds(talk.Position, gid=names, position=st.integers(1, 20)),
    st.builds(talk.Revoke, gid=names, cause=st.sampled_from(get_args(talk.RevokeCause)), left_s=st.floats(0, 60)),
    st.builds(talk.Members, gid=names, online=st.lists(peers, max_size=3).map(tuple)),
    st.builds(talk.Hears, gid=maybe(names)),
    st.builds(talk.Pong, n=st.integers(0, 2**53)),
    st.builds(talk.Problem, slug=labels, detail=labels, final=st.booleans()),
)


@given(retained)
def test_what_the_broker_carries_survives_the_wire(message: Wire) -> None:
    assert type(message).decode(message.encode()) == message


@given(from_clients, from_servers)
def test_both_sides_of_a_session_survive_the_wire(asked: talk.ClientMessage, told: talk.ServerMessage) -> None:
    assert talk.from_client(asked.encode()) == asked
    assert talk.from_server(told.encode()) == told


@given(st.binary(max_size=200), json_values)
def test_nothing_raises_anything_but_a_protocol_error(payload: bytes, value: object) -> None:
    for read in (
        talk.from_client,
        talk.from_server,
        talk_reports.TalkLog.decode,
        talk.FloorState.decode,
        talk_reports.BurstReport.decode,
    ):
        with contextlib.suppress(ProtocolError):
            read(payload)
    for kind in (talk.TalkClaims, talk.TalkGroup, talk.FloorState, talk.TalkInvitation, talk_reports.BurstReport):
        with contextlib.suppress(ProtocolError):
            kind.parse(value)


def test_one_side_does_not_speak_for_the_other() -> None:
    with pytest.raises(ProtocolError):
        talk.from_client(talk.Granted(gid="g", grant=1, left_s=1).encode())
    with pytest.raises(ProtocolError):
        talk.from_server(talk.FloorRequest(gid="g").encode())


def test_a_token_of_live_video_is_none_of_the_radio_net() -> None:
    said = {"sub": "R1", "jti": "j", "name": "x", "iat": 1, "exp": 2}
    assert talk.TalkClaims.parse(said).aud == talk.TALK_AUDIENCE
    with pytest.raises(ProtocolError):
        talk.TalkClaims.parse(said | {"aud": "xunlu-streaming"})


def test_an_invitation_leads_to_a_websocket() -> None:
    for url in ("http://x/ptt", "ws://a b/ptt", "javascript:x"):
        with pytest.raises(ProtocolError):
            talk.TalkInvitation.parse({"url": url, "token": "t"})


def test_a_device_knows_the_topic_of_its_invitation() -> None:
    assert topics.parse_down(topics.down("main", "R1", "talk")) == ("talk", "")
