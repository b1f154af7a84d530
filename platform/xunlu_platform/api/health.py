"""`/healthz`, `/readyz`, `/metrics` of the API process."""

import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from xunlu_kit.health import health_page
from xunlu_platform.api.access import allow_everybody
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.services import Services, Serving, is_this_machine
from xunlu_platform.errors import StoreError

router = APIRouter(tags=["health"], dependencies=[allow_everybody()])


@router.get("/healthz")
async def healthz(services: Serving) -> Response:
    """Every dependency by name; 503 when one of them is not well."""
    page = health_page({"database": await _database(services), "broker": _broker(services)})
    return Response(page.body, page.status, media_type=page.content_type)


@router.get("/readyz")
async def readyz(services: Serving) -> Response:
    """Whether requests can be answered: the database is there."""
    page = health_page({"database": await _database(services)})
    return Response(page.body, page.status, media_type=page.content_type)


@router.get("/metrics")
async def metrics(
    request: Request, services: Serving, authorization: Annotated[str, Header(max_length=300)] = ""
) -> Response:
    """Prometheus text: for the bearer of the metrics token; without one set, for this machine."""
    if file := services.settings.metrics_token_file:
        wanted = f"Bearer {file.read_text('utf-8').strip()}"
        allowed = hmac.compare_digest(wanted.encode(), authorization.encode())
    else:
        allowed = is_this_machine(request)
    if not allowed:
        detail = "Send the metrics token (XUNLU_PLATFORM_METRICS_TOKEN_FILE) as bearer."
        raise Problem(HTTPStatus.UNAUTHORIZED, "sign-in-required", "Metrics need their token.", detail)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _database(services: Services) -> dict[str, object]:
    began_s = services.clock.monotonic_s()
    try:
        await services.store.ping()
    except StoreError as error:
        return {"ok": False, "why": str(error)}
    return {"ok": True, "lag_ms": round((services.clock.monotonic_s() - began_s) * 1000, 1)}


def _broker(services: Services) -> dict[str, object]:
    if services.mqtt.connected:
        return {"ok": True, "connections": services.mqtt.connection}
    return {"ok": False, "why": services.mqtt.refusal or "The broker does not answer; commands cannot be sent."}
