"""Headers of every answer that keep browsers from doing what no page of ours needs."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'{media}; "
    "style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Our own page talks; on a duty telephone it also shows and says where it is.
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(self), payment=(), usb=()",
}
HSTS = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware. Answers of the API are never cached unless their route says otherwise."""

    def __init__(self, app: ASGIApp, *, tls: bool, media: Iterable[str]) -> None:
        """Wrap an application.

        Args:
            app: what is wrapped.
            tls: whether browsers come over HTTPS.
            media: URLs of the relay workers, which the console asks for live video, and of the talk server.
        """
        self._app = app
        origins = "".join(f" {scheme}://{netloc}" for scheme, netloc, *_ in map(urlsplit, media))
        self._headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY.format(media=origins), **HEADERS}
        if tls:
            self._headers["Strict-Transport-Security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
