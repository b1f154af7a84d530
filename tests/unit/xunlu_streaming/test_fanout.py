"""The inner loop sends each receiver every packet, whole, encrypted, and in order."""

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from xunlu_streaming import fanout
from xunlu_streaming.fanout import SEGMENTED_BYTES_MAX, SEGMENTS_MAX, Stage, end_of_run

PROFILES = {16: Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 10: Policy.SRTP_PROFILE_AES128_CM_SHA1_80}


def packet(seq: int, size: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, seq, 3600 * seq, 0x1234) + bytes([seq & 0xFF]) * (size - 12)


class Sending:
    """A receiver's keys as the inner loop reads them."""

    def __init__(self, tag_bytes: int) -> None:
        key = os.urandom(44 if tag_bytes == 16 else 30)
        profile = PROFILES[tag_bytes]
        policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        policy.window_size = 1024  # aiortc's, as test_adapter holds it to
        self._session = Session(policy)
        self.send = self._session._srtp[0]
        self.tag_bytes = tag_bytes
        self.other = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))


class Receiver:
    """A real socket at the other end."""

    def __init__(self, sock: socket.socket, tag_bytes: int = 16) -> None:
        self.end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.end.bind(("127.0.0.1", 0))
        self.end.settimeout(2)
        self.keys = Sending(tag_bytes)
        self.sock = sock
        self.address = self.end.getsockname()
        self.unsent = 0

    def take(self, count: int) -> list[bytes]:
        return [self.keys.other.unprotect(self.end.recv(2000)) for _ in range(count)]


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield one


@pytest.fixture
def receivers(sock: socket.socket) -> Iterator[list[Receiver]]:
    made = [Receiver(sock), Receiver(sock), Receiver(sock, tag_bytes=10)]
    yield made
    for one in made:
        one.end.close()


@pytest.mark.parametrize("segmented", [True, False])
@pytest.mark.parametrize("sizes", [[200], [1100] * 9 + [300], [100, 1200, 1200, 50, 1200], [12, 13, 12], [60] * 130])
def test_every_receiver_gets_every_packet(sizes: list[int], segmented: bool, receivers: list[Receiver]) -> None:
    stage = Stage()
    stage.segmented = segmented
    packets = [packet(seq, size) for seq, size in enumerate(sizes, 1)]
    stage.send(packets, receivers)  # type: ignore[arg-type]  # Sending has what Keys has
    assert [one.take(len(packets)) for one in receivers] == [packets] * 3
    assert stage.failed == 0


def test_what_could_not_be_encrypted_does_not_go_out(receivers: list[Receiver]) -> None:
    stage = Stage()
    for _ in range(2):
        stage.send([packet(1, 200)], receivers[:1])  # type: ignore[arg-type]
    assert receivers[0].take(1) == [packet(1, 200)]
    assert stage.failed == 1, "the same number once more, which this session does not allow"
    receivers[0].end.setblocking(False)
    with pytest.raises(BlockingIOError):
        receivers[0].end.recv(2000)


def test_a_kernel_that_cannot_segment_is_asked_once_and_nothing_is_lost(receivers: list[Receiver]) -> None:
    class Old:
        """A socket of a kernel without segmentation."""

        def __init__(self, real: socket.socket) -> None:
            self.real = real

        def sendmsg(self, buffers: Any, control: Any, flags: int, address: Any) -> int:
            if control:
                raise OSError(5, "Input/output error")
            return self.real.sendmsg(buffers, control, flags, address)

        def sendto(self, data: memoryview, address: Any) -> int:
            return self.real.sendto(data, address)

    stage, packets = Stage(), [packet(seq, 900) for seq in range(1, 6)]
    for one in receivers:
        one.sock = Old(one.sock)  # type: ignore[assignment]
    stage.send(packets, receivers)  # type: ignore[arg-type]
    assert not stage.segmented
    assert [one.take(5) for one in receivers] == [packets] * 3
    assert [one.unsent for one in receivers] == [0, 0, 0]


def test_a_receiver_without_keys_or_address_costs_the_others_nothing(receivers: list[Receiver]) -> None:
    receivers[0].address = None
    receivers[1].keys = None  # type: ignore[assignment]
    Stage().send([packet(1, 500)], receivers)  # type: ignore[arg-type]
    assert receivers[2].take(1) == [packet(1, 500)]


@given(st.lists(st.integers(28, 1516), min_size=1, max_size=200))
def test_runs_are_what_segmentation_allows(sizes: list[int]) -> None:
    first, runs = 0, []
    while first < len(sizes):
        last = end_of_run(sizes, first)
        runs.append(sizes[first:last])
        first = last
    assert [size for run in runs for size in run] == sizes
    for run in runs:
        assert len(run) <= SEGMENTS_MAX
        assert sum(run) <= SEGMENTED_BYTES_MAX
        assert set(run[:-1]) <= {run[0]}
        assert run[-1] <= run[0]


def test_the_stage_holds_what_one_send_may_carry() -> None:
    assert fanout.PACKETS_MAX * (fanout.PACKET_BYTES_MAX + 16) <= fanout.STAGE_BYTES
