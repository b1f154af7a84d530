"""A page server for processes that have no web framework: `/healthz`, `/readyz`, `/metrics`.

HTTP/1.1 (RFC 9112), GET only, one answer a connection, bounded in time and bytes.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

log = logging.getLogger(__name__)

REQUEST_BYTES_MAX = 8192
REQUEST_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One answer."""

    body: bytes
    content_type: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Awaitable[Page]]]


def health_page(checks: Mapping[str, Mapping[str, object]]) -> Page:
    """The `/healthz` answer: every dependency by name, 503 when one of them is not `ok`.

    Args:
        checks: dependency name → fields; the field `ok` decides.
    """
    healthy = all(bool(check.get("ok")) for check in checks.values())
    body = json.dumps({"ok": healthy, "checks": checks}, ensure_ascii=False, default=str).encode()
    return Page(body=body, status=HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE)


@contextlib.asynccontextmanager
async def serve_pages(host: str, port: int, pages: Pages) -> AsyncIterator[int]:
    """Serve `pages` (path → page maker) while the context is open; yields the port in use."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                page = await _page_for(await reader.readuntil(b"\r\n\r\n"), pages)
                writer.write(_render(page))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("health request dropped", extra={"error": repr(error)})
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host, port, limit=REQUEST_BYTES_MAX)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _page_for(request: bytes, pages: Pages) -> Page:
    parts = request.split(b" ", 2)
    path = parts[1].split(b"?", 1)[0].decode("ascii", "replace") if len(parts) == 3 else ""
    if parts[0] != b"GET":
        return Page(body=b"{}", status=HTTPStatus.METHOD_NOT_ALLOWED)
    if (make := pages.get(path)) is None:
        return Page(body=json.dumps({"pages": sorted(pages)}).encode(), status=HTTPStatus.NOT_FOUND)
    return await make()


def _render(page: Page) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + page.body
