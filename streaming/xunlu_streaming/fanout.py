"""The inner loop of the relay: the packets of a moment to every viewer of a path.

Every viewer gets the same numbers, so that what is left for each is one copy of all packets, one encryption of each in
place, and one send for each run of packets of equal size (UDP generic segmentation offload, Linux 4.18). Pointers and
runs are computed once for all viewers. See docs/decisions/0007-one-numbering.md.
"""

import errno
import socket
from collections.abc import Sequence
from itertools import islice, repeat
from typing import Any, NamedTuple, Protocol

from xunlu_streaming.adapter import Keys, ffi, srtp_protect
from xunlu_streaming.mux import Address, Outlet

UDP_SEGMENT = 103
"""`setsockopt` and control message of GSO; Python's socket module has no name for it."""
SEGMENTS_MAX = 64
SEGMENTED_BYTES_MAX = 65_000
PACKET_BYTES_MAX = 1500
PACKETS_MAX = 512
STAGE_BYTES = PACKETS_MAX * (PACKET_BYTES_MAX + 16)


class Receiver(Protocol):
    """A viewer as the inner loop sees it."""

    keys: Keys | None
    sock: Outlet | None
    address: Address | None
    unsent: int


class Run(NamedTuple):
    """Packets that one send takes: all of one size, but for a shorter last one."""

    view: memoryview
    control: list[tuple[int, int, bytes]]


class Stage:
    """Where packets are laid out and encrypted; a worker has one, for all happens in one turn of its loop.

    Attributes:
        segmented: whether the kernel segments; cleared at its first refusal.
        failed: packets that were not sent because libsrtp would not encrypt one of their burst.
    """

    def __init__(self) -> None:
        self.segmented = True
        self.failed = 0
        self._plain = ffi.new("char[]", STAGE_BYTES)
        self._work = ffi.new("char[]", STAGE_BYTES)
        self._sizes = ffi.new("int[]", PACKETS_MAX)
        self._lengths = ffi.new("int[]", PACKETS_MAX)
        self._length_pointers = [self._lengths + n for n in range(PACKETS_MAX)]
        self._plain_view = memoryview(ffi.buffer(self._plain))
        self._work_view = memoryview(ffi.buffer(self._work))

    def send(self, packets: Sequence[bytes], receivers: Sequence[Receiver]) -> None:
        """Send packets, in plain text, to receivers with keys and address, in this order.

        Receivers with different tag lengths are served one kind after the other; nearly always all have AES-GCM.
        """
        for start in range(0, len(packets), PACKETS_MAX):
            some = packets[start : start + PACKETS_MAX]
            tags = {one.keys.tag_bytes for one in receivers if one.keys is not None}
            for tag_bytes in tags:
                chosen = [one for one in receivers if one.keys is not None and one.keys.tag_bytes == tag_bytes]
                self._send_all(some, chosen, tag_bytes)

    def _send_all(self, packets: Sequence[bytes], receivers: Sequence[Receiver], tag_bytes: int) -> None:
        total, pointers = self._lay_out(packets, tag_bytes)
        # Newest first: libsrtp's replay window, 1024 bits, then moves once for each receiver, not for each packet.
        backwards = pointers[::-1], self._length_pointers[len(pointers) - 1 :: -1]
        runs = self._runs([len(packet) + tag_bytes for packet in packets])
        work, plain, lengths, sizes = self._work, self._plain, self._lengths, self._sizes
        lengths_bytes = 4 * len(packets)
        memmove, protect = ffi.memmove, srtp_protect
        for one in receivers:
            keys, sock, address = one.keys, one.sock, one.address
            if keys is None or sock is None or address is None:
                continue
            memmove(work, plain, total)
            memmove(lengths, sizes, lengths_bytes)
            if any(map(protect, repeat(keys.send), *backwards)):
                # What stayed plain text must not go out.
                self.failed += len(packets)
                continue
            send = sock.sendmsg
            for view, control in runs:
                try:
                    send((view,), control, 0, address)
                except OSError as error:
                    self._complain(one, error, view, control)

    def _lay_out(self, packets: Sequence[bytes], tag_bytes: int) -> tuple[int, list[Any]]:
        """Put packets one behind the other with room for their tags; gives the bytes used, and pointers."""
        view, sizes, work, at = self._plain_view, self._sizes, self._work, 0
        pointers = []
        for number, packet in enumerate(packets):
            size = len(packet)
            view[at : at + size] = packet
            sizes[number] = size
            pointers.append(work + at)
            at += size + tag_bytes
        return at, pointers

    def _runs(self, sizes: Sequence[int]) -> list[Run]:
        if not self.segmented:
            return [Run(view, []) for view in self._cut(sizes)]
        runs: list[Run] = []
        at = first = 0
        while first < len(sizes):
            last = end_of_run(sizes, first)
            size = sum(islice(sizes, first, last))
            control = [] if last - first == 1 else [(socket.SOL_UDP, UDP_SEGMENT, sizes[first].to_bytes(2, "little"))]
            runs.append(Run(self._work_view[at : at + size], control))
            at, first = at + size, last
        return runs

    def _cut(self, sizes: Sequence[int]) -> list[memoryview]:
        views, at = [], 0
        for size in sizes:
            views.append(self._work_view[at : at + size])
            at += size
        return views

    def _complain(self, one: Receiver, error: OSError, view: memoryview, control: list[tuple[int, int, bytes]]) -> None:
        if not control or error.errno not in (errno.EIO, errno.EINVAL, errno.EOPNOTSUPP):
            one.unsent += 1
            return
        sock, address = one.sock, one.address
        assert sock is not None
        assert address is not None
        # The way to this receiver has no checksum offload: one by one, now and from now on.
        self.segmented = False
        size = int.from_bytes(control[0][2], "little")
        for start in range(0, len(view), size):
            try:
                sock.sendto(view[start : start + size], address)
            except OSError:
                one.unsent += 1


def end_of_run(sizes: Sequence[int], first: int) -> int:
    """One past the last packet that can go out with packet `first`: equal sizes, and one shorter one to close."""
    size, last, total = sizes[first], first + 1, sizes[first]
    while last < len(sizes) and last - first < SEGMENTS_MAX and sizes[last] <= size:
        total += sizes[last]
        if total > SEGMENTED_BYTES_MAX:
            break
        last += 1
        if sizes[last - 1] < size:
            break
    return last
