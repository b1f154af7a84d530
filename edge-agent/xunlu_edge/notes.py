"""Voice notes: fetched at once, kept on disk until they were played, played once however often they are asked for."""

import asyncio
import hashlib
import http.client
import logging
import sqlite3
import threading
from pathlib import Path

from xunlu_edge.database import refusals, transaction
from xunlu_edge.durable import write_durably
from xunlu_edge.errors import BusyError, DeviceError, StorageError
from xunlu_edge.hardware import Hardware
from xunlu_edge.settings import AgentSettings
from xunlu_edge.web import WebError, connection_to, hang_up
from xunlu_kit.clock import Clock
from xunlu_protocol.command import PlayNote

log = logging.getLogger(__name__)

FETCH_TIMEOUT_S = 60.0
KEPT_MAX = 20
"""Notes whose playing fails again and again; beyond it the oldest goes, and is fetched anew when its turn comes."""
PLAYED_MAX = 1000


class Notes:
    """Plays one note at a time."""

    def __init__(self, hardware: Hardware, settings: AgentSettings, database: sqlite3.Connection, clock: Clock) -> None:
        self._hardware = hardware
        self._folder = settings.state / "notes"
        self._ca_file = settings.live_ca_file
        self._database = database
        self._clock = clock
        self._playing = False

    async def play(self, wanted: PlayNote) -> None:
        """Fetch, keep and play a note; returns when it was played, now or before.

        Raises:
            BusyError: another one is being played.
            DeviceError: it could not be fetched, kept or played; what is kept stays for the next time.
        """
        if self._playing:
            raise BusyError("Another voice note is being played.")
        self._playing = True
        try:
            path = self._folder / wanted.note
            if not self._was_played(wanted.note):
                if not _is_whole(path, wanted):
                    await asyncio.to_thread(self._keep, path, await self._fetch(wanted))
                await self._sound(path)
                self._note_played(wanted.note)
            path.unlink(missing_ok=True)
        finally:
            self._playing = False

    # -- from the platform --------------------------------------------------------------------------------------------

    async def _fetch(self, wanted: PlayNote) -> bytes:
        connection, target = connection_to(wanted.url, self._ca_file)

        def get() -> tuple[int, bytes]:
            connection.request("GET", target, headers={"Authorization": f"Bearer {wanted.token}"})
            response = connection.getresponse()
            return response.status, response.read(wanted.size_bytes + 1)

        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                status, data = await asyncio.to_thread(get)
        except (OSError, http.client.HTTPException, TimeoutError) as error:
            raise WebError(f"The voice note cannot be fetched: {str(error) or type(error).__name__}.") from error
        finally:
            hang_up(connection)
        if status != http.client.OK:
            raise WebError(f"The platform does not hand out the voice note ({status}).")
        if hashlib.sha256(data).hexdigest() != wanted.sha256:
            raise WebError("The voice note came damaged: its hash is another.")
        return data

    # -- on disk ------------------------------------------------------------------------------------------------------

    def _keep(self, path: Path, data: bytes) -> None:
        try:
            write_durably(path, data)
            kept = sorted(self._folder.iterdir(), key=lambda one: one.stat().st_mtime_ns)
            for oldest in kept[:-KEPT_MAX]:
                log.warning("voice note given up for now", extra={"note": oldest.name})
                oldest.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"The voice note could not be kept: {error}. Check the recorder's disk.") from error

    def _was_played(self, note: str) -> bool:
        with refusals():
            return self._database.execute("select 1 from played_note where note = ?", (note,)).fetchone() is not None

    def _note_played(self, note: str) -> None:
        with transaction(self._database):
            self._database.execute(
                "insert or ignore into played_note (note, played_ms) values (?, ?)", (note, self._clock.time_ms())
            )
            self._database.execute(
                "delete from played_note where note in"
                " (select note from played_note order by played_ms desc limit -1 offset ?)",
                (PLAYED_MAX,),
            )

    # -- aloud --------------------------------------------------------------------------------------------------------

    async def _sound(self, path: Path) -> None:
        from xunlu_edge.media.note import play_file  # noqa: PLC0415  heavy: only when there is something to play

        if self._hardware.loudspeaker is None:
            raise DeviceError("There is no loudspeaker.")
        stop = threading.Event()
        try:
            await asyncio.to_thread(play_file, path, self._hardware.loudspeaker, stop)
        finally:
            stop.set()


def _is_whole(path: Path, wanted: PlayNote) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256
    except OSError:
        return False
