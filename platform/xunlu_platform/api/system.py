"""The page an administrator understands: what runs, how far behind it is, how large it is, what was refused."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter

from xunlu_platform.api.access import allow
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_protocol import __version__

router = APIRouter(tags=["system"])

SILENT_S = 180.0
"""Three messages of telemetry: of many devices nobody misses all of them by chance."""


class Process(Answer):
    """A server process, as it or the broker last said."""

    host: str
    online: bool
    at: datetime


class Check(Answer):
    """Whether the processes of one name do their work, such as all `ingest-…`."""

    ok: bool
    online: int
    offline: int
    silent_s: float | None = None


class Versions(Answer):
    """What is installed; `license` is TimescaleDB's edition."""

    xunlu: str
    postgresql: str
    timescaledb: str | None
    license: str | None
    migration: int


class Lags(Answer):
    """How far behind things are."""

    devices_pending: int
    devices_online: int
    last_report_age_s: float | None
    hours_due: int
    oldest_queued_command_s: float | None


class Size(Answer):
    """A table with its indexes and chunks."""

    name: str
    bytes: int


class Refusals(Answer):
    """Messages refused for one reason in the last 24 hours."""

    reason: str
    messages: int
    last_at: datetime


class System(Answer):
    """The state of the installation."""

    broker_connected: bool
    checks: dict[str, Check]
    processes: list[Process]
    versions: Versions
    lags: Lags
    database_bytes: int
    tables: list[Size]
    refused: list[Refusals]


class DeadLetter(Answer):
    """A message that was refused."""

    id: int
    at: datetime
    topic: str
    reason: str
    message: str
    bytes: int


def checks(processes: Sequence[Process], lags: Lags) -> dict[str, Check]:
    """How it is with all processes of each name; ingest also stores what devices that are online report each minute."""
    kinds: dict[str, list[bool]] = {}
    for process in processes:
        kinds.setdefault(_NUMBER.sub("", process.host), []).append(process.online)
    silent_s = lags.last_report_age_s if lags.devices_online else None
    told = {}
    for kind, online in kinds.items():
        late_s = silent_s if kind == "ingest" and silent_s is not None and silent_s > SILENT_S else None
        told[kind] = Check(
            ok=any(online) and late_s is None, online=sum(online), offline=online.count(False), silent_s=late_s
        )
    return told


@router.get("/system")
async def system(services: Serving, caller: Annotated[Caller, allow("system")]) -> System:
    """What runs and how it is."""
    async with services.store.session(caller.scope) as session:
        database = await session.one("administration", "database")
        lags = await session.one("administration", "lags")
        assert database is not None
        assert lags is not None
        processes = [Process(**row) for row in await session.all("administration", "processes")]
        return System(
            broker_connected=services.mqtt.connected,
            checks=checks(processes, Lags(**lags)),
            processes=processes,
            versions=Versions(xunlu=__version__, **{name: database[name] for name in _VERSIONS}),
            lags=Lags(**lags),
            database_bytes=database["bytes"],
            tables=[Size(**row) for row in await session.all("administration", "sizes")],
            refused=[Refusals(**row) for row in await session.all("administration", "refusals")],
        )


# Of `ingest-2@machine`.
_NUMBER = re.compile(r"(-\d+)?@.*$")
_VERSIONS = ("postgresql", "timescaledb", "license", "migration")


@router.get("/dead-letters", response_model=Page[DeadLetter])
async def dead_letters(
    services: Serving, caller: Annotated[Caller, allow("system")], limit: Limit = 100, after: After = None
) -> dict[str, object]:
    """Messages that were refused, newest first."""
    async with services.store.session(caller.scope) as session:
        values = {"limit": limit + 1, "after": decode_cursor(after, int)}
        rows = await session.all("administration", "dead_letters", values)
    return page(rows, limit, lambda row: row["id"])
