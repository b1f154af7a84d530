"""Orders for recorders that must not be lost: voice notes, one at a time, and texts that nobody sent."""

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Session
from xunlu_platform.auth.note_tokens import NoteTokens
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.commands import Command, Commands
from xunlu_platform.jobs.live import Rhythm
from xunlu_platform.store.store import SYSTEM, Row, Store
from xunlu_protocol.command import PlayNote

FILE = "messages"
NOTES_S = 2.0
TEXTS_S = 15.0
RECORDERS_MAX = 50
"""So many are told in one run; the next is seconds away."""
TELL_LIVE_S = 300
"""A recorder that vanished in this moment is told anew, with a token of then."""


class Messages:
    """Looks for what waits."""

    def __init__(self, settings: PlatformSettings, store: Store, session: Session) -> None:
        """Take the parts.

        Args:
            settings: of the platform.
            store: with the jobs role.
            session: to send commands.

        Raises:
            ConfigError: the key of tokens is missing.
        """
        self._url = settings.recorder_url
        self._store = store
        self._session = session
        self._commands = Commands(store, session, settings.tenant)
        self._tokens = NoteTokens(settings.secret("media-key"), SystemClock())

    def rhythm(self) -> Rhythm:
        """The jobs."""
        return [("voice_notes", NOTES_S, self._tell_notes), ("unheard_texts", TEXTS_S, self._repeat_texts)]

    async def _tell_notes(self) -> None:
        """Tell every recorder that is here of the oldest note that waits for it. Killed anywhere, it is told again.

        Raises:
            StoreError: the database does not answer.
        """
        # Without a broker each try would count, and the next one come ever later.
        if not self._session.connected:
            return
        async with self._store.session(SYSTEM) as session:
            due = await session.all(FILE, "due_notes", {"limit": RECORDERS_MAX})
            queued = []
            for row in due:
                command = Command(name="play_note", arguments=self._arguments(row), live_s=TELL_LIVE_S)
                queued.append(await self._commands.queue(session, row, command, account_id=row["account_id"]))
                await session.run(FILE, "tell_note", {"rid": command.rid, "note": row["note"], "person": row["did"]})
        for one in queued:
            await self._commands.send(SYSTEM, one)

    async def _repeat_texts(self) -> None:
        """Send the orders by text that recorders which are here have not heard of.

        Raises:
            StoreError: the database does not answer.
        """
        if not self._session.connected:
            return
        async with self._store.session(SYSTEM) as session:
            unheard = await session.all(FILE, "unheard_texts", {"limit": RECORDERS_MAX})
        for row in unheard:
            await self._commands.send(SYSTEM, self._commands.again(row))

    def _arguments(self, row: Row) -> PlayNote:
        return PlayNote(
            note=row["note"],
            url=f"{self._url}/api/v1/voice-notes/{row['note']}",
            token=self._tokens.sign(note=row["note"], did=row["did"]),
            sha256=row["sha256"],
            size_bytes=row["size_bytes"],
            by=row["by"],
        )
