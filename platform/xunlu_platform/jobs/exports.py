"""Exports of incidents: one after the other, within a bound of the disk; a killed worker's export is taken up again."""

import asyncio
import logging
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from xunlu_platform.config import PlatformSettings
from xunlu_platform.export.archive import Progress
from xunlu_platform.export.errors import ExportError, Why
from xunlu_platform.export.key import PRIVATE, ExportKey
from xunlu_platform.export.make import Made, Order, Workshop, make_export
from xunlu_platform.export.playing import Reader
from xunlu_platform.jobs.live import Rhythm
from xunlu_platform.store.store import SYSTEM, Row, Scope, Store

log = logging.getLogger(__name__)

FILE: Final = "incidents"
LOOK_S: Final = 2.0
TIDY_S: Final = 600.0
BEAT_S: Final = 2.0
SILENT_S: Final = 30
ATTEMPTS_MAX: Final = 3
MB: Final = 1_000_000


class Exports:
    """Makes what was asked for, and erases what is old."""

    def __init__(self, settings: PlatformSettings, store: Store) -> None:
        """Take the parts.

        Args:
            settings: of the platform.
            store: with the jobs role.

        Raises:
            ConfigError: the key is missing or no key.
        """
        self._settings = settings
        self._store = store
        self._key = ExportKey(settings.secret(PRIVATE))
        self._worker = secrets.token_hex(8)

    def rhythm(self) -> Rhythm:
        """The jobs."""
        return [("exports", LOOK_S, self._make_waiting), ("old_exports", TIDY_S, self._erase_old)]

    async def _make_waiting(self) -> None:
        """Make all that waits.

        Raises:
            StoreError: the database does not answer.
            OSError: the disk does not take it; it is tried again.
        """
        while row := await self._take():
            # Of whoever was killed at it.
            for left in self._settings.exports.glob(f"{row['id']}.*.part"):
                left.unlink(missing_ok=True)
            if row["attempts"] > ATTEMPTS_MAX:
                await self._finish(row["id"], why="gave-up")
                continue
            try:
                made = await self._make(row)
            except ExportError as error:
                log.warning("export not made", extra={"export": row["id"], "why": error.why})
                await self._finish(row["id"], why=error.why)
            else:
                log.info("export made", extra={"export": row["id"], "bytes": made.size_bytes})
                await self._finish(row["id"], made)

    async def _take(self) -> Row | None:
        async with self._store.session(SYSTEM) as session:
            return await session.one(FILE, "take_export", {"worker": self._worker, "silent_s": SILENT_S})

    async def _finish(self, export: str, made: Made | None = None, why: Why | None = None) -> None:
        values = {
            "id": export, "worker": self._worker, "state": "done" if made else "failed", "why": why,
            "size_bytes": made and made.size_bytes, "sha256": made and made.sha256,
        }  # fmt: skip
        async with self._store.session(SYSTEM) as session:
            await session.run(FILE, "finish_export", values)

    async def _make(self, row: Row) -> Made:
        """Make one, and say again and again that somebody is at it."""
        settings, progress = self._settings, Progress()
        settings.exports.mkdir(parents=True, exist_ok=True)
        # Whoever asked sees no more in the export than at the desk: so it is read as the API reads, within their scope.
        async with Store(settings.database("api"), connections_max=2) as reader:
            shop = Workshop(
                store=reader,
                key=self._key,
                recordings=settings.recordings,
                folder=settings.exports,
                bytes_max=await self._room(),
                assets=settings.leaflet,
                map=settings.map,
            )
            work = asyncio.create_task(make_export(shop, self._order(row), progress), name="export")
            try:
                while not (await asyncio.wait({work}, timeout=BEAT_S))[0]:
                    await self._beat(row["id"], progress)
                return work.result()
            finally:
                progress.stopped.set()
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    def _order(self, row: Row) -> Order:
        zone = ZoneInfo(self._settings.time_zone)
        reader = Reader(language=row["language"], zone=zone, shown_by=row["author"], shown_at=datetime.now(UTC))
        return Order(
            id=row["id"],
            incident_id=row["incident_id"],
            scope=Scope(row["scope"]),
            kinds=tuple(row["kinds"]),
            reader=reader,
        )

    async def _beat(self, export: str, progress: Progress) -> None:
        done_bytes = min(progress.done_bytes, progress.total_bytes)
        values = {"id": export, "worker": self._worker, "done_bytes": done_bytes, "total_bytes": progress.total_bytes}
        async with self._store.session(SYSTEM) as session:
            if not await session.run(FILE, "progress", values):
                raise ExportError("stopped")

    async def _room(self) -> int:
        """Bytes that an export may have: half of all; the oldest ones go until there is room for as much.

        What another worker is making stays, and counts.
        """
        whole = self._settings.exports_mb * MB
        async with self._store.session(SYSTEM) as session:
            kept = await session.all(FILE, "oldest_exports")
        used: int = sum(row["size_bytes"] for row in kept)
        used += sum(map(_size_bytes, self._settings.exports.glob("*.part")))
        for row in kept:
            if used <= whole // 2:
                break
            await self._erase(row["id"])
            used -= row["size_bytes"]
        return min(whole // 2, whole - used)

    async def _erase_old(self) -> None:
        """Erase what is older than the setting says, and files of exports that are neither made nor being made.

        Raises:
            StoreError: the database does not answer.
            OSError: the disk keeps a file.
        """
        # Before the rows: a file that is begun meanwhile is nobody's leftover.
        files = [path for form in ("*.zip", "*.part") for path in self._settings.exports.glob(form)]
        async with self._store.session(SYSTEM) as session:
            kept = await session.all(FILE, "oldest_exports")
            known = {row["id"] for row in await session.all(FILE, "exports_with_files")}
        edge = datetime.now(UTC) - timedelta(days=self._settings.exports_days)
        for row in kept:
            if row["finished_at"] < edge:
                await self._erase(row["id"])
        for path in files:
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)

    async def _erase(self, export: str) -> None:
        """The row first: a file without a row is found again, a row without a file would promise something."""
        async with self._store.session(SYSTEM) as session:
            await session.run(FILE, "erase_export", {"id": export})
        (self._settings.exports / f"{export}.zip").unlink(missing_ok=True)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
