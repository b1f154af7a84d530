"""Voice notes: left for who is away, played on screens and by recorders. A recorder fetches its own with a token."""

import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from xunlu_platform.api.access import allow, allow_everybody, sign_in_required
from xunlu_platform.api.audit import record_playback
from xunlu_platform.api.messages import Message, MessageId, give
from xunlu_platform.api.order_targets import Order
from xunlu_platform.api.problems import conflict, invalid, not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.api.sound import Sound, SoundError, inspect
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import SYSTEM, Row, Session
from xunlu_protocol.command import NOTE_BYTES_MAX, NOTE_S_MAX

router = APIRouter(tags=["talk"])

To = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="A device, a talk group, or an account.")]
Below = Annotated[bool, Query(description="Of a unit's group: everybody of the unit and of those below.")]

NOTES_A_DAY_MAX = 200
"""Of one account: nobody fills the database by talking."""
SLACK_S = 2.0
"""A browser's timer is late by so much at most."""


@router.post("/messages/voice", response_model=Message, status_code=HTTPStatus.ACCEPTED)
async def leave(
    services: Serving, caller: Annotated[Caller, allow("talk")], request: Request, to: To, below: Below = False
) -> Row:
    """Leave a voice note: the body is Opus in WebM or Ogg, at most 60 s and 600,000 bytes."""
    data = await request.body()
    sound = _checked(data)
    order = Order(to=to, below=below, text=None, speak=True)

    async def keep(session: Session) -> None:
        today = await session.one("messages", "notes_today", {"account_id": caller.account_id})
        if today is not None and today["notes"] > NOTES_A_DAY_MAX:
            title = "You have left {notes} voice notes within a day."
            raise conflict("too-many-notes", title, "Call by radio, or write.", notes=NOTES_A_DAY_MAX)
        values = {
            "id": order.id, "media_type": sound.media_type, "duration_s": sound.duration_s, "size_bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), "sound": data,
        }  # fmt: skip
        await session.run("messages", "write_note", values)

    return await give(services, caller, order, keep)


def _checked(data: bytes) -> Sound:
    if len(data) > NOTE_BYTES_MAX:
        raise invalid("body", "note-size", "A voice note has at most {bytes} bytes.", bytes=NOTE_BYTES_MAX)
    try:
        sound = inspect(data)
    except SoundError as error:
        raise invalid("body", "note-sound", "This is no voice note: {error}", error=str(error)) from error
    if sound.duration_s > NOTE_S_MAX + SLACK_S:
        raise invalid("body", "note-length", "A voice note lasts at most {seconds} s.", seconds=NOTE_S_MAX)
    return sound


@router.get("/messages/{message_id}/voice", response_class=Response)
async def listen(services: Serving, caller: Annotated[Caller, allow("talk")], message_id: MessageId) -> Response:
    """The sound of a voice note. Whoever listens to one that is for others leaves an audit row."""
    async with services.store.session(caller.scope) as session:
        values = {"id": message_id, "account_id": caller.account_id}
        row = await session.one("messages", "sound", values)
        if row is None:
            raise not_found("voice note")
        if not row["own"]:
            await record_playback(session, caller, "voice-note.play", row["target"], message_id)
    return Response(row["sound"], media_type=row["media_type"])


@router.get("/voice-notes/{message_id}", response_class=Response, dependencies=[allow_everybody()])
async def fetch(services: Serving, request: Request, message_id: MessageId) -> Response:
    """The same for a recorder, whose token came with the command `play_note`."""
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    did = services.note_tokens.recorder(token, note=message_id)
    if did is None:
        raise sign_in_required()
    async with services.store.session(SYSTEM) as session:
        row = await session.one("messages", "sound_for", {"id": message_id, "did": did})
    if row is None:
        raise not_found("voice note")
    return Response(row["sound"], media_type=row["media_type"])
