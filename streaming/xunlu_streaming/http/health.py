"""Pages for whoever watches over a process."""

from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xunlu_kit.mqtt import Session

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def health_routes(session: Session, registry: CollectorRegistry) -> list[Route]:
    """`/healthz` and `/readyz` name every dependency, 503 when one does not answer; `/metrics` is Prometheus text.

    Args:
        session: with the broker.
        registry: of the metrics.
    """

    async def health(_request: Request) -> Response:
        checks = {"broker": {"ok": session.connected, "why": session.refusal}}
        return JSONResponse({"ok": session.connected, "checks": checks}, 200 if session.connected else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=METRICS_TYPE)

    return [Route("/healthz", health), Route("/readyz", health), Route("/metrics", metrics)]
