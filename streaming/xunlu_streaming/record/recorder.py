"""Brings wishes, relay workers and recordings together."""

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial

from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.ledger import Draft, Ledger
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.muxer import extension
from xunlu_streaming.record.publication import Publication
from xunlu_streaming.record.recording import LEADER, Recording
from xunlu_streaming.record.recovery import close_one
from xunlu_streaming.record.reports import Reports
from xunlu_streaming.record.tap_client import TapClient
from xunlu_streaming.record.unit import Format
from xunlu_streaming.record.wishes import Wish, Wishes
from xunlu_streaming.tap_messages import TapPath

log = logging.getLogger(__name__)

TICK_S = 1.0
RETRY_S = 5.0
"""How long nothing is begun after the disk has refused something."""
FREE_AGAIN = 1.05
"""Free space by its minimum at which recording goes on: recordings that end and begin every second help nobody."""


class Recorder:
    """The one owner of connections to relay workers and of running recordings; a `publication.Studio`.

    Attributes:
        measures: what is counted.
        wishes: what is to be recorded.
        split_us: age at which a recording goes on in a new file, microseconds.
        clients: connections to relay workers by the worker's name.
        trouble: why nothing is recorded; None when all is well.
    """

    def __init__(
        self, settings: RecordSettings, ledger: Ledger, reports: Reports, measures: Measures, pool: Executor
    ) -> None:
        """Begin.

        Args:
            settings: of the process.
            ledger: of the recordings' folder.
            reports: where finished recordings go.
            measures: what is counted.
            pool: for what blocks.
        """
        self.measures = measures
        self.wishes = Wishes(always=settings.record_always)
        self.split_us = settings.record_split_s * 1_000_000
        self.clients: dict[str, TapClient] = {}
        self.trouble: str | None = None
        self._settings = settings
        self._ledger = ledger
        self._reports = reports
        self._pool = pool
        self._tasks: asyncio.TaskGroup | None = None
        self._running = 0
        self._invalid = 0
        self._closed_until_s = 0.0
        measures.recordings.set_function(lambda: self._running)

    async def run(self, files: asyncio.TaskGroup) -> None:
        """Record until cancelled; then every recording is closed, and `files` holds the tasks that finish them.

        Args:
            files: where the tasks of recordings live.
        """
        self._tasks = files
        try:
            async with asyncio.TaskGroup() as connections:
                while True:
                    self._watch_disk()
                    self._find_workers(connections)
                    self.refresh()
                    self._tick()
                    await asyncio.sleep(TICK_S)
        finally:
            self._tasks = None

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

    def _find_workers(self, connections: asyncio.TaskGroup) -> None:
        for file in sorted(self._settings.run.glob("*.tap")):
            if file.stem not in self.clients:
                client = self.clients[file.stem] = TapClient(file, self._begin, self._paths)
                task = connections.create_task(client.run(), name=f"tap[{file.stem}]")
                task.add_done_callback(partial(self._forget_worker, file.stem))

    def _forget_worker(self, name: str, _: "asyncio.Task[None]") -> None:
        self.clients.pop(name, None)

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
        invalid = self.wishes.refused + sum(client.invalid for client in self.clients.values())
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
        if self._tasks is None or time.monotonic() < self._closed_until_s:
            return None
        if self._running >= self._settings.recordings_max:
            log.error("too many recordings, this one is not made", extra={"did": did, "running": self._running})
            return None
        leader = formats[LEADER]
        began = datetime.fromtimestamp(started_us / 1e6, UTC)
        name = f"{began:%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"
        draft = Draft(
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
        self._running += 1
        self._tasks.create_task(self._keep(recording), name=f"recording[{name}]")
        log.info("recording begins", extra={"recording": name, "did": did, "why": wish.why})
        return recording

    async def _keep(self, recording: Recording) -> None:
        draft = recording.draft
        try:
            report = await recording.keep(self._ledger, self._pool)
        except OSError as error:
            self.measures.failures.inc()
            self._closed_until_s = time.monotonic() + RETRY_S
            fields = {"recording": draft.id, "did": draft.did, "error": str(error)}
            log.error("the disk refused a recording", extra=fields)  # noqa: TRY400
            await self._rescue(recording)
        else:
            numbers = {"size_bytes": report.size_bytes, "gaps": len(report.gaps)}
            log.info("recording finished", extra={"recording": report.id, "did": report.did, **numbers})
            self._reports.add(report)
        finally:
            self._running -= 1

    async def _rescue(self, recording: Recording) -> None:
        """Close what the disk has; when it refuses that, too, the next start does it."""
        loop = asyncio.get_running_loop()
        try:
            report = await loop.run_in_executor(self._pool, close_one, self._ledger, recording.draft)
        except OSError as error:
            log.warning("recording stays open", extra={"recording": recording.draft.id, "error": str(error)})
        else:
            if report is not None:
                self._reports.add(report)
