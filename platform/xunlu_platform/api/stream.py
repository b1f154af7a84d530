"""`GET /api/v1/events/stream`: the WebSocket of the console."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import HTTPConnection

from xunlu_platform.api.access import Guard, caller_of, kind_of
from xunlu_platform.api.metrics import STREAMS_REFUSED
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.services import Services, services_of
from xunlu_platform.api.viewer import Asked, FleetViewer, Ping
from xunlu_platform.auth.logins import Caller
from xunlu_platform.errors import StoreError
from xunlu_platform.store.fleet import read_events_since

log = logging.getLogger(__name__)

router = APIRouter(tags=["stream"])

# What a commit needs to become visible here, and what two clocks may differ: a resumed stream goes back this far.
OVERLAP_MS = 30_000
CURSOR_AGE_MS_MAX = 3_600_000
ASKED_BYTES_MAX = 16_384
SEND_TIMEOUT_S = 10.0
CHECK_S = 15.0

LOGIN_ENDED = 4401
FORBIDDEN = 4403
TOO_SLOW = 4408
TOO_MANY = 4429


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody is let in: told by closing, because a browser hides the answer to a refused handshake."""

    code: int
    why: str


class StreamGuard(Guard):
    """A guard that leaves a refusal on the connection instead of raising."""

    async def __call__(self, connection: HTTPConnection) -> Caller | None:
        """Whose stream this is; None when refused, with the reason in `connection.state.refusal`."""
        if not _same_origin(connection):
            connection.state.refusal = Refusal(FORBIDDEN, "Open the console from its own address.")
            return None
        try:
            return await super().__call__(connection)
        except Problem as problem:
            code = LOGIN_ENDED if problem.status == HTTPStatus.UNAUTHORIZED else FORBIDDEN
            connection.state.refusal = Refusal(code, problem.title)
            return None


def _same_origin(connection: HTTPConnection) -> bool:
    """A browser's cookie rides along from any page: only our own may use it (RFC 6455 §10.2)."""
    if kind_of(connection) == "bearer":
        return True
    origin = connection.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == connection.headers.get("host")


@router.websocket("/events/stream")
async def stream(
    websocket: WebSocket,
    caller: Annotated[Caller | None, Depends(StreamGuard("events"))],
    since: Annotated[str | None, Query(max_length=32)] = None,
) -> None:
    """Snapshot or everything since the cursor, then what changes."""
    await websocket.accept()
    if caller is None:
        await websocket.close(websocket.state.refusal.code, websocket.state.refusal.why)
        return
    services = services_of(websocket)
    if services.fleet.streams_of(caller.account_id) >= services.settings.streams_per_account_max:
        STREAMS_REFUSED.inc()
        await websocket.close(TOO_MANY, "Too many consoles are open with this account; close one of them.")
        return
    viewer = FleetViewer(services.fleet, caller.account_id, caller.scope)
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        async with _joined(services, viewer):
            await _begin(websocket, services, viewer, since)
            await _serve(websocket, services, viewer, caller)


@contextlib.asynccontextmanager
async def _joined(services: Services, viewer: FleetViewer) -> AsyncIterator[None]:
    services.fleet.join(viewer)
    try:
        yield
    finally:
        services.fleet.leave(viewer)


async def _begin(websocket: WebSocket, services: Services, viewer: FleetViewer, since: str | None) -> None:
    now_ms = services.clock.time_ms()
    since_ms = int(since) if since is not None and since.isdecimal() else 0
    oldest_ms = max(services.fleet.began_ms, now_ms - CURSOR_AGE_MS_MAX)
    if not oldest_ms <= since_ms <= now_ms + OVERLAP_MS:
        await _send(websocket, viewer.snapshot(now_ms))
        return
    await _send(websocket, viewer.since(since_ms - OVERLAP_MS, now_ms))
    with contextlib.suppress(StoreError):
        for row in await read_events_since(services.store, since_ms - OVERLAP_MS):
            if device := services.fleet.devices.get(row["did"]):
                viewer.told(device.path, {"type": "event", "event": row})


async def _serve(websocket: WebSocket, services: Services, viewer: FleetViewer, caller: Caller) -> None:
    """Run the three sides of a connection until one of them ends it."""
    sides = (_listen(websocket, services, viewer), _tell(websocket, services, viewer), _watch(websocket, caller))
    tasks = [asyncio.create_task(side) for side in sides]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    refusal = next((result for result in results if isinstance(result, Refusal)), None)
    if refusal:
        log.info("stream closed", extra={"username": caller.username, "code": refusal.code})
        await websocket.close(refusal.code, refusal.why)


async def _listen(websocket: WebSocket, services: Services, viewer: FleetViewer) -> None:
    while True:
        text = await websocket.receive_text()
        if len(text) > ASKED_BYTES_MAX:
            continue
        try:
            asked = Asked.validate_json(text)
        except ValidationError:
            continue
        if isinstance(asked, Ping):
            await _send(websocket, to_json({"type": "pong", "t": asked.t, "now_ms": services.clock.time_ms()}))
        else:
            viewer.look(asked)


async def _tell(websocket: WebSocket, services: Services, viewer: FleetViewer) -> Refusal:
    while True:
        await viewer.wait()
        if viewer.overflowed:
            return Refusal(TOO_SLOW, "This desk reads too slowly; it resumes by itself.")
        try:
            for message in viewer.take(services.clock.time_ms()):
                await _send(websocket, message)
        except TimeoutError:
            return Refusal(TOO_SLOW, "This desk reads too slowly; it resumes by itself.")


async def _watch(websocket: WebSocket, caller: Caller) -> Refusal:
    """A login that ended elsewhere, or an account that moved, ends the stream within seconds."""
    while True:
        await asyncio.sleep(CHECK_S)
        try:
            now = await caller_of(websocket)
        except StoreError:
            continue
        if now is None:
            return Refusal(LOGIN_ENDED, "The login has ended; sign in again.")
        if now.scope != caller.scope or not now.may("events"):
            return Refusal(FORBIDDEN, "Your role or unit has changed; sign in again.")


async def _send(websocket: WebSocket, message: bytes) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await websocket.send_text(message.decode())
