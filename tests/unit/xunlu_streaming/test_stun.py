"""Connectivity checks, against aioice's own messages, and strangers' bytes."""

import contextlib

import pytest
from aioice import stun as aioice
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming import stun

PASSWORD = b"x" * 24
FINGERPRINT_BYTES = 8


def check(name: str = "abcd:efgh", *, nominates: bool = False, password: bytes = PASSWORD) -> bytes:
    request = aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST)
    request.attributes["PRIORITY"] = 1
    request.attributes["USERNAME"] = name
    if nominates:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password)
    return bytes(request)


@given(st.from_regex(r"[A-Za-z0-9+/]{4,60}:[A-Za-z0-9+/]{4,60}", fullmatch=True))
def test_the_name_of_a_check_is_read_without_parsing_it(name: str) -> None:
    assert stun.username_of(check(name)) == name.encode()


@pytest.mark.parametrize("nominates", [False, True])
def test_a_check_is_believed_by_its_password_alone(nominates: bool) -> None:
    read = stun.read_check(check(nominates=nominates))
    assert read is not None
    assert read.nominates is nominates
    assert read.is_of(PASSWORD)
    assert not read.is_of(b"y" * 24)


@pytest.mark.parametrize("address", [("203.0.113.7", 50_000), ("2001:db8::7", 1), ("fe80::1%eth0", 65_535, 0, 2)])
def test_the_answer_is_what_others_understand(address: tuple[str, int]) -> None:
    request = check()
    read = stun.read_check(request)
    assert read is not None
    answer = aioice.parse_message(stun.answer(read, address, PASSWORD))
    assert (answer.message_class, answer.message_method) == (aioice.Class.RESPONSE, aioice.Method.BINDING)
    assert answer.transaction_id == aioice.parse_message(request).transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (address[0].partition("%")[0], address[1])
    assert answer.check_message_integrity(PASSWORD)
    assert "FINGERPRINT" in answer.attributes


def test_what_is_said_behind_the_signature_is_nobodys_word() -> None:
    request = aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST)
    request.add_message_integrity(PASSWORD)
    forged = bytes(request)[:-FINGERPRINT_BYTES] + b"\x00\x25\x00\x00"
    read = stun.read_check(forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:])
    assert read is not None
    assert read.is_of(PASSWORD)
    assert not read.nominates


def test_an_unsigned_check_is_nobodys() -> None:
    read = stun.read_check(bytes(aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST)))
    assert read is not None
    assert not read.is_of(PASSWORD)
    assert not read.is_of(b"")


@given(st.integers(20, 67), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(check())
    data[place] ^= change
    read = None
    with contextlib.suppress(ValueError):
        read = stun.read_check(bytes(data))
    assert read is None or not read.is_of(PASSWORD)


def test_an_answer_is_no_check() -> None:
    read = stun.read_check(check())
    assert read is not None
    assert stun.read_check(stun.answer(read, ("127.0.0.1", 1), PASSWORD)) is None


@given(st.binary(max_size=700) | st.binary(max_size=100).map(lambda tail: check()[:20] + tail))
def test_garbage_names_nobody_and_breaks_nothing(data: bytes) -> None:
    name = stun.username_of(data)
    assert name is None or len(name) <= 256
    if len(data) >= 20:
        with contextlib.suppress(ValueError):
            stun.read_check(data)
