"""What is heard: packets become sound, and nothing is decoded while none come."""

import asyncio
from collections.abc import Callable

import av

from xunlu_edge.talk.jitter import JitterBuffer
from xunlu_edge.talk.tones import PIECE_BYTES, RATE_HZ

PIECE_S = 0.02
# After so long without a packet the burst is over.
PAUSE_S = 0.4
SILENCE = bytes(PIECE_BYTES)


class Ear:
    """The downlink of one session.

    Attributes:
        buffer: packets that wait.
        broken: packets that are no Opus.
    """

    def __init__(self, play: Callable[[bytes], None]) -> None:
        self.buffer = JitterBuffer()
        self.broken = 0
        self._play = play
        self._came = asyncio.Event()
        self._came_s = 0.0
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.sample_rate = RATE_HZ
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)

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
                payload = self.buffer.take(loop.time())
                if payload is not None:
                    self._play(self._decoded(payload))
                due_s = max(due_s + PIECE_S, loop.time() - PIECE_S)
                await asyncio.sleep(max(0.0, due_s - loop.time()))
            self.buffer.pause()
            self._came.clear()

    def _decoded(self, payload: bytes) -> bytes:
        try:
            frames = [
                piece
                for frame in self._decoder.decode(av.Packet(payload))
                if isinstance(frame, av.AudioFrame)
                for piece in self._resampler.resample(frame)
            ]
        except (av.FFmpegError, ValueError):
            self.broken += 1
            return SILENCE
        return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)
