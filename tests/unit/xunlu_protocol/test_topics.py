"""Topics: who writes what."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.topics import (
    Channel,
    UpTopic,
    down,
    down_filter,
    parse_down,
    parse_owntracks,
    parse_up,
    up,
)

names = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(names, names, st.sampled_from(get_args(Channel)), names, st.sampled_from(["d", "s"]))
def test_what_a_device_writes_reads_back(tenant: str, did: str, channel: Channel, tail: str, kind: str) -> None:
    tail = tail if channel in ("evt", "rpc") else ""
    topic = up(tenant, did, channel, tail, kind="d" if kind == "d" else "s")
    assert parse_up(topic) == UpTopic(tenant, "d" if kind == "d" else "s", did, channel, tail)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "xunlu/v2/main/d/d1/up/loc",
        "xunlu/v1/main/g/d1/up/loc",
        "xunlu/v1/main/d/d1/dn/ack",
        "xunlu/v1/main/d/d1/up",
        "xunlu/v1/main/d/d1/up/fly",
        "xunlu/v1/main/d/d1/up/loc/live",
        "xunlu/v1/main/d/d1/up/evt",
        "xunlu/v1/main/d/d1/up/evt/sos/now",
        "xunlu/v1/main/d/a b/up/loc",
        "xunlu/v1//d/d1/up/loc",
        "xunlu/v1/main/d/" + "x" * 65 + "/up/loc",
    ],
)
def test_a_topic_that_is_not_ours_is_refused(topic: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_up(topic)
    assert caught.value.reason == "topic"


def test_what_the_server_writes_reads_back() -> None:
    assert parse_down(down("main", "d1", "ack")) == ("ack", "")
    assert parse_down(down("main", "d1", "shadow")) == ("shadow", "")
    assert parse_down(down("main", "d1", "rpc", "r-1", kind="s")) == ("rpc", "r-1")
    assert down("main", "d1", "ack").startswith(down_filter("main", "d1").removesuffix("#"))


@pytest.mark.parametrize("tail", ["up/loc", "dn/rpc", "dn/ack/x", "dn/rpc/a b", "dn/later"])
def test_what_the_server_may_add_later_is_refused_by_name(tail: str) -> None:
    with pytest.raises(ProtocolError):
        parse_down(f"xunlu/v1/main/d/d1/{tail}")


def test_owntracks_names_user_and_device() -> None:
    assert parse_owntracks("owntracks/wang/phone") == ("wang", "phone")
    for topic in ("owntracks/wang", "owntracks/wang/phone/event", "owntracks/wa ng/phone", "other/wang/phone"):
        with pytest.raises(ProtocolError):
            parse_owntracks(topic)
