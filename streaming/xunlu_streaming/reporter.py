"""Tells the platform what the worker carries (`media/frame/{worker}`), and hears what it has kept and what must end."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import TypeVar

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Message, Session
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.media import PATHS_PER_FRAME_MAX, VIEWINGS_PER_FRAME_MAX, MediaAck, MediaEnd, MediaFrame
from xunlu_protocol.topics import media_end, media_frame
from xunlu_streaming.path_manager import PathManager

log = logging.getLogger(__name__)

FRAME_S = 2.0
PUBLISH_TIMEOUT_S = 5.0

T = TypeVar("T")


class Reporter:
    """Sends frames at their rhythm, and at once when something begins or ends."""

    def __init__(self, session: Session, tenant: str, worker: str) -> None:
        self._session = session
        self._topic = media_frame(tenant, worker)
        self._end_topic = media_end(tenant, worker)
        self._worker = worker
        self._changed = asyncio.Event()
        self._live: set[str] = set()

    def changed(self) -> None:
        """Something began or ended."""
        self._changed.set()

    async def run(self, manager: PathManager) -> None:
        """Tell, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FRAME_S):
                    await self._changed.wait()
            self._changed.clear()
            try:
                async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                    for frame in self._frames(manager):
                        await self._session.publish(self._topic, frame.encode())
            except (TransportError, TimeoutError) as error:
                log.warning("frame not told", extra={"error": str(error)})
                await asyncio.sleep(FRAME_S)

    def _frames(self, manager: PathManager) -> list[MediaFrame]:
        """All there is to tell, in as many frames as it needs."""
        states = {path.name: path.state() for path in manager.paths.values()}
        live = {name for name, state in states.items() if state.live}
        told = [states[name] for name in sorted(live | (self._live & states.keys()))]
        self._live = live
        going_on = [viewing for viewer in manager.viewers() if (viewing := viewer.viewing) is not None]
        viewings = [*manager.viewings.values(), *going_on]
        now_ms = time.time_ns() // 1_000_000
        paths = batched(told, PATHS_PER_FRAME_MAX)
        shown = batched(viewings, VIEWINGS_PER_FRAME_MAX)
        count = max(len(paths), len(shown), 1)
        return [
            MediaFrame(
                worker=self._worker,
                tms=now_ms,
                more=place < count - 1,
                paths=paths[place] if place < len(paths) else (),
                viewings=shown[place] if place < len(shown) else (),
            )
            for place in range(count)
        ]

    async def hear(self, manager: PathManager) -> None:
        """Do what the platform says, for ever."""
        async for message in self._session.messages():
            self._session.acknowledge(message)
            try:
                self._take(message, manager)
            except ProtocolError as error:
                log.warning("message not understood", extra={"topic": message.topic, "reason": error.reason})

    def _take(self, message: Message, manager: PathManager) -> None:
        """End what must not go on, or forget what the database holds."""
        if message.topic == self._end_topic:
            manager.withdraw(MediaEnd.decode(message.payload))
        else:
            manager.confirm(MediaAck.decode(message.payload))


def batched(values: Sequence[T], count: int) -> list[tuple[T, ...]]:
    """The values in order, at most `count` together."""
    return [tuple(values[start : start + count]) for start in range(0, len(values), count)]
