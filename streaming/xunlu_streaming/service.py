"""The process: presence at the broker, `/healthz`, `/readyz` and `/metrics`."""

import asyncio
import logging
import secrets
import signal
import socket

from fastapi import FastAPI, Response
from granian.constants import Interfaces
from granian.server.embed import Server
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from xunlu_kit.mqtt import Session, SessionOptions
from xunlu_protocol import __version__
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_streaming.config import StreamingSettings

log = logging.getLogger(__name__)


def create_app(session: Session) -> FastAPI:
    """The pages around an opened MQTT session."""
    app = FastAPI(title="Xunlu streaming", version=__version__, docs_url=None, redoc_url=None)
    registry = CollectorRegistry()
    connected = Gauge("xunlu_streaming_broker_connected", "1 while the broker answers.", registry=registry)
    connected.set_function(lambda: float(session.connected))

    @app.get("/healthz")
    @app.get("/readyz")
    async def health(response: Response) -> dict[str, object]:
        """Every dependency by name; 503 when one does not answer."""
        response.status_code = 200 if session.connected else 503
        return {"ok": session.connected, "checks": {"broker": {"ok": session.connected, "why": session.refusal}}}

    @app.get("/metrics")
    async def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app


async def serve(settings: StreamingSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: a secret is missing.
    """
    host = f"streaming@{socket.gethostname()}"
    # Nobody may guess the client id: whoever connects with it ends the connection that has it.
    options = SessionOptions(client_id=f"xunlu-streaming-{secrets.token_hex(4)}", will=presence_will(host))
    async with Session(settings.broker(), options, on_connect=publish_presence(host)) as session:
        server = Server(
            create_app(session),
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            ssl_cert=settings.tls_certificate,
            ssl_key=settings.tls_key,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        log.info("streaming listens", extra={"host": settings.host, "port": settings.port})
        await server.serve()
