"""Header extensions of both forms are read as aiortc writes them, and renumbered where they lie."""

from aiortc.rtp import pack_header_extensions, unpack_header_extensions
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming import extensions

short = st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), min_size=1, max_size=8)
long = st.dictionaries(st.integers(1, 255), st.binary(max_size=40), min_size=1, max_size=8)
elements = (short | long).map(lambda found: list(found.items()))
sources = st.integers(0, 15)


def packet_of(found: list[tuple[int, bytes]], csrcs: int = 0) -> bytearray:
    profile, value = pack_header_extensions(found)
    head = bytes([0x90 | csrcs, 96]) + bytes(10) + bytes(4 * csrcs)
    return bytearray(head + profile.to_bytes(2) + (len(value) // 4).to_bytes(2) + value + b"payload")


def seen_in(packet: bytes | bytearray, csrcs: int = 0) -> list[tuple[int, bytes]]:
    view = memoryview(packet)
    return [(number, bytes(view[at : at + size])) for number, at, size in extensions.read(view, 12 + 4 * csrcs)]


def by_aiortc(packet: bytes | bytearray, csrcs: int = 0) -> list[tuple[int, bytes]]:
    at = 12 + 4 * csrcs
    words = int.from_bytes(packet[at + 2 : at + 4])
    return unpack_header_extensions(int.from_bytes(packet[at : at + 2]), bytes(packet[at + 4 : at + 4 + 4 * words]))


@given(elements, sources)
def test_what_aiortc_writes_is_read(found: list[tuple[int, bytes]], csrcs: int) -> None:
    assert seen_in(packet_of(found, csrcs), csrcs) == found


@given(elements, sources, st.dictionaries(st.integers(1, 255), st.none() | st.integers(0, 300), max_size=8))
def test_ids_change_in_place_and_what_finds_no_room_becomes_padding(
    found: list[tuple[int, bytes]], csrcs: int, ids: dict[int, int | None]
) -> None:
    packet = packet_of(found, csrcs)
    before = bytes(packet)
    room = 14 if before[12 + 4 * csrcs] == 0xBE else 255
    extensions.renumber(packet, ids)
    expected = []
    for number, value in found:
        wanted = ids.get(number, number)
        if wanted is not None and 0 < wanted <= room:
            expected.append((wanted, value))
    assert len(packet) == len(before)
    assert seen_in(packet, csrcs) == by_aiortc(packet, csrcs) == expected
    assert packet.endswith(b"payload")
    assert packet[: 12 + 4 * csrcs] == before[: 12 + 4 * csrcs]


def test_ids_may_change_places() -> None:
    packet = packet_of([(1, b"a"), (2, b"bb")])
    extensions.renumber(packet, {1: 2, 2: 1})
    assert seen_in(packet) == [(2, b"a"), (1, b"bb")]


def test_padding_between_elements_is_skipped() -> None:
    packet = bytes([0x90]) + bytes(11) + bytes.fromhex("bede0002 10aa0000 20bb0000")
    assert seen_in(packet) == [(1, b"\xaa"), (2, b"\xbb")]


def test_the_reserved_id_ends_the_reading() -> None:
    assert seen_in(bytes([0x90]) + bytes(11) + bytes.fromhex("bede0002 10aaf0bb 20cc0000")) == [(1, b"\xaa")]
    assert seen_in(bytes([0x90]) + bytes(11) + bytes.fromhex("bede0002 10aa0100 20cc0000")) == [(1, b"\xaa")]


def test_the_bits_of_the_application_do_not_matter() -> None:
    assert seen_in(bytes([0x90]) + bytes(11) + bytes.fromhex("100f0001 1101aa00")) == [(0x11, b"\xaa")]


def test_another_profile_is_left_alone() -> None:
    packet = bytearray(bytes([0x90]) + bytes(11) + bytes.fromhex("abac0001 10aa0000"))
    before = bytes(packet)
    extensions.renumber(packet, {1: 2})
    assert packet == before
    assert seen_in(packet) == []


def test_lengths_that_lead_out_of_it_are_not_followed() -> None:
    head = bytes([0x90]) + bytes(11)
    assert seen_in(head + bytes.fromhex("bede0002 10aa0000")) == []
    assert seen_in(head + bytes.fromhex("bede0001 10aa2fbb")) == [(1, b"\xaa")]
    assert seen_in(head + bytes.fromhex("10000001 01ffaabb")) == []
    assert seen_in(head + bytes.fromhex("10000001 000000aa")) == []
    assert seen_in(head + b"\xbe\xde") == []


@given(st.binary(max_size=100), st.sampled_from([b"\xbe\xde", b"\x10\x00", b"\xab\xac"]), st.integers(0, 255))
def test_garbage_is_read_and_renumbered_within_its_bounds(tail: bytes, form: bytes, first: int) -> None:
    for packet in (bytearray(tail), bytearray(bytes([first]) + bytes(11) + form + tail)):
        before = bytes(packet)
        for _, at, size in extensions.read(packet, 12):
            assert 12 < at <= at + size <= len(packet)
        extensions.renumber(packet, dict.fromkeys(range(1, 256)))
        assert len(packet) == len(before)
        if before and not before[0] & 0x10:
            assert packet == before
