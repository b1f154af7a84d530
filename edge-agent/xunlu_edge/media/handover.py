"""From a device that blocks to the loop that must not: a thread reads, the newest pieces wait, older are dropped."""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Capture

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0

Piece = TypeVar("Piece")


class Handover(Generic[Piece]):
    """An open device; an async context manager, not reusable.

    Attributes:
        dropped: pieces that nobody took in time.
    """

    def __init__(self, name: str, open_device: Callable[[], Capture[Piece]], *, depth: int) -> None:
        """Describe it; the device is opened in the thread.

        Args:
            name: of the thread.
            open_device: opens the device; it may block, and raise `DeviceError`.
            depth: how many pieces may wait.
        """
        self.dropped = 0
        self._name = name
        self._open_device = open_device
        self._waiting: deque[Piece] = deque()
        self._depth = depth
        self._stopping = threading.Event()
        self._failure: DeviceError | None = None
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        # A daemon, because a driver that hangs must not hang the agent's end.
        threading.Thread(target=self._run, name=self._name, daemon=True).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._ended.wait()
        except TimeoutError:
            log.warning("device does not close", extra={"device": self._name})

    async def get(self) -> Piece:
        """The next piece.

        Raises:
            DeviceError: the device failed.
        """
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    def _run(self) -> None:
        try:
            with contextlib.closing(self._open_device()) as device:
                while not self._stopping.is_set():
                    self._put(device.read())
        except DeviceError as error:
            self._fail(error)
        except Exception as error:
            # A driver's surprise ends the video, not the agent.
            log.exception("device failed", extra={"device": self._name})
            self._fail(DeviceError(f"The device failed: {error}."))
        finally:
            self._tell(self._ended)

    def _put(self, piece: Piece) -> None:
        while len(self._waiting) >= self._depth:
            # The loop may take the last one in this moment.
            with contextlib.suppress(IndexError):
                self._waiting.popleft()
                self.dropped += 1
        self._waiting.append(piece)
        self._tell(self._changed)

    def _fail(self, error: DeviceError) -> None:
        self._failure = error
        self._tell(self._changed)

    def _tell(self, event: asyncio.Event) -> None:
        # The loop may be gone when a slow driver returns.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(event.set)
