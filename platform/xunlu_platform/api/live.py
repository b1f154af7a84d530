"""Live video: who watches whom. A look is written down before its token is made; the relay tells when it ended."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel

from xunlu_kit.errors import TransportError
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.commands import queue_command
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.recording_orders import Order
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.media_tokens import PLAY_LIVE_S
from xunlu_platform.dispatch.commands import Command
from xunlu_platform.dispatch.live import START_LIVE_S, Watcher, new_viewing
from xunlu_platform.store.store import Row
from xunlu_protocol.command import NoArguments

router = APIRouter(prefix="/live", tags=["live"])


class Wanted(BaseModel):
    """How it is wanted: whether the recorder's microphone is sent, too."""

    audio: bool = True


class Watching(Answer):
    """Where to play and with what.

    Attributes:
        whep: URL for WHEP.
        token: bearer token for it, good for `expires_s` seconds to begin with.
        viewing: what the audit will call this look.
        live: whether the recorder publishes already; if not, whoever asks the relay waits for it.
        command: the `live_start` that was sent, or that is on its way already.
    """

    did: str
    whep: str
    token: str
    viewing: str
    live: bool
    command: str | None
    expires_s: int


class Stopping(Answer):
    """The `live_stop` on its way."""

    did: str
    command: str


class LiveWatcher(Answer):
    """Who watches, since when."""

    user: str
    since: datetime


class LivePath(Answer):
    """A device that is live; measured at the relay, in the last second."""

    did: str
    since: datetime
    viewers: int
    recorded: bool
    video: str | None
    audio: str | None
    width: int | None
    height: int | None
    bitrate_bps: int
    loss_percent: float
    fps: float
    worker: str
    watchers: list[LiveWatcher]
    order: Order | None


class LivePaths(Answer):
    """All that are live in scope; bounded by what the relays carry."""

    items: list[LivePath]


@router.post("/{did}")
async def watch(
    services: Serving,
    caller: Annotated[Caller, allow("live")],
    did: Did,
    wanted: Annotated[Wanted | None, Body()] = None,
) -> Watching:
    """Ask for the live picture of a recorder; one that does not publish yet is told to."""
    viewing = new_viewing()
    live = did in services.relays.live
    start = None
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        _require_picture(device, live=live)
        row = {"id": viewing, "device_id": device["id"], "account_id": caller.account_id, "username": caller.username}
        await session.run("live", "ask", row)
        await record(session, caller, "live.watch", did, viewing=viewing)
        if not live:
            watcher = Watcher(account_id=caller.account_id, username=caller.username, name=caller.display_name)
            start = await services.live.start(session, device, watcher, audio=wanted is None or wanted.audio)
    if start is not None and start.queued is not None:
        if not await services.commands.send(caller.scope, start.queued):
            raise TransportError(f"The recorder {did} could not be told to publish.")
        await services.notify("command", start.rid, did)
    return Watching(
        did=did,
        whep=services.live.whep(did),
        token=services.live.tokens.play(did, viewing=viewing, user=caller.username),
        viewing=viewing,
        live=live,
        command=start.rid if start is not None else None,
        expires_s=PLAY_LIVE_S,
    )


def _require_picture(device: Row, *, live: bool) -> None:
    """Refuse what cannot have one; a path that is live proves that it can."""
    status, did = device["status"], device["did"]
    if status == "pending":
        raise _no_picture("pending", f"{did} waits for approval.", "An administrator must approve it first.")
    if status == "disabled":
        raise _no_picture("disabled", f"{did} is disabled.", "An administrator must enable it first.")
    if live:
        return
    if "live" not in ((device["birth"] or {}).get("caps") or ()):
        detail = "It has not said that it has a live camera. Choose a 4G recorder."
        raise _no_picture("not-live-capable", f"{did} has no live video.", detail)
    if device["state"]["availability"] != "online":
        detail = "Try again when it is back; a radio or a telephone may reach the officer meanwhile."
        raise _no_picture("offline", f"{did} is not connected.", detail)


def _no_picture(name: str, title: str, detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, name, title, detail)


@router.delete("/{did}", status_code=HTTPStatus.ACCEPTED)
async def stop(services: Serving, caller: Annotated[Caller, allow("live")], did: Did) -> Stopping:
    """Tell a recorder to stop publishing, whoever watches. Usually needless: it stops when nobody watches any more."""
    command = Command(name="live_stop", arguments=NoArguments(), live_s=START_LIVE_S)
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        queued = await queue_command(services, session, caller, device, command)
        await record(session, caller, "live.stop", did, id=command.rid)
    await services.commands.send(caller.scope, queued)
    await services.notify("command", command.rid, did)
    return Stopping(did=did, command=command.rid)


@router.get("")
async def live_paths(services: Serving, caller: Annotated[Caller, allow("live")]) -> LivePaths:
    """What is live now, with who watches it."""
    live = services.relays.live
    values = {"dids": list(live)}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("live", "in_scope", values)
        watchers = await session.all("live", "watchers", values)
    items = []
    for row in rows:
        path = live[row["did"]]
        measured = path.state.model_dump(exclude={"did", "live", "since_ms"})
        since = datetime.fromtimestamp(path.state.since_ms / 1000, UTC)
        seen_by = [LiveWatcher(user=one["user"], since=one["since"]) for one in watchers if one["did"] == row["did"]]
        items.append(LivePath(**row, **measured, since=since, worker=path.worker, watchers=seen_by))
    return LivePaths(items=items)
