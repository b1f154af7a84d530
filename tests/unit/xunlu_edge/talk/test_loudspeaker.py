"""The loudspeaker: opened for sound, closed after it, and never in the way."""

import asyncio
import threading

import pytest

from tests.talk import until
from xunlu_edge.talk import loudspeaker
from xunlu_edge.talk.loudspeaker import Sounder
from xunlu_edge.talk.tones import PIECE_BYTES


class Device:
    """Remembers what it sounds; hangs when told to, as a driver does whose bus is gone."""

    def __init__(self) -> None:
        self.pieces = 0
        self.is_open = False
        self.moves = threading.Event()
        self.moves.set()

    def open(self) -> "Device":
        self.is_open = True
        return self

    def write(self, pcm: bytes, /) -> None:
        self.moves.wait()
        self.pieces += 1
        assert len(pcm) == PIECE_BYTES

    def close(self) -> None:
        self.is_open = False


async def test_it_is_open_while_something_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudspeaker, "LINGER_S", 0.05)
    device = Device()
    sounder = Sounder(device)
    running = asyncio.create_task(sounder.run())
    sounder.play(bytes(PIECE_BYTES), bytes(PIECE_BYTES))
    await until(lambda: device.pieces == 2 and not device.is_open)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_driver_that_hangs_does_not_hang_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudspeaker, "CLOSE_TIMEOUT_S", 0.05)
    device = Device()
    device.moves.clear()
    sounder = Sounder(device)
    running = asyncio.create_task(sounder.run())
    sounder.play(bytes(PIECE_BYTES))
    await until(lambda: device.is_open)
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(running, return_exceptions=True)
    device.moves.set()
