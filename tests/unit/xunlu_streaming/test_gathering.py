"""A crowd gets frames whole, and nobody waits for what does not come."""

import asyncio
import struct
from collections.abc import Sequence

from xunlu_streaming.gathering import CROWD, HOLD_S, Gathering
from xunlu_streaming.layer import Layer, Outgoing, Track


class Line:
    """A path's packets in the order in which they are forwarded, one list for each send."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []
        self.forwarded = asyncio.Event()
        self.gathering = Gathering(self.forward)
        self.video, self.sound = Track("video").layer(), Track("audio").layer()

    def forward(self, burst: Sequence[Outgoing]) -> None:
        self.sent.append([one.number for one in burst])
        self.forwarded.set()

    def arrive(self, number: int, *, last: bool = False, layer: Layer | None = None, viewers: int = CROWD) -> None:
        layer = layer or self.video
        layer.highest = max(layer.highest, number)
        packet = struct.pack("!BBHII", 0x80, 0x80 * last | 96, number & 0xFFFF, 0, 1)
        self.gathering.take([Outgoing(layer, number, packet, keyframe=False)], viewers)


def first(line: Line) -> int:
    return line.video.highest + 1


async def test_a_crowd_gets_a_frame_in_one_send() -> None:
    line = Line()
    at = first(line)
    for number in (at, at + 1):
        line.arrive(number)
    assert line.sent == []
    line.arrive(at + 2, last=True)
    assert line.sent == [[at, at + 1, at + 2]]


async def test_few_viewers_get_each_packet_as_it_comes() -> None:
    line = Line()
    at = first(line)
    line.arrive(at, viewers=CROWD - 1)
    assert line.sent == [[at]]


async def test_a_frame_without_an_end_waits_no_longer_than_its_bound() -> None:
    line = Line()
    at, loop = first(line), asyncio.get_running_loop()
    began_s = loop.time()
    line.arrive(at)
    await asyncio.wait_for(line.forwarded.wait(), 5)
    assert line.sent == [[at]]
    assert loop.time() - began_s >= HOLD_S


async def test_a_repair_and_sound_go_at_once_and_take_along_what_waits() -> None:
    line = Line()
    at = first(line)
    line.arrive(at + 1)
    line.arrive(at)
    assert line.sent == [[at + 1, at]], "a number behind the newest one was asked for: somebody waits for it"
    line.arrive(at + 2)
    line.arrive(7, layer=line.sound)
    assert line.sent[1:] == [[at + 2, 7]]


async def test_what_waits_can_be_let_go_and_does_not_go_twice() -> None:
    line = Line()
    at = first(line)
    line.arrive(at)
    line.gathering.release()
    line.gathering.release()
    line.arrive(at + 1, last=True)
    assert line.sent == [[at], [at + 1]]
