"""The talk server: the port of its media, `/ptt`, and what others are told."""

import asyncio
import logging
import secrets
import socket

from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Session, SessionOptions
from xunlu_kit.ports import require_free_port
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_streaming.http.health import health_routes
from xunlu_streaming.http.serve import serve_http
from xunlu_streaming.http.throttle import Throttle
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.peers import Peers
from xunlu_streaming.talk.calls import Outlets
from xunlu_streaming.talk.config import TalkSettings
from xunlu_streaming.talk.floor_log import FloorLog
from xunlu_streaming.talk.floor_states import FloorStates
from xunlu_streaming.talk.metrics import TalkMetrics
from xunlu_streaming.talk.net import Limits, RadioNet
from xunlu_streaming.talk.news import News, forget_withdrawn, subscriptions
from xunlu_streaming.talk.page import TalkPage
from xunlu_streaming.talk.spool import Spool
from xunlu_streaming.talk.tap import BurstTap
from xunlu_streaming.tap_messages import TALK_TAP
from xunlu_streaming.tokens import public_key

log = logging.getLogger(__name__)

SPOOL = "floor-log.db"
HELLOS_PER_S, HELLOS_AT_ONCE = 20.0, 600
"""Of one address: behind a carrier's translator a whole bureau shares one, and comes back at once."""


async def serve(settings: TalkSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: a setting or a secret is wrong.
    """
    require_free_port(settings.talk_host, settings.talk_port, "XUNLU_STREAMING_TALK_PORT")
    with Spool(settings.run / SPOOL) as spool:
        await _serve(settings, FloorLog(settings.talk_log_max, spool))


async def _serve(settings: TalkSettings, floor_log: FloorLog) -> None:
    async with (
        _session(settings) as session,
        UdpMux(settings.talk_media_port, settings.media_hosts) as mux,
        asyncio.TaskGroup() as tasks,
        BurstTap(settings.run / f"{TALK_TAP}.tap") as tap,
    ):
        outlets = Outlets(floor_log, FloorStates(), tap)
        net = RadioNet(Peers(mux, settings.media_hosts, lite=True), tasks, _limits(settings), outlets)
        news = News(session, net, floor_log)
        running = [
            tasks.create_task(net.run(), name="timers"),
            tasks.create_task(news.hear(), name="news"),
            tasks.create_task(forget_withdrawn(session, net), name="withdrawn"),
            tasks.create_task(outlets.states.run(session, settings.tenant), name="floors"),
            tasks.create_task(floor_log.run(session, settings.tenant), name="log"),
            tasks.create_task(floor_log.save(), name="spool"),
        ]
        metrics = TalkMetrics(net, mux, outlets, lambda: session.connected)
        await news.arrived()
        log.info("talk server listens", extra={"port": settings.talk_port, "media_port": mux.port})
        app = create_app(net, settings, session, metrics.registry())
        await serve_http(app, settings, host=settings.talk_host, port=settings.talk_port)
        await net.close()
        for task in running:
            task.cancel()
        # That everybody has gone is told, too; what the broker does not take now, the next start corrects.
        await outlets.states.say(session, settings.tenant)
        await floor_log.say(session, settings.tenant)
        await floor_log.write()


def create_app(net: RadioNet, settings: TalkSettings, session: Session, registry: CollectorRegistry) -> Starlette:
    """The pages.

    Raises:
        ConfigError: a secret is missing or wrong.
    """
    refusals = Counter("xunlu_talk_refusals", "Participants refused, by problem.", ["problem"], registry=registry)
    throttle = Throttle(SystemClock(), rate_per_s=HELLOS_PER_S, burst=HELLOS_AT_ONCE)
    page = TalkPage(net, public_key(settings.secret("media-key.pub")), throttle, refusals)
    return Starlette(routes=[page.route(), *health_routes(session, registry)])


def _session(settings: TalkSettings) -> Session:
    host = f"ptt@{socket.gethostname()}"
    options = SessionOptions(
        # Nobody may guess it: whoever connects with a client id ends the connection that has it.
        client_id=f"xunlu-ptt-{secrets.token_hex(4)}",
        subscriptions=subscriptions(settings.tenant),
        will=presence_will(host),
    )
    return Session(settings.broker(), options, on_connect=publish_presence(host))


def _limits(settings: TalkSettings) -> Limits:
    return Limits(
        participants_max=settings.talk_participants_max,
        opening_max=settings.talk_opening_max,
        groups_max=settings.talk_groups_max,
        linger_s=settings.talk_linger_s,
        timers=settings.timers,
    )
