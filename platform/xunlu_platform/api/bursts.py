"""What was said on the radio net: a list, the sound itself, and the floor log around it. A playback is audited."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import FileResponse

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record_playback
from xunlu_platform.api.console import file_below
from xunlu_platform.api.devices import OfficerName, UnitName
from xunlu_platform.api.history import OfDevice
from xunlu_platform.api.paging import Answer, Page
from xunlu_platform.api.periods import From, To
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.recordings import Holder
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Row, Session
from xunlu_protocol.talk import GroupKind, Urgency

router = APIRouter(prefix="/bursts", tags=["talk"])

BurstId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
GidFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Of this talk group only.")]
TalkerFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Of this participant only.")]
OfficerFilter = Annotated[int | None, Query(ge=1, description="Of this officer only, whatever they wore.")]
HEARD_MAX = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted(OfDevice):
    """Which bursts."""

    gid: GidFilter = None
    talker: TalkerFilter = None
    officer: OfficerFilter = None


class Place(Answer):
    """The last fix before the burst began, WGS-84 degrees, and how old it was then."""

    lat: float
    lon: float
    fix_time: datetime
    age_s: float


class Burst(Answer):
    """One burst; `officer` wore the device when it began, or it was their account.

    Attributes:
        unit: of the group, where the reader sees it.
        grant: number of the grant in its group.
        lost: packets that never came.
        complete: false when the recorder process was killed and the file closed by its successor.
        held_by: incidents that no rule erases it before.
    """

    id: str
    gid: str
    group_name: str | None
    group_kind: GroupKind | None
    unit: UnitName | None
    talker: str
    talker_name: str
    did: str | None
    officer: OfficerName | None
    grant: int
    urgency: Urgency
    started_at: datetime
    ended_at: datetime
    place: Place | None
    size_bytes: int
    sha256: str
    lost: int
    complete: bool
    registered_at: datetime
    held_by: list[Holder]


class HeardGroup(Answer):
    """A group that something was said in; `open` while people may talk there."""

    gid: str
    name: str
    kind: GroupKind | None
    open: bool


class HeardTalker(Answer):
    """Somebody who said something: an officer, or whoever has the name `talker` on the radio net."""

    officer: OfficerName | None
    talker: str
    name: str


class Heard(Answer):
    """What bursts of a time can be narrowed down to, at most 500 of each."""

    groups: list[HeardGroup]
    talkers: list[HeardTalker]


class LogEntry(Answer):
    """One line of the floor log; `by` preempted or took down. Names: of whoever wore the device then, where known."""

    id: str
    gid: str
    at: datetime
    what: str
    who: str
    who_name: str | None
    by: str | None
    by_name: str | None
    grant: int | None
    urgency: Urgency
    priority: int


class Log(Answer):
    """What happened in the group around a burst, oldest first, at most 500."""

    items: list[LogEntry]


@router.get("", response_model=Page[Burst])
async def bursts(
    services: Serving, caller: Annotated[Caller, allow("recordings")], wanted: Annotated[Wanted, Depends()]
) -> dict[str, object]:
    """Bursts that overlap a time, newest first."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("bursts", "page", wanted.values())
    return wanted.page(rows, "started_at")


@router.get("/heard")
async def heard(
    services: Serving, caller: Annotated[Caller, allow("recordings")], since: From = None, until: To = None
) -> Heard:
    """In which groups something was said in a stretch of time, and by whom."""
    values = {"from": since, "to": until, "limit": HEARD_MAX}
    async with services.store.session(caller.scope) as session:
        groups = await session.all("bursts", "heard_groups", values)
        talkers = await session.all("bursts", "heard_talkers", values)
    return Heard(groups=[HeardGroup(**row) for row in groups], talkers=[HeardTalker(**row) for row in talkers])


@router.get("/{burst_id}/audio", response_class=FileResponse)
async def burst_audio(
    services: Serving, caller: Annotated[Caller, allow("recordings")], burst_id: BurstId
) -> FileResponse:
    """The sound as Ogg Opus (RFC 7845), whole or in ranges (RFC 9110 §14)."""
    async with services.store.session(caller.scope) as session:
        row = await _one(session, burst_id)
        path = file_below(services.settings.recordings, row["file"])
        await record_playback(session, caller, "burst.play", row["talker"], burst_id)
    name = f"{row['gid']}-{row['started_at']:%Y%m%d-%H%M%S}.opus"
    return FileResponse(path, media_type="audio/ogg", filename=name, content_disposition_type="inline")


@router.get("/{burst_id}/log")
async def burst_log(services: Serving, caller: Annotated[Caller, allow("recordings")], burst_id: BurstId) -> Log:
    """Who asked for the floor, had it, waited or was refused, from five seconds before to five seconds after."""
    async with services.store.session(caller.scope) as session:
        burst = await _one(session, burst_id)
        rows = await session.all("bursts", "log", {name: burst[name] for name in _LOGGED})
    return Log(items=[LogEntry(**row) for row in rows])


_LOGGED = ("gid", "grant", "started_at", "ended_at")


async def _one(session: Session, burst_id: str) -> Row:
    row = await session.one("bursts", "page", {**Wanted().values(), "id": burst_id})
    if row is None:
        raise not_found("burst")
    return row
