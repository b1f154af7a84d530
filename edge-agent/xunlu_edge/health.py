"""The agent's health page: broker, receiver, outbox."""

from collections.abc import Mapping

from xunlu_edge.agent import Agent
from xunlu_kit.clock import Clock
from xunlu_kit.health import Page, Pages, health_page

RECEIVER_SILENT_S = 30.0


def pages(agent: Agent, clock: Clock) -> Pages:
    """What `/healthz` and `/readyz` answer."""

    async def healthz() -> Page:
        return health_page(checks(agent, clock))

    return {"/healthz": healthz, "/readyz": healthz}


def checks(agent: Agent, clock: Clock) -> Mapping[str, Mapping[str, object]]:
    """Every dependency by name. A lost broker is no fault of the outbox, which is then doing its work."""
    heard_s = agent.positions.heard_s
    silent_s = None if heard_s is None else round(clock.monotonic_s() - heard_s, 1)
    return {
        "broker": {
            "ok": agent.link.ready,
            "connected": agent.link.connected,
            "approved": agent.link.approved,
            "refusal": agent.link.refusal,
            "malformed": agent.link.malformed,
        },
        "gnss": {
            "ok": silent_s is not None and silent_s < RECEIVER_SILENT_S,
            "silent_s": silent_s,
            "quality": agent.situation.epoch.quality if agent.situation.epoch is not None else 0,
            "refused": dict(agent.positions.decoder.rejected),
            "held_back": dict(agent.positions.gate.held_back),
        },
        "outbox": {
            "ok": agent.journal.lost == 0,
            "waiting": agent.outbox.count,
            "bytes": agent.outbox.bytes,
            "thinned": agent.journal.thinned,
            "lost": agent.journal.lost,
        },
    }
