"""Sound goes out only while there is some: the loudspeaker is opened for the first piece, closed after a pause."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Loudspeaker, Playout

log = logging.getLogger(__name__)

PIECES_MAX = 50
LINGER_S = 1.0
RETRY_S = 5.0
CLOSE_TIMEOUT_S = 2.0


class Sounder:
    """Plays pieces of 20 ms one after the other.

    Attributes:
        dropped: pieces for which there was no room, or no loudspeaker.
    """

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        self.dropped = 0
        self._loudspeaker = loudspeaker
        self._waiting: deque[bytes] = deque()
        self._filled = asyncio.Event()

    def play(self, *pieces: bytes) -> None:
        """Queue pieces of 16 bits at 48 kHz, mono; the oldest go when too many wait."""
        for piece in pieces:
            if len(self._waiting) >= PIECES_MAX:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(piece)
        self._filled.set()

    async def run(self) -> None:
        """Own the loudspeaker, for ever."""
        loop = asyncio.get_running_loop()
        # One thread: a device has one writer, and blocks.
        thread = ThreadPoolExecutor(1, thread_name_prefix="talk.loudspeaker")
        try:
            while True:
                await self._filled.wait()
                try:
                    playout = await loop.run_in_executor(thread, self._loudspeaker.open)
                    try:
                        await self._play_all(playout, loop, thread)
                    finally:
                        await _close(playout, loop, thread)
                except DeviceError as error:
                    log.warning("loudspeaker failed", extra={"error": str(error)})
                    self.dropped += len(self._waiting)
                    self._waiting.clear()
                    self._filled.clear()
                    await asyncio.sleep(RETRY_S)
        finally:
            # A driver that hangs must not hang the agent.
            thread.shutdown(wait=False, cancel_futures=True)

    async def _play_all(self, playout: Playout, loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor) -> None:
        write: Callable[[bytes], None] = playout.write
        while True:
            while self._waiting:
                await loop.run_in_executor(thread, write, self._waiting.popleft())
            self._filled.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._filled.wait()
            if not self._waiting:
                return


async def _close(playout: Playout, loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await asyncio.shield(loop.run_in_executor(thread, playout.close))
    except TimeoutError:
        log.warning("loudspeaker does not close")
