"""Brings wishes, relay workers and recordings together."""

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from xunlu_protocol.media import RecordingReport
from xunlu_streaming.record.bursts import Bursts
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.keeper import Keeper
from xunlu_streaming.record.ledger import RecordingDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.muxer import extension
from xunlu_streaming.record.publication import Publication
from xunlu_streaming.record.recording import LEADER, Recording
from xunlu_streaming.record.tap_client import TapClient
from xunlu_streaming.record.tap_connection import TapConnection
from xunlu_streaming.record.unit import Format
from xunlu_streaming.record.wishes import Wish, Wishes
from xunlu_streaming.tap_messages import TALK_TAP, TapPath

log = logging.getLogger(__name__)

TICK_S = 1.0
FREE_AGAIN = 1.05
"""Free space by its minimum at which recording goes on: recordings that end and begin every second help nobody."""


class Recorder:
    """The one owner of connections to relay workers and of running recordings; a `publication.Studio`.

    Attributes:
        measures: what is counted.
        wishes: what is to be recorded.
        split_us: age at which a recording goes on in a new file, microseconds.
        clients: connections to relay workers by the worker's name.
        bursts: what is kept of push-to-talk.
        trouble: why nothing is recorded; None when all is well.
    """

    def __init__(
        self,
        settings: RecordSettings,
        keeper: Keeper[RecordingDraft, RecordingReport],
        bursts: Bursts,
        measures: Measures,
    ) -> None:
        """Begin.

        Args:
            settings: of the process.
            keeper: of the recordings' files.
            bursts: of push-to-talk, which share the disk and its rule.
            measures: what is counted.
        """
        self.measures = measures
        self.wishes = Wishes(always=settings.record_always)
        self.split_us = settings.record_split_s * 1_000_000
        self.clients: dict[str, TapClient] = {}
        self.bursts = bursts
        self.trouble: str | None = None
        self._settings = settings
        self._keeper = keeper
        self._invalid = 0
        measures.recordings.set_function(lambda: len(keeper.running))

    async def run(self) -> None:
        """Record until cancelled; then no file gets any more, and keepers still bring them to the disk."""
        async with asyncio.TaskGroup() as connections:
            while True:
                self._watch_disk()
                self._find_taps(connections)
                self.refresh()
                self._tick()
                await asyncio.sleep(TICK_S)

    # -- once a second ------------------------------------------------------------------------------------------------

    def _watch_disk(self) -> None:
        free = shutil.disk_usage(self._settings.recordings).free
        least = self._settings.record_free_bytes_min
        if self.trouble is None and free < least:
            self.trouble = f"{free} bytes are free in {self._settings.recordings}, {least} must stay free: make room."
            log.error("disk nearly full, recording stops", extra={"free_bytes": free, "free_bytes_min": least})
        elif self.trouble is not None and free >= FREE_AGAIN * least:
            self.trouble = None
            log.warning("disk has room again, recording goes on", extra={"free_bytes": free})

    def _find_taps(self, connections: asyncio.TaskGroup) -> None:
        for file in sorted(self._settings.run.glob("*.tap")):
            if file.stem == TALK_TAP:
                if self.bursts.client is None:
                    _follow(connections, self.bursts.connect(file), self.bursts.forget)
            elif file.stem not in self.clients:
                client = self.clients[file.stem] = TapClient(file, self._begin, self._paths)
                _follow(connections, client, partial(self.clients.pop, file.stem, None))

    def refresh(self) -> None:
        """Bring what is recorded in line with what is wished."""
        now_s = time.time()
        for client in self.clients.values():
            client.sync()
            for number, publication in list(client.publications.items()):
                wish = None if self.trouble else self.wishes.of(publication.did, now_s)
                if wish is None:
                    client.end(number)
                else:
                    publication.wish = wish

    def _tick(self) -> None:
        for client in self.clients.values():
            for publication in client.publications.values():
                publication.tick()
        self.bursts.tick(wanted=self.trouble is None)
        invalid = self.wishes.refused + sum(client.invalid for client in self.clients.values())
        invalid += self.bursts.client.invalid if self.bursts.client is not None else 0
        self.measures.messages.inc(max(0, invalid - self._invalid))
        self._invalid = invalid

    # -- what clients and publications ask ----------------------------------------------------------------------------

    def _paths(self) -> frozenset[str]:
        return frozenset() if self.trouble else self.wishes.paths(time.time())

    def _begin(self, client: TapClient, path: TapPath) -> Publication | None:
        wish = None if self.trouble else self.wishes.of(path.did, time.time())
        if wish is None:
            return None
        return Publication(path, wish, self, lambda: client.ask_for_keyframe(path.did))

    def open(self, did: str, wish: Wish, formats: Sequence[Format], started_us: int) -> Recording | None:
        """Begin a recording; see `publication.Studio`."""
        if not self._keeper.takes:
            if self._keeper.full:
                log.error("too many recordings, this one is not made", extra={"did": did})
            return None
        leader = formats[LEADER]
        began = datetime.fromtimestamp(started_us / 1e6, UTC)
        name = f"{began:%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"
        draft = RecordingDraft(
            id=name,
            did=did,
            why=wish.why,
            order=wish.order,
            file=f"{began:%Y/%m/%d}/{did}/{name}.{extension(formats)}",
            started_ms=started_us // 1000,
            video=leader.codec if leader.width else None,
            audio=None if leader.width else leader.codec,
        )
        recording = Recording(draft, formats, started_us, self._settings.record_queue_bytes_max, self.measures)
        self._keeper.begin(recording)
        return recording


def _follow(connections: asyncio.TaskGroup, tap: TapConnection, forget: Callable[[], object]) -> None:
    """Stay connected to a tap as long as it is there."""
    connections.create_task(tap.run(), name=f"tap[{tap.name}]").add_done_callback(lambda _: forget())
