"""What the port makes of strangers' bytes."""

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.mux import username_of


def check(name: str) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["PRIORITY"] = 1
    request.attributes["USERNAME"] = name
    request.add_message_integrity(b"x" * 24)
    return bytes(request)


@given(st.from_regex(r"[A-Za-z0-9+/]{4,60}:[A-Za-z0-9+/]{4,60}", fullmatch=True))
def test_the_name_of_a_check_is_read_without_parsing_it(name: str) -> None:
    assert username_of(check(name)) == name.encode()


@given(st.binary(max_size=700) | st.binary(max_size=100).map(lambda tail: check("abcd:efgh")[:20] + tail))
def test_garbage_names_nobody_and_breaks_nothing(data: bytes) -> None:
    name = username_of(data)
    assert name is None or len(name) <= 256
