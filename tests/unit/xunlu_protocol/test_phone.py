"""What the phone page says survives its WebSocket, and nothing malformed gets in."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_protocol.test_messages import json_values, maybe, names
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.phone import FromPhone, PhoneHello, PhonePing, PhoneReport, decode_from_phone

payloads = st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.integers(-(2**53), 2**53), st.text(max_size=8)))
said = st.one_of(
    st.builds(PhoneHello, caps=st.just(("live", "say_text")), model=st.text(max_size=64)),
    st.builds(
        PhoneReport,
        channel=st.sampled_from(["loc", "loc/hist", "tele", "evt", "rpc"]),
        tail=maybe(names),
        payload=st.one_of(payloads, st.lists(payloads, max_size=3)),
    ),
    st.builds(PhonePing, n=st.integers(0, 2**53)),
)


@given(said)
def test_what_the_page_says_survives_the_wire(message: FromPhone) -> None:
    kept = decode_from_phone(message.model_dump_json().encode())
    assert kept == message


@given(st.binary(max_size=200), json_values)
def test_nothing_raises_anything_but_a_protocol_error(payload: bytes, value: object) -> None:
    with contextlib.suppress(ProtocolError):
        decode_from_phone(payload)
    with contextlib.suppress(ProtocolError):
        PhoneReport.parse(value)


@pytest.mark.parametrize("channel", ["birth", "state", "shadow", "thumb", "../x"])
def test_a_page_reports_on_the_channels_of_reports_alone(channel: str) -> None:
    with pytest.raises(ProtocolError):
        PhoneReport.parse({"t": "report", "channel": channel, "payload": {}})


def test_a_tail_cannot_lead_to_another_topic() -> None:
    with pytest.raises(ProtocolError):
        PhoneReport.parse({"t": "report", "channel": "evt", "tail": "sos/../../other", "payload": {}})
