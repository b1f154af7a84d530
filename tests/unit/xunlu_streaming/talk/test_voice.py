"""What a listener gets: one stream for good, whoever talks; gaps where packets were lost, leaps where nobody spoke."""

import socket
import struct
from collections.abc import Iterator

import pytest

from tests.unit.xunlu_streaming.test_fanout import Receiver
from xunlu_streaming.talk.voice import Downlink, Sound, VoiceStage, payload_of

HEADER = struct.Struct("!BBHII")


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        made = [Receiver(sock), Receiver(sock, tag_bytes=10)]
        yield made
        for one in made:
            one.end.close()


def downlink(receiver: Receiver, payload_type: int = 111) -> Downlink:
    return Downlink(0x1234, payload_type, receiver)  # type: ignore[arg-type]  # Sending has what Keys has


def heard(receiver: Receiver, count: int) -> list[tuple[int, int, int, bytes]]:
    """Marker, sequence number, time and payload of the packets."""
    packets = receiver.take(count)
    fields = [HEADER.unpack_from(packet) for packet in packets]
    assert {(one[0], one[4]) for one in fields} == {(0x80, 0x1234)}
    return [(one[1] >> 7, one[2], one[3], packet[12:]) for one, packet in zip(fields, packets, strict=True)]


def test_numbers_go_on_across_talkers_and_the_time_between_is_kept(receivers: list[Receiver]) -> None:
    stage, one = VoiceStage(), downlink(receivers[0])
    stage.send(Sound(70_000, 5, b"a1"), [one], 10.0)
    stage.send(Sound(70_001, 965, b"a2"), [one], 10.02)
    one.turn()
    stage.send(Sound(3, 4_000_000_000, b"b1"), [one], 12.02)
    stage.send(Sound(4, 4_000_000_960, b"b2"), [one], 12.04)
    (m1, s1, t1, _), (m2, s2, t2, _), (m3, s3, t3, _), (m4, s4, t4, last) = heard(receivers[0], 4)
    assert (m1, m2, m3, m4) == (1, 0, 1, 0), "the marker tells of a burst's first packet"
    assert [(s - s1) & 0xFFFF for s in (s2, s3, s4)] == [1, 2, 3]
    assert [(t - t1) & 0xFFFF_FFFF for t in (t2, t3, t4)] == [960, 960 + 2 * 48_000, 1920 + 2 * 48_000]
    assert last == b"b2"


def test_what_the_talker_lost_stays_a_gap_and_pauses_stay_leaps(receivers: list[Receiver]) -> None:
    stage, one = VoiceStage(), downlink(receivers[0])
    for number, stamp in ((100, 0), (103, 2880), (104, 22_080)):
        stage.send(Sound(number, stamp, b"x"), [one], 1.0)
    (_, s1, t1, _), (_, s2, t2, _), (_, s3, t3, _) = heard(receivers[0], 3)
    assert [(s - s1) & 0xFFFF for s in (s2, s3)] == [3, 4]
    assert [(t - t1) & 0xFFFF_FFFF for t in (t2, t3)] == [2880, 22_080]


def test_what_is_older_than_the_listeners_first_packet_is_left_out(receivers: list[Receiver]) -> None:
    stage, one = VoiceStage(), downlink(receivers[0])
    for number in (100, 99, 101):
        stage.send(Sound(number, 960 * number, b"%d" % number), [one], 1.0)
    assert [payload for *_, payload in heard(receivers[0], 2)] == [b"100", b"101"]


def test_every_listener_gets_its_own_payload_type_and_encryption(receivers: list[Receiver]) -> None:
    stage = VoiceStage()
    audience = [downlink(receivers[0], 111), downlink(receivers[1], 96)]
    stage.send(Sound(1, 1, b"sound"), audience, 1.0)
    for receiver, payload_type in zip(receivers, (111, 96), strict=True):
        [packet] = receiver.take(1)
        assert packet[1] & 0x7F == payload_type
        assert packet[12:] == b"sound"
    assert (stage.sent, stage.failed, stage.unsent) == (2, 0, 0)


@pytest.mark.parametrize(
    ("first", "rest", "payload"),
    [
        (0x80, b"opus", b"opus"),
        (0x81, b"csrcopus", b"opus"),
        (0x90, b"\xbe\xde\x00\x01abcdopus", b"opus"),
        (0xA0, b"opus\x00\x00\x03", b"opus"),
        (0x90, b"\xbe\xde\xff\xffabcd", b""),
        (0xA0, b"\xff", b""),
    ],
)
def test_the_payload_is_found_behind_whatever_lies_in_front(first: int, rest: bytes, payload: bytes) -> None:
    assert payload_of(HEADER.pack(first, 111, 1, 1, 1) + rest) == payload
