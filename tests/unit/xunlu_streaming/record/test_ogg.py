"""Ogg Opus that every player takes: its pages are right to the bit, and time in the file is time."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rtp_media import sounds
from xunlu_streaming.record.ogg import CLOCK_HZ, PRE_SKIP, OggOpus
from xunlu_streaming.record.opus import duration_us

STEP = CLOCK_HZ // 50
BEGINS, ENDS = 2, 4


@dataclass(frozen=True)
class Page:
    """A page as RFC 3533 §6 describes it."""

    flags: int
    granule: int
    serial: int
    number: int
    packets: list[bytes]


def pages(data: bytes) -> Iterator[Page]:
    """Take pages apart and check each one's CRC, bit by bit as the RFC says it."""
    at = 0
    while at < len(data):
        magic, version, flags, granule, serial, number, crc, count = struct.unpack_from("<4sBBqIIIB", data, at)
        assert (magic, version) == (b"OggS", 0)
        lacing = data[at + 27 : at + 27 + count]
        end = at + 27 + count + sum(lacing)
        assert crc == slow_crc(data[at : at + 22] + bytes(4) + data[at + 26 : end])
        packets, begin, length = [], at + 27 + count, 0
        for one in lacing:
            length += one
            if one < 255:
                packets.append(data[begin : begin + length])
                begin, length = begin + length, 0
        assert begin == end, "no packet goes over a page's end"
        yield Page(flags, granule, serial, number, packets)
        at = end


def slow_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return crc


def written(arrivals: list[tuple[int, bytes]], flushes: frozenset[int] = frozenset()) -> bytes:
    """A file of packets of 20 ms and their places, with pages that end where `flushes` says."""
    writer = OggOpus(7, {"TITLE": "g-1", "ARTIST": "REC-1"})
    out = b""
    for number, (at, packet) in enumerate(arrivals):
        out += writer.put(at, packet, STEP)
        if number in flushes:
            out += writer.flush()
    return out + writer.close()


def decoded_s(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / CLOCK_HZ


@settings(max_examples=40, deadline=None)
@given(
    missing=st.sets(st.integers(1, 198), max_size=150),
    pauses=st.dictionaries(st.integers(1, 199), st.integers(1, 100), max_size=3),
    flushes=st.frozensets(st.integers(0, 199), max_size=20),
)
def test_losses_and_pauses_keep_their_length(
    missing: set[int], pauses: dict[int, int], flushes: frozenset[int]
) -> None:
    arrivals, at = [], 0
    for number, packet in enumerate(sounds(200)):
        # A pause of DTX ends at any multiple of 2.5 ms where the talker's encoder changes its frames.
        at += pauses.get(number, 0) * STEP // 8
        if number not in missing:
            arrivals.append((at, packet))
        at += STEP
    data = written(arrivals, flushes)
    found = list(pages(data))
    assert [page.number for page in found] == list(range(len(found)))
    assert {page.serial for page in found} == {7}
    assert [page.flags for page in found] == [BEGINS, *(0 for _ in found[2:]), ENDS]
    samples = 0
    for page in found[2:]:
        # RFC 7845 §4.1: a granule position counts nothing but the samples of packets that are there.
        samples += sum(lasting(packet) for packet in page.packets)
        assert page.granule == (samples if page.packets else -1)
    kept = [packet for page in found[2:] for packet in page.packets if len(packet) > 2]
    assert kept == [packet for _, packet in arrivals if len(packet) > 2]
    length = arrivals[-1][0] + STEP
    assert samples == pytest.approx(length, abs=CLOCK_HZ // 400)
    assert decoded_s(data) == pytest.approx(length / CLOCK_HZ, abs=0.02)


def lasting(packet: bytes) -> int:
    lasts_us = duration_us(packet)
    assert lasts_us is not None
    return lasts_us * CLOCK_HZ // 1_000_000


def test_the_header_says_how_to_play_it_and_what_it_is() -> None:
    head, tags, *_ = pages(written([(0, sounds(1)[0])]))
    assert head.packets == [b"OpusHead" + struct.pack("<BBHIhB", 1, 1, PRE_SKIP, 48_000, 0, 0)]
    [comments] = tags.packets
    assert comments.startswith(b"OpusTags")
    with av.open(io.BytesIO(written([(0, sounds(1)[0])]))) as container:
        assert container.streams[0].metadata == {"TITLE": "g-1", "ARTIST": "REC-1"}


def test_a_file_that_ends_after_any_page_plays_up_to_there() -> None:
    whole = written([(n * STEP, packet) for n, packet in enumerate(sounds(200))], frozenset({30, 90}))
    ends, at = [], 0
    while at < len(whole):
        count = whole[at + 26]
        at += 27 + count + sum(whole[at + 27 : at + 27 + count])
        ends.append(at)
    assert [decoded_s(whole[:end]) for end in ends[2:]] == pytest.approx([0.62, 1.82, 3.82, 4.0], abs=0.02)


@given(st.lists(st.tuples(st.integers(0, 5 * CLOCK_HZ), st.binary(min_size=1, max_size=1300)), max_size=60))
def test_no_packets_at_no_times_make_a_page_that_is_wrong(arrivals: list[tuple[int, bytes]]) -> None:
    writer = OggOpus(1, {})
    data = b"".join(writer.put(at, packet, STEP) for at, packet in arrivals) + writer.close()
    found = list(pages(data))
    assert bool(found) == bool(arrivals)
    assert writer.position >= max((at for at, _ in arrivals), default=0)
    given_back = [packet for page in found[2:] for packet in page.packets]
    assert [packet for packet in given_back if len(packet) > 2] == [packet for _, packet in arrivals if len(packet) > 2]


def test_long_packets_of_the_largest_size_stay_on_their_page() -> None:
    data = written([(n * STEP, bytes((0xFC,)) * 16_000) for n in range(20)])
    assert [len(page.packets) for page in pages(data)] == [1, 1, 4, 4, 4, 4, 4]
