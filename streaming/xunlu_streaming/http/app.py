"""The application of a worker: WHIP, WHEP, the list of streams, health and metrics."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Session
from xunlu_protocol import __version__
from xunlu_streaming.config import StreamingSettings
from xunlu_streaming.http.headers import CommonHeaders
from xunlu_streaming.http.health import health_routes
from xunlu_streaming.http.problems import handle_problems
from xunlu_streaming.http.sessions import SessionPages
from xunlu_streaming.http.signalling import IceServer, Signalling
from xunlu_streaming.http.streams import StreamPages
from xunlu_streaming.http.throttle import Throttle
from xunlu_streaming.relay import Relay
from xunlu_streaming.tokens import public_key


def create_app(relay: Relay, settings: StreamingSettings, session: Session, registry: CollectorRegistry) -> FastAPI:
    """The pages of a worker.

    Args:
        relay: that they ask.
        settings: of the worker.
        session: with the broker, for the health page.
        registry: of the metrics; refusals are added.

    Raises:
        ConfigError: a secret is missing or wrong.
    """
    clock = SystemClock()
    signalling = Signalling(
        relay=relay,
        key=public_key(settings.secret("media-key.pub")),
        clock=clock,
        throttle=Throttle(clock),
        workers=settings.workers,
        number=settings.number - 1,
        ice_servers=_ice_servers(settings),
    )
    app = FastAPI(title="Xunlu streaming", version=__version__, docs_url=None, redoc_url=None)
    refusals = Counter("xunlu_streaming_refusals", "Requests refused, by problem.", ["problem"], registry=registry)
    handle_problems(app, refusals)
    app.add_middleware(CommonHeaders)
    app.include_router(SessionPages(signalling=signalling, protocol="whip", action="publish").router())
    app.include_router(SessionPages(signalling=signalling, protocol="whep", action="play").router())
    app.include_router(StreamPages(signalling=signalling).router())
    app.routes.extend(health_routes(session, registry))
    return app


def _ice_servers(settings: StreamingSettings) -> tuple[IceServer, ...]:
    if settings.turn_url is None:
        return ()
    if settings.turn_username is None:
        return (IceServer(url=settings.turn_url),)
    credential = settings.secret("turn-password")
    return (IceServer(url=settings.turn_url, username=settings.turn_username, credential=credential),)
