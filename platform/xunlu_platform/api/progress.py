"""Answers that take a while: they end with whoever waits for them, and can tell how far they are."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from xunlu_platform.api.problems import answer_to

BEAT_S: Final = 0.5
MEDIA_TYPE: Final = "application/x-ndjson"
GONE: Final = 499
"""Nobody hears it; metrics count it. The number is nginx's."""


@dataclass(slots=True)
class Progress:
    """How much of some work is done."""

    done: int
    of: int


T = TypeVar("T")
Work = Callable[[Progress], Coroutine[Any, Any, Response]]


async def attended(request: Request, work: Work, *, of: int, told: bool) -> Response:
    """The answer of some work. Whoever leaves ends it; what it computes off the loop then goes on to its next step.

    Args:
        request: of whoever waits.
        work: is handed where to note how far it is.
        of: how much there is to do.
        told: the answer begins at once: a line of JSON `{"done", "of"}` each `BEAT_S`, and as the last one
            `{"status", "headers", "body"}`, the answer itself with its body in base64, a problem as any other.

    Raises:
        Exception: as the work does, unless `told`.
    """
    progress = Progress(0, of)
    if told:
        return _Told(_lines(request, work, progress), media_type=MEDIA_TYPE)
    return await _unless_left(request.receive, work(progress)) or Response(status_code=GONE)


class _Told(StreamingResponse):
    """Ends with its reader, whatever version of ASGI the server says that it speaks."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await _unless_left(receive, self.stream_response(send))


async def _lines(request: Request, work: Work, progress: Progress) -> AsyncIterator[bytes]:
    working = asyncio.create_task(work(progress), name="api.work")
    try:
        while not (await asyncio.wait({working}, timeout=BEAT_S))[0]:
            yield to_json({"done": progress.done, "of": progress.of}) + b"\n"
        error = working.exception()
        answer = await answer_to(request, error) if isinstance(error, Exception) else working.result()
        body = base64.b64encode(answer.body).decode()
        yield to_json({"status": answer.status_code, "headers": dict(answer.headers), "body": body}) + b"\n"
    finally:
        await _end(working)


async def _unless_left(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """What some work gives; None when its reader left, which ended it."""
    working = asyncio.create_task(work, name="api.work")
    leaving = asyncio.create_task(_left(receive), name="api.leaving")
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await _end(working, leaving)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
