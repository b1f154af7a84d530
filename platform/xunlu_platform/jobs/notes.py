"""Voice notes for recorders: told when a recorder is here, one at a time, again until it has played them."""

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Session
from xunlu_platform.auth.note_tokens import NoteTokens
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.commands import Command, Commands
from xunlu_platform.store.store import SYSTEM, Row, Store
from xunlu_protocol.command import PlayNote

FILE = "messages"
RECORDERS_MAX = 50
"""So many are told in one run; the next is two seconds away."""
TELL_LIVE_S = 300
"""A recorder that vanished in this moment is told anew, with a token of then."""


class Notes:
    """Looks for notes that wait."""

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
        self._commands = Commands(store, session, settings.tenant)
        self._tokens = NoteTokens(settings.secret("media-key"), SystemClock())

    async def tell(self) -> None:
        """Tell every recorder that is here of the oldest note that waits for it. Killed anywhere, it is told again.

        Raises:
            StoreError: the database does not answer.
        """
        async with self._store.session(SYSTEM) as session:
            due = await session.all(FILE, "due_notes", {"limit": RECORDERS_MAX})
            queued = []
            for row in due:
                command = Command(name="play_note", arguments=self._arguments(row), live_s=TELL_LIVE_S)
                queued.append(await self._commands.queue(session, row, command, account_id=row["account_id"]))
                await session.run(FILE, "tell_note", {"rid": command.rid, "note": row["note"], "person": row["did"]})
        for one in queued:
            await self._commands.send(SYSTEM, one)

    def _arguments(self, row: Row) -> PlayNote:
        return PlayNote(
            note=row["note"],
            url=f"{self._url}/api/v1/voice-notes/{row['note']}",
            token=self._tokens.sign(note=row["note"], did=row["did"]),
            sha256=row["sha256"],
            size_bytes=row["size_bytes"],
            by=row["by"],
        )
