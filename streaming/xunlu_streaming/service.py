"""One worker of the relay: the port of media, WHIP and WHEP, and what others are told."""

import asyncio
import logging
import secrets
import socket

from aiortc import RTCIceServer

from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_kit.ports import require_free_port
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_protocol.topics import media_ack, media_end
from xunlu_streaming.config import StreamingSettings
from xunlu_streaming.http.app import create_app
from xunlu_streaming.http.serve import serve_http
from xunlu_streaming.metrics import RelayMetrics
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.path_manager import Limits, PathManager
from xunlu_streaming.peers import Peers
from xunlu_streaming.reporter import Reporter
from xunlu_streaming.tap import TapServer

log = logging.getLogger(__name__)


async def serve(settings: StreamingSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: a setting or a secret is wrong.
    """
    require_free_port(settings.host, settings.port, "XUNLU_STREAMING_PORT")
    host = f"{settings.worker}@{socket.gethostname()}"
    options = SessionOptions(
        # Nobody may guess the client id: whoever connects with it ends the connection that has it.
        client_id=f"xunlu-streaming-{secrets.token_hex(4)}",
        subscriptions=[Subscription(topic=one(settings.tenant, settings.worker)) for one in (media_ack, media_end)],
        will=presence_will(host),
    )
    async with (
        Session(settings.broker(), options, on_connect=publish_presence(host)) as session,
        UdpMux(settings.media_port, settings.media_hosts) as mux,
        asyncio.TaskGroup() as tasks,
    ):
        reporter = Reporter(session, settings.tenant, settings.worker)
        manager = PathManager(_peers(settings, mux), tasks, _limits(settings), reporter.changed)
        async with _tap(settings, manager) as tap:
            running = [
                tasks.create_task(manager.run(), name="paths"),
                tasks.create_task(reporter.run(manager), name="frames"),
                tasks.create_task(reporter.hear(manager), name="orders"),
            ]
            metrics = RelayMetrics(manager, mux, tap, lambda: session.connected)
            log.info("relay listens", extra={"host": settings.host, "port": settings.port, "media_port": mux.port})
            app = create_app(manager, settings, session, metrics.registry())
            await serve_http(app, settings, host=settings.host, port=settings.port)
            await manager.close()
            for task in running:
                task.cancel()


def _peers(settings: StreamingSettings, mux: UdpMux) -> Peers:
    turn = None
    if settings.turn_url is not None:
        turn = RTCIceServer(
            urls=settings.turn_url, username=settings.turn_username, credential=settings.secret("turn-password")
        )
    return Peers(mux, settings.media_hosts, lite=settings.ice == "lite", turn=turn)


def _limits(settings: StreamingSettings) -> Limits:
    return Limits(
        publishers_max=settings.publishers_max,
        viewers_max=settings.viewers_max,
        opening_max=settings.opening_max,
        idle_grace_s=settings.idle_grace_s,
        second_publisher=settings.second_publisher,
    )


def _tap(settings: StreamingSettings, manager: PathManager) -> TapServer:
    return TapServer(settings.run / f"{settings.worker}.tap", manager)
