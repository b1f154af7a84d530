"""The API process: REST, WebSocket, console and map on one origin."""

import asyncio
import contextlib
import gc
import logging
import secrets
import signal
import socket
from collections.abc import AsyncIterator

from fastapi import APIRouter, FastAPI
from granian.constants import Interfaces
from granian.server.embed import Server

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_kit.mqtt import SessionOptions, Subscription
from xunlu_kit.ports import require_free_port
from xunlu_platform.api import (
    alarms,
    audit,
    bindings,
    bursts,
    commands,
    console,
    devices,
    events,
    expected_devices,
    health,
    identity,
    incident_exports,
    incidents,
    live,
    maps,
    messages,
    officers,
    phones,
    recording_orders,
    recordings,
    reports,
    retention,
    review,
    rollups,
    roster,
    shadow,
    shared,
    shares,
    stream,
    system,
    talk,
    talk_groups,
    thumbs,
    tiles,
    track,
    units,
    users,
    viewings,
    voice_notes,
    who,
    zones,
)
from xunlu_platform.api.access import require_permissions
from xunlu_platform.api.bodies import BodyBound
from xunlu_platform.api.fleet import Fleet
from xunlu_platform.api.headers import SecurityHeaders
from xunlu_platform.api.inbox import deliver
from xunlu_platform.api.metrics import RequestMetrics
from xunlu_platform.api.phone_line import Phones
from xunlu_platform.api.problems import handle_problems
from xunlu_platform.api.provisioning import Provisioning, reconcile
from xunlu_platform.api.services import Services
from xunlu_platform.api.thumbnails import Thumbnails
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.dynamic_security import RESPONSE_TOPIC
from xunlu_platform.auth.media_tokens import MediaTokens
from xunlu_platform.auth.note_tokens import NoteTokens
from xunlu_platform.auth.talk_tokens import TalkTokens
from xunlu_platform.auth.throttle import Throttle
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.commands import Commands
from xunlu_platform.dispatch.floors import Floors
from xunlu_platform.dispatch.live import Live
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.store import Store
from xunlu_protocol import __version__
from xunlu_protocol.media import MediaFrame
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_protocol.topics import PREFIX, PROVISION_REQUEST_FILTER, floor, media_frame, provision_request, up
from xunlu_protocol.topics import fleet as fleet_topic

log = logging.getLogger(__name__)

REQUEST_BYTES_MAX = 1024 * 1024
ADDRESS_FAILURES_MAX = 30
ADDRESS_WINDOW_S = 15 * 60
SHARED_REQUESTS_MAX = 1000

# Below /api/v1.
NOUNS = (
    identity,
    units,
    officers,
    users,
    devices,
    bindings,
    shadow,
    stream,
    track,
    review,
    who,
    reports,
    events,
    commands,
    live,
    recording_orders,
    recordings,
    viewings,
    thumbs,
    talk,
    talk_groups,
    bursts,
    messages,
    voice_notes,
    phones,
    alarms,
    expected_devices,
    audit,
    system,
    rollups,
    retention,
    zones,
    roster,
    incidents,
    incident_exports,
    shares,
)


