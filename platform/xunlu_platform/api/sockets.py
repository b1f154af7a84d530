"""What the WebSockets of this origin share: who is let in, how a connection runs, and why it is closed."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection

from xunlu_platform.api.access import Guard, caller_of, kind_of
from xunlu_platform.api.problems import Problem
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.roles import Permission
from xunlu_platform.errors import StoreError

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 10.0
CHECK_S = 15.0

LOGIN_ENDED = 4401
FORBIDDEN = 4403
TOO_SLOW = 4408
REPLACED = 4409
TOO_MANY = 4429

# How a send or a receive finds that the other side has gone.
_GONE = (WebSocketDisconnect, RuntimeError)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody is let in, or why a connection ends: told by closing, because a browser hides a refused handshake."""

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


async def serve(websocket: WebSocket, caller: Caller, *sides: Coroutine[None, None, Refusal | None]) -> None:
    """Run the sides of a connection until one of them ends it."""
    tasks = [asyncio.create_task(side) for side in sides]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, _GONE):
            log.error("stream failed", extra={"username": caller.username}, exc_info=result)
    refusal = next((result for result in results if isinstance(result, Refusal)), None)
    if refusal:
        log.info("stream closed", extra={"username": caller.username, "code": refusal.code})
        await websocket.close(refusal.code, refusal.why)


async def watch(websocket: WebSocket, caller: Caller, permission: Permission) -> Refusal:
    """A login that ended elsewhere, or an account that moved, ends the stream within seconds."""
    while True:
        await asyncio.sleep(CHECK_S)
        try:
            now = await caller_of(websocket)
        except StoreError:
            continue
        if now is None:
            return Refusal(LOGIN_ENDED, "The login has ended; sign in again.")
        if (now.scope, now.officer_id) != (caller.scope, caller.officer_id) or not now.may(permission):
            return Refusal(FORBIDDEN, "Your role or unit has changed; sign in again.")


async def send(websocket: WebSocket, message: bytes) -> None:
    """Send a text.

    Raises:
        TimeoutError: the other side does not read.
    """
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await websocket.send_text(message.decode())
