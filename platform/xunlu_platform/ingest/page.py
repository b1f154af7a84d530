"""`/healthz`, `/readyz` and `/metrics` of a worker."""

import asyncio
import logging
from typing import Protocol

from prometheus_client import generate_latest

from xunlu_kit.clock import Clock
from xunlu_kit.health import Page, health_page, serve_pages
from xunlu_kit.mqtt import Session
from xunlu_platform.config import PlatformSettings
from xunlu_platform.ingest.metrics import Metrics

log = logging.getLogger(__name__)


class Progress(Protocol):
    """How a worker gets on.

    Attributes:
        committed_s: monotonic time of the last commit, or of the start.
        trouble: why the last attempt to commit failed, None when it succeeded.
    """

    committed_s: float
    trouble: str | None


async def serve_health(
    settings: PlatformSettings, session: Session, worker: Progress, metrics: Metrics, clock: Clock
) -> None:
    """Serve the pages, for ever."""

    async def health() -> Page:
        return health_page(
            {
                "broker": {"ok": session.connected, "why": session.refusal, "waiting_messages": session.waiting},
                "database": {
                    "ok": worker.trouble is None,
                    "why": worker.trouble,
                    "last_commit_s": round(clock.monotonic_s() - worker.committed_s, 1),
                },
            }
        )

    async def measures() -> Page:
        return Page(body=generate_latest(metrics.registry), content_type="text/plain; version=0.0.4; charset=utf-8")

    pages = {"/healthz": health, "/readyz": health, "/metrics": measures}
    async with serve_pages(settings.health_host, settings.health_port, pages) as port:
        log.info("health page", extra={"port": port})
        await asyncio.Event().wait()
