"""`GET /api/v1/events/stream`: the WebSocket of the console."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from pydantic_core import to_json

from xunlu_platform.api.metrics import STREAMS_REFUSED
from xunlu_platform.api.services import Services, services_of
from xunlu_platform.api.sockets import TOO_MANY, TOO_SLOW, Refusal, StreamGuard, send, serve, watch
from xunlu_platform.api.viewer import Asked, FleetViewer, Ping
from xunlu_platform.auth.logins import Caller

router = APIRouter(tags=["stream"])

# What a commit needs to become visible here, and what two clocks may differ: a resumed stream goes back this far.
OVERLAP_MS = 30_000
CURSOR_AGE_MS_MAX = 3_600_000
ASKED_BYTES_MAX = 16_384


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
            sides = (_listen(websocket, services, viewer), _tell(websocket, services, viewer))
            await serve(websocket, caller, *sides, watch(websocket, caller, "events"))


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
    known = oldest_ms <= since_ms <= now_ms + OVERLAP_MS
    await send(websocket, viewer.resume(since_ms - OVERLAP_MS, now_ms) if known else viewer.snapshot(now_ms))


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
            await send(websocket, to_json({"type": "pong", "t": asked.t, "now_ms": services.clock.time_ms()}))
        else:
            viewer.look(asked)


async def _tell(websocket: WebSocket, services: Services, viewer: FleetViewer) -> Refusal:
    while True:
        await viewer.wait()
        if viewer.overflowed:
            return Refusal(TOO_SLOW, "This desk reads too slowly; it resumes by itself.")
        try:
            for message in viewer.take(services.clock.time_ms()):
                await send(websocket, message)
        except TimeoutError:
            return Refusal(TOO_SLOW, "This desk reads too slowly; it resumes by itself.")
