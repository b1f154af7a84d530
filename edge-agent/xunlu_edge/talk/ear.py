"""What is heard: packets become sound, and nothing is decoded while none come."""

import asyncio
from collections.abc import Callable

from xunlu_edge.talk.jitter import Gap, JitterBuffer
from xunlu_edge.talk.opus_decoder import OpusDecoder

PIECE_S = 0.02
# After so long without a packet the burst is over.
PAUSE_S = 0.4


class Ear:
    """The downlink of one session.

    Attributes:
        buffer: packets that wait.
        decoder: of its one stream.
    """

    def __init__(self, play: Callable[[bytes], None]) -> None:
        self.buffer = JitterBuffer()
        self.decoder = OpusDecoder()
        self._play = play
        self._came = asyncio.Event()
        self._came_s = 0.0

    def hear(self, sequence: int, payload: bytes) -> None:
        """A packet came."""
        self._came_s = asyncio.get_running_loop().time()
        self.buffer.put(sequence, payload, self._came_s)
        self._came.set()

    async def run(self) -> None:
        """Decode whatever comes, when it is due, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            due_s = loop.time()
            while self.buffer or loop.time() - self._came_s < PAUSE_S:
                match self.buffer.take(loop.time()):
                    case Gap(following):
                        self._play(self.decoder.mend(following))
                    case bytes() as payload:
                        self._play(self.decoder.decode(payload))
                due_s = max(due_s + PIECE_S, loop.time() - PIECE_S)
                await asyncio.sleep(max(0.0, due_s - loop.time()))
            self.buffer.pause()
            self._came.clear()
