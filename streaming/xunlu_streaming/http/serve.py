"""The HTTP side of a media process, inside its own event loop."""

import asyncio
import gc
import signal

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette

from xunlu_streaming.config import ReachedSettings


async def serve_http(app: Starlette, settings: ReachedSettings, *, host: str, port: int) -> None:
    """Serve until the process is told to stop (SIGTERM, SIGINT); HTTPS when a certificate is configured."""
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        log_enabled=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    # What the start made stays: no collection walks it while packets wait.
    gc.freeze()
    await server.serve()
