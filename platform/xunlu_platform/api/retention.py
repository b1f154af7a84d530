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
from xunlu_platform.store.store import Row

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
]


class Run(Answer):
    """What a run erased, or what a dry run found to erase."""

    at: datetime
    dry_run: bool
    older_than: datetime
    rows_affected: int
    chunks_affected: int


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
) -> Row | None:
    """Change a rule."""
    async with services.store.session(caller.scope) as session:
        await session.run("administration", "change_retention", {**change.model_dump(), "subject": subject})
        await record(session, caller, "retention.change", subject, **change.model_dump())
        return await session.one("administration", "retention", {"subject": subject})


@router.post("/{subject}/dry-run", response_model=Run)
async def dry_run(services: Serving, caller: Annotated[Caller, allow("system")], subject: Subject) -> Row | None:
    """Count what the rule would erase now."""
    async with services.store.session(caller.scope) as session:
        await record(session, caller, "retention.dry-run", subject)
        return await session.one("administration", "preview_retention", {"subject": subject})