def create_app(services: Services) -> FastAPI:
    """The application around opened services.

    Raises:
        ConfigError: a route declares no permission.
    """
    app = FastAPI(
        title="Xunlu",
        version=__version__,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    handle_problems(app)
    app.add_middleware(BodyBound, bytes_max=REQUEST_BYTES_MAX)
    settings = services.settings
    app.add_middleware(
        SecurityHeaders,
        tls=settings.tls_certificate is not None,
        media=(*settings.streaming_urls, settings.talk_websocket),
    )
    app.add_middleware(RequestMetrics)
    api = APIRouter(prefix="/api/v1")
    for noun in NOUNS:
        api.include_router(noun.router)
    # The console last: it answers for every address that nobody else has.
    for router in (api, shared.router, maps.router, maps.files, tiles.router, health.router, console.router):
        app.include_router(router)
    require_permissions(app)
    return app


@contextlib.asynccontextmanager
async def open_services(settings: PlatformSettings) -> AsyncIterator[Services]:
    """Open the database and the broker, and run what belongs to the process beside its routes.

    Raises:
        ConfigError: a secret is missing.
        StoreError: the database does not answer.
    """
    clock = SystemClock()
    key = settings.secret("media-key")
    tokens = MediaTokens(key, clock, publish_live_s=settings.publish_token_s)
    mqtt = _broker_session(settings)
    broker_accounts = BrokerAccounts(mqtt, settings.tenant)
    async with Store(settings.database("api"), connections_max=settings.database_connections_max) as store, mqtt:
        relays, floors, thumbnails = Relays(clock), Floors(clock, settings.tenant), Thumbnails(clock)
        fleet = Fleet(store, clock, relays, floors)
        await fleet.refresh()
        sender = Commands(store, mqtt, settings.tenant)
        services = Services(
            settings=settings,
            clock=clock,
            store=store,
            mqtt=mqtt,
            broker_accounts=broker_accounts,
            sign_ins=Throttle(clock, attempts_max=ADDRESS_FAILURES_MAX, window_s=ADDRESS_WINDOW_S),
            shared=Throttle(clock, attempts_max=SHARED_REQUESTS_MAX, window_s=ADDRESS_WINDOW_S),
            fleet=fleet,
            relays=relays,
            floors=floors,
            thumbnails=thumbnails,
            commands=sender,
            live=Live(settings=settings, tokens=tokens, commands=sender),
            talk_tokens=TalkTokens(key, clock),
            note_tokens=NoteTokens(key, clock),
            phones=Phones(settings.phones_max),
        )
        provisioning = Provisioning(services, clock)
        handlers = {
            RESPONSE_TOPIC: broker_accounts.handle,
            fleet_topic(settings.tenant, ""): fleet.receive,
            media_frame(settings.tenant, ""): lambda message: relays.take(MediaFrame.decode(message.payload)),
            f"{PREFIX}/{settings.tenant}/d/": thumbnails.receive,
            f"{PREFIX}/{settings.tenant}/g/": floors.receive,
            provision_request(""): provisioning.receive,
        }
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(deliver(mqtt, handlers), name="api.inbox"),
                tasks.create_task(fleet.run(), name="api.fleet"),
                tasks.create_task(provisioning.run(), name="api.provisioning"),
                tasks.create_task(reconcile(services), name="api.reconcile"),
            ]
            try:
                yield services
            finally:
                for task in running:
                    task.cancel()


def _broker_session(settings: PlatformSettings) -> MqttSession:
    """The session at the broker, with all that `open_services` hands out."""
    host = f"api@{socket.gethostname()}"
    options = SessionOptions(
        client_id=f"xunlu-api-{secrets.token_hex(4)}",
        subscriptions=[
            Subscription(topic=RESPONSE_TOPIC),
            Subscription(topic=fleet_topic(settings.tenant, "+"), qos=0),
            Subscription(topic=media_frame(settings.tenant, "+"), qos=0),
            Subscription(topic=up(settings.tenant, "+", "thumb"), qos=0),
            Subscription(topic=floor(settings.tenant, "+")),
            Subscription(topic=f"$share/api/{PROVISION_REQUEST_FILTER}"),
        ],
        will=presence_will(host),
    )
    return MqttSession(settings.broker("api"), options, on_connect=publish_presence(host))


async def serve(settings: PlatformSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: a setting or a secret is wrong.
        StoreError: the database does not answer.
    """
    require_free_port(settings.host, settings.port, "XUNLU_PLATFORM_PORT")
    async with open_services(settings) as services:
        server = Server(
            create_app(services),
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGINL,
            websockets=True,
            log_enabled=False,
            ssl_cert=settings.tls_certificate,
            ssl_key=settings.tls_key,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        # What the start made stays: no collection walks it again while a track is being built.
        gc.freeze()
        log.info("api listens", extra={"host": settings.host, "port": settings.port})
        await server.serve()
