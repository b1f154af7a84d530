"""Incidents: officers, a time and a place under a name; notes are only added, marks are only struck."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from pydantic_core import from_json, to_json

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import read_drawing
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import UnitName
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.periods import check_years
from xunlu_platform.api.problems import conflict, invalid, not_found, undrawable
from xunlu_platform.api.search import Search, pattern
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller
from xunlu_platform.review.subjects import SUBJECT_PATTERN, SUBJECTS_MAX, find_subjects
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/incidents", tags=["incidents"])

FILE = "incidents"
NOTES_MAX = 1000
MARKS_MAX = 500
_ANY: Mapping[str, Any] = {"id": None, "q": None, "open": None, "alarm": None, "limit": 1, "after": None}

Investigator = Annotated[Caller, allow("incidents")]
Title = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
Step = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Key = Annotated[str, Field(pattern=SUBJECT_PATTERN)]
Keys = Annotated[list[Key], Field(min_length=1, max_length=SUBJECTS_MAX)]
Feature = Annotated[
    dict[str, Any], Field(description="GeoJSON feature, WGS-84: polygon, point with radius_m, line with width_m.")
]


class NewIncident(BaseModel):
    """What, who, when and where; `alarm_id` is what it was made from."""

    title: Title
    since: Annotated[AwareDatetime, Field(alias="from")]
    until: Annotated[AwareDatetime, Field(alias="to")]
    subjects: Keys
    place: Feature | None = None
    alarm_id: Id | None = None
    unit_id: Annotated[Id | None, Field(description="Whose it is; the caller's own unit when left out.")] = None


class IncidentChange(BaseModel):
    """What is left out stays; what was before is kept as a note."""

    title: Title | None = None
    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None
    subjects: Keys | None = None
    place: Feature | None = None


class NewNote(BaseModel):
    """Something to remember."""

    text: Words


class Closing(NewNote):
    """The last word; `release` lets rules erase what the incident held (解除冻结)."""

    release: bool = False


class NewMark(BaseModel):
    """A step that matters (关键环节): when, whom it is about, and what; without `subject` it is about all."""

    at: AwareDatetime
    text: Step
    subject: Key | None = None


class SubjectName(Answer):
    """Somebody in passing: an officer with a number, or a device without one."""

    subject: str
    name: str
    number: str | None


class Incident(Answer):
    """An incident of a list."""

    id: int
    title: str
    since: Annotated[datetime, Field(serialization_alias="from")]
    until: Annotated[datetime, Field(serialization_alias="to")]
    place: dict[str, Any] | None
    subjects: list[SubjectName]
    alarm_id: int | None
    unit: UnitName
    created_at: datetime
    created_by: str | None
    closed_at: datetime | None
    released_at: datetime | None
    marks_count: int


class Note(Answer):
    """What somebody wrote or did; `changed` has, by field, what was before and what is now."""

    id: int
    at: datetime
    author: str
    kind: Literal["note", "change", "close", "reopen"]
    text: str
    changed: dict[str, list[Any]]


class Mark(Answer):
    """A step; a struck one counts no more, and stays to be seen."""

    id: int
    at: datetime
    subject: str | None
    text: str
    made_at: datetime
    author: str
    struck_at: datetime | None
    struck_by: str | None


class Erased(Answer):
    """What a rule has erased of it: of positions the whole hours of a device; what an incident holds is never erased.

    Attributes:
        did: None of what was said at a desk.
        name: of the officer whose it was, where known.
    """

    what: Literal["recording", "burst", "position"]
    did: str | None
    name: str | None
    at: datetime
    until: datetime
    erased_at: datetime


class WholeIncident(Incident):
    """With everything that was written, oldest first, and at most 500 of what was erased."""

    notes: list[Note]
    marks: list[Mark]
    erased: list[Erased]


@router.get("", response_model=Page[Incident])
async def incidents(
    services: Serving,
    caller: Investigator,
    q: Search = None,
    state: Annotated[Literal["open", "closed", "all"], Query()] = "all",
    alarm: Annotated[Id | None, Query(description="Made from this alarm only.")] = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Incidents, newest first."""
    values = {
        "id": None, "q": pattern(q), "open": {"open": True, "closed": False, "all": None}[state], "alarm": alarm,
        "limit": limit + 1, "after": decode_cursor(after, int),
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        rows = await session.all(FILE, "page", values)
    return page(rows, limit, lambda row: row["id"])


@router.post("", response_model=WholeIncident, status_code=HTTPStatus.CREATED)
async def create(services: Serving, caller: Investigator, new: NewIncident, response: Response) -> Row:
    """Make an incident of subjects whom the caller sees. The same alarm twice is one incident: the first, with 200."""
    values = {
        "title": new.title, "since": new.since, "until": new.until, "place": _drawn(new.place),
        "subjects": list(dict.fromkeys(new.subjects)), "alarm_id": new.alarm_id,
        "unit_id": new.unit_id or caller.unit_id, "account_id": caller.account_id,
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        await _check(session, values)
        if new.alarm_id is not None and (known := await _of_alarm(session, new.alarm_id)):
            response.status_code = HTTPStatus.OK
            return await _whole(session, known["id"])
        row = await session.one(FILE, "insert", values)
        assert row is not None
        await record(session, caller, "incident.create", new.title, id=row["id"], **_told(values))
        return await _whole(session, row["id"])


@router.get("/{incident_id}", response_model=WholeIncident)
async def incident(services: Serving, caller: Investigator, incident_id: Id) -> Row:
    """One incident with its notes and marks."""
    async with services.store.session(caller.scope) as session:
        return await _whole(session, incident_id)


@router.patch("/{incident_id}", response_model=WholeIncident)
async def change(services: Serving, caller: Investigator, incident_id: Id, changed: IncidentChange) -> Row:
    """Change what is given. What was before stays in the incident, with who changed it."""
    async with services.store.session(caller.scope) as session:
        before = await held(session, incident_id)
        told = {**before, "subjects": [one["subject"] for one in before["subjects"]]}
        values = {name: told[name] for name in ("title", "since", "until", "place", "subjects")}
        values |= changed.model_dump(exclude_unset=True, exclude_none=True)
        values["subjects"] = list(dict.fromkeys(values["subjects"]))
        if "place" in changed.model_fields_set:
            values["place"] = _drawn(changed.place)
        await _check(session, values)
        was, now = _told(told), _told(values)
        differences = {name: [was[name], now[name]] for name in now if was[name] != now[name]}
        if differences:
            await session.run(FILE, "change", {**values, "id": incident_id})
            await _write(session, caller, incident_id, "change", changed=differences)
            await record(session, caller, "incident.change", values["title"], id=incident_id, changed=differences)
        return await _whole(session, incident_id)


@router.post("/{incident_id}/close", response_model=WholeIncident)
async def close(services: Serving, caller: Investigator, incident_id: Id, closing: Closing) -> Row:
    """Close it with a last word; it holds on until it is released. It can be opened again."""
    return await _turn(services, caller, incident_id, closing.text, closed=True, released=closing.release)


@router.post("/{incident_id}/reopen", response_model=WholeIncident)
async def reopen(services: Serving, caller: Investigator, incident_id: Id, note: NewNote) -> Row:
    """Open a closed one again, and say why."""
    return await _turn(services, caller, incident_id, note.text, closed=False)


@router.post("/{incident_id}/notes", response_model=WholeIncident, status_code=HTTPStatus.CREATED)
async def add_note(services: Serving, caller: Investigator, incident_id: Id, note: NewNote) -> Row:
    """Add a note; none is ever altered."""
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        await _write(session, caller, incident_id, "note", note.text)
        await record(session, caller, "incident.note", found["title"], id=incident_id)
        return await _whole(session, incident_id)


@router.post("/{incident_id}/marks", response_model=WholeIncident, status_code=HTTPStatus.CREATED)
async def add_mark(services: Serving, caller: Investigator, incident_id: Id, mark: NewMark) -> Row:
    """Mark a step within the time of the incident."""
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        if not found["since"] <= mark.at <= found["until"]:
            raise invalid("at", "mark-time", "A mark lies within the time of the incident; change that first.")
        if mark.subject is not None and mark.subject not in {one["subject"] for one in found["subjects"]}:
            raise invalid("subject", "mark-subject", "{subject} is not part of the incident.", subject=mark.subject)
        values = {
            **mark.model_dump(), "id": incident_id, "account_id": caller.account_id, "author": caller.username,
            "marks_max": MARKS_MAX,
        }  # fmt: skip
        row = await session.one(FILE, "add_mark", values)
        if row is None:
            raise conflict("too-many-marks", "The incident has {marks} marks.", "Make another one.", marks=MARKS_MAX)
        await record(session, caller, "incident.mark", found["title"], id=incident_id, mark=row["id"])
        return await _whole(session, incident_id)


@router.post("/{incident_id}/marks/{mark_id}/strike", response_model=WholeIncident)
async def strike(services: Serving, caller: Investigator, incident_id: Id, mark_id: Id) -> Row:
    """Strike a mark; who did so first stays, and so does the mark."""
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        values = {"id": incident_id, "mark": mark_id, "author": caller.username}
        if await session.one(FILE, "mark", values) is None:
            raise not_found("mark")
        if await session.run(FILE, "strike_mark", values):
            await record(session, caller, "incident.strike", found["title"], id=incident_id, mark=mark_id)
        return await _whole(session, incident_id)


async def one_incident(session: Session, incident_id: int) -> Row:
    """The row of an incident within the scope.

    Raises:
        Problem: 404.
    """
    row = await session.one(FILE, "page", {**_ANY, "id": incident_id})
    if row is None:
        raise not_found("incident")
    return row


async def held(session: Session, incident_id: int) -> Row:
    """The same, and nobody else writes to it until the transaction ends.

    Raises:
        Problem: 404.
    """
    await session.one(FILE, "hold", {"id": incident_id})
    return await one_incident(session, incident_id)


async def _whole(session: Session, incident_id: int) -> Row:
    row = await one_incident(session, incident_id)
    notes = await session.all(FILE, "notes", {"id": incident_id})
    marks = await session.all(FILE, "marks", {"id": incident_id})
    erased = await session.all(FILE, "erased", {"id": incident_id})
    return {**row, "notes": notes, "marks": marks, "erased": erased}


async def _turn(
    services: Serving, caller: Caller, incident_id: int, words: str, *, closed: bool, released: bool = False
) -> Row:
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        if await session.run(FILE, "close", {"id": incident_id, "closed": closed, "released": released}):
            verb: Literal["close", "reopen"] = "close" if closed else "reopen"
            was = found["released_at"] is not None
            changed = {"released": [was, released]} if was != released else {}
            await _write(session, caller, incident_id, verb, words, changed=changed)
            await record(session, caller, f"incident.{verb}", found["title"], id=incident_id, changed=changed)
        return await _whole(session, incident_id)


async def _write(
    session: Session,
    caller: Caller,
    incident_id: int,
    kind: Literal["note", "change", "close", "reopen"],
    words: str = "",
    *,
    changed: Mapping[str, Any] | None = None,
) -> None:
    values = {
        "id": incident_id, "account_id": caller.account_id, "author": caller.username, "kind": kind, "text": words,
        "changed": dict(changed or {}), "notes_max": NOTES_MAX,
    }  # fmt: skip
    if await session.one(FILE, "add_note", values) is None:
        raise conflict("too-many-notes", "The incident has {notes} notes.", "Make another one.", notes=NOTES_MAX)


async def _of_alarm(session: Session, alarm_id: int) -> Row | None:
    """The incident that the caller sees of an alarm, if there is one; nobody else makes one until the transaction ends.

    Raises:
        Problem: 422 for an alarm out of the scope.
    """
    if await session.one(FILE, "hold_alarm", {"id": alarm_id}) is None:
        raise invalid("alarm_id", "unknown-alarm", "There is no alarm {alarm}.", alarm=alarm_id)
    return await session.one(FILE, "page", {**_ANY, "alarm": alarm_id})


async def _check(session: Session, values: Mapping[str, Any]) -> None:
    """Refuse a time that cannot be looked back at, and subjects that the caller does not see."""
    check_years(values["since"], values["until"])
    await find_subjects(session, values["subjects"], values["since"], values["until"])


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that people set, as JSON."""
    times = {"from": values["since"].isoformat(), "to": values["until"].isoformat()}
    return {"title": values["title"], **times, "subjects": values["subjects"], "place": values["place"]}


def _drawn(feature: dict[str, Any] | None) -> dict[str, Any] | None:
    """The place as the database gives it back, so that one that is the same is no change."""
    if feature is None:
        return None
    try:
        return dict(from_json(to_json(read_drawing(feature).shape.as_geojson())))
    except ZoneError as error:
        raise undrawable("place", error) from error
