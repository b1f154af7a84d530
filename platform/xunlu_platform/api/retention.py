"""How long things are kept. A rule acts only after somebody has looked at a dry run of its present form."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.paging import Answer, Page
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/retention", tags=["system"])

Subject = Literal[
    "position",
    "telemetry",
    "event",
    "availability",
    "dead_letter",
    "audit",
    "recording",
    "burst",
    "viewing",
    "voice_note",
    "floor_entry",
    "message",
]


class Held(Answer):
    """How many rows an incident held back; both words None where it is out of the reader's sight."""

    id: int | None
    title: str | None
    rows: int


class Run(Answer):
    """What a run erased, or what a dry run found to erase.

    Attributes:
        rows_affected: erased, or to be erased.
        chunks_affected: of history; each is one of positions for a day, of the others for a week or a month.
        rows_held: older than the edge, and held by incidents.
        held: by which, most first, at most 100; rows that two of them hold count for both.
    """

    at: datetime
    dry_run: bool
    older_than: datetime
    rows_affected: int
    chunks_affected: int
    rows_held: int
    held: list[Held]


class Rule(Answer):
    """A rule with its last run."""

    subject: Subject
    keep_days: int
    enabled: bool
    changed_at: datetime
    last_run: Run | None


class RuleChange(BaseModel):
    """A changed rule needs a new dry run before it acts."""

    keep_days: Annotated[int, Field(ge=1, le=36_500)]
    enabled: bool


@router.get("", response_model=Page[Rule])
async def rules(services: Serving, caller: Annotated[Caller, allow("system")]) -> dict[str, object]:
    """All rules."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("administration", "retention", {"subject": None})
    return {"items": rows, "next": None}


@router.put("/{subject}", response_model=Rule)
async def change_rule(
    services: Serving, caller: Annotated[Caller, allow("system")], subject: Subject, change: RuleChange
) -> Row:
    """Change a rule."""
    async with services.store.session(caller.scope) as session:
        await session.run("administration", "change_retention", {**change.model_dump(), "subject": subject})
        await record(session, caller, "retention.change", subject, **change.model_dump())
        return await _rule(session, subject)


@router.post("/{subject}/dry-run", response_model=Run)
async def dry_run(services: Serving, caller: Annotated[Caller, allow("system")], subject: Subject) -> object:
    """Count what the rule would erase now, and what incidents hold back."""
    async with services.store.session(caller.scope) as session:
        await record(session, caller, "retention.dry-run", subject)
        await session.one("administration", "preview_retention", {"subject": subject})
        return (await _rule(session, subject))["last_run"]


async def _rule(session: Session, subject: Subject) -> Row:
    row = await session.one("administration", "retention", {"subject": subject})
    assert row is not None
    return row
