"""Headers of every answer: pages of other origins may use the relay (the console is one), and nobody may cache it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # Tokens come in a header that a page must know, so no page acts for a person by accident.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Patch, Accept-Post, ETag, Link, Location, Retry-After",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "7200",
}
"""Of answers to OPTIONS, besides the methods (Fetch Standard §3.3)."""


class CommonHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
