"""Who was here: everybody who was at a place in a time, with what was recorded and said there."""

import asyncio
import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import Drawing, read_drawing
from xunlu_gis.formats import disarmed
from xunlu_gis.stays import Place
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import OfficerName
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.periods import check_years
from xunlu_platform.api.problems import invalid, undrawable
from xunlu_platform.api.services import Serving
from xunlu_platform.api.zone_drawings import Feature
from xunlu_platform.api.zone_map import reference_of
from xunlu_platform.auth.logins import Caller
from xunlu_platform.review.moments import Moment
from xunlu_platform.review.subjects import SUBJECTS_MAX
from xunlu_platform.review.who import Visit, Visitor, Visitors, find_visitors

router = APIRouter(tags=["review"])

PERIOD_MAX = timedelta(hours=24)
WITHIN_M_MAX = 500
COLUMNS = (
    "subject", "number", "name", "unit", "device", "entered", "left", "duration_s", "closest_m", "fixes", "confidence",
    "recordings", "bursts",
)  # fmt: skip


class Who(BaseModel):
    """A place and a time."""

    shape: Feature
    since: Annotated[AwareDatetime, Field(alias="from")]
    until: Annotated[AwareDatetime, Field(alias="to")]
    within_m: Annotated[float, Field(ge=0, le=WITHIN_M_MAX, description="How far from the shape still counts.")] = 0


class Stay(Answer):
    """Once inside: `inside` when a fix proves it, `passing` when only the line between two fixes does."""

    did: str
    entered: datetime
    left: datetime
    closest_m: float
    fixes: int
    confidence: Literal["inside", "passing"]

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """As it is told."""
        stretch, stay = visit.stretch, visit.stay
        return cls(
            did=visit.did, entered=stretch.since, left=stretch.until, closest_m=stay.closest_m, fixes=stay.fixes,
            confidence=stay.confidence,
        )  # fmt: skip


class Covering(Answer):
    """A recording or a burst of the time inside; `url` plays it, `group` is where it was said."""

    id: str
    did: str | None
    at: datetime
    until: datetime | None
    text: str
    url: str
    sha256: str

    @classmethod
    def of(cls, moment: Moment) -> Self:
        """As it is told."""
        return cls(
            id=moment.id, did=moment.did, at=moment.at, until=moment.until, text=moment.text,
            url=moment.detail["url"], sha256=moment.detail["sha256"],
        )  # fmt: skip


class WhoWasHere(Answer):
    """A subject with its stays, what the server recorded of it meanwhile, and what it said."""

    subject: str
    officer: OfficerName | None
    unit: str | None
    stays: list[Stay]
    recordings: list[Covering]
    bursts: list[Covering]

    @classmethod
    def of(cls, one: Visitor) -> Self:
        """As it is told."""
        officer = one.officer
        return cls(
            subject=one.key,
            officer=OfficerName(id=officer.id, number=officer.number, name=officer.name) if officer else None,
            unit=officer.unit if officer else None,
            stays=[Stay.of(visit) for visit in one.visits],
            recordings=[Covering.of(moment) for moment in one.recordings],
            bursts=[Covering.of(moment) for moment in one.bursts],
        )


class WhoFound(Answer):
    """Everybody, who came first before who came later.

    Attributes:
        shape: what was asked for, repaired.
        area: the places that it means, GeoJSON both.
        subjects: at most 500.
        more: a bound cut something off.
        review: address of the view that shows the first 50 in the time asked for; None without any.
    """

    since: Annotated[datetime, Field(serialization_alias="from")]
    until: Annotated[datetime, Field(serialization_alias="to")]
    shape: dict[str, Any]
    area: dict[str, Any]
    subjects: list[WhoWasHere]
    more: bool
    review: str | None


@router.post("/review/who", response_model=WhoFound)
async def who(
    services: Serving,
    # Not `review`: an officer looks back at themselves only.
    caller: Annotated[Caller, allow("track")],
    asked: Who,
    form: Annotated[Literal["json", "csv"], Query(alias="format", description="`csv`: a row for each stay.")] = "json",
) -> Response | WhoFound:
    """Who was inside of a shape in at most 24 hours; the question is audited with its shape, and everybody found."""
    check_years(asked.since, asked.until)
    if asked.until - asked.since > PERIOD_MAX:
        raise invalid("to", "period-hours", "Ask for at most {hours} hours at a time.", hours=24)
    try:
        drawing = await asyncio.to_thread(read_drawing, asked.shape, reference_of(services.settings.map))
    except ZoneError as error:
        raise undrawable("shape", error) from error
    place = await asyncio.to_thread(Place.of, drawing.shape, asked.within_m)
    period = {"from": asked.since.isoformat(), "to": asked.until.isoformat()}
    async with services.store.session(caller.scope) as session:
        shape = drawing.shape.as_geojson()
        await record(session, caller, "review.who", shape=shape, within_m=asked.within_m, **period)
    found = await find_visitors(
        services.store, caller.scope, place, asked.since, asked.until, media=caller.may("recordings")
    )
    async with services.store.session(caller.scope) as session, session.connection.pipeline():
        for one in found.visitors:
            await record(session, caller, "review.who.found", _name(one), subject=one.key, **period)
    if form == "csv":
        headers = {"Content-Disposition": 'attachment; filename="who-was-here.csv"'}
        return Response(await asyncio.to_thread(_csv, found), media_type="text/csv", headers=headers)
    return await asyncio.to_thread(_answer, asked, drawing, found)


def _answer(asked: Who, drawing: Drawing, found: Visitors) -> WhoFound:
    subjects = [WhoWasHere.of(one) for one in found.visitors]
    return WhoFound(
        since=asked.since,
        until=asked.until,
        shape=drawing.shape.as_geojson(),
        area=drawing.as_geojson()["properties"]["area"],
        subjects=subjects,
        more=found.more,
        review=_view(asked, subjects) if subjects else None,
    )


def _view(asked: Who, subjects: Sequence[WhoWasHere]) -> str:
    """The address of the replay, its clock where the first of them came."""
    keys = ",".join(one.subject for one in subjects[:SUBJECTS_MAX])
    times = {"from": asked.since, "to": asked.until, "t": subjects[0].stays[0].entered}
    told = "".join(f"&{name}={quote(at.isoformat(), safe=':')}" for name, at in times.items())
    return f"/review?s={keys}{told}"


def _name(visitor: Visitor) -> str:
    return visitor.officer.number if visitor.officer else visitor.key[1:]


def _csv(found: Visitors) -> str:
    """A row for each stay, UTC; no cell is taken for a formula. A last row `more`: a bound cut something off."""
    text = io.StringIO()
    writer = csv.writer(text)
    # Spreadsheets read UTF-8 only with a byte order mark.
    text.write("\ufeff")
    writer.writerow(COLUMNS)
    writer.writerows(row for one in found.visitors for row in _rows(one))
    if found.more:
        writer.writerow(("more",))
    return text.getvalue()


def _rows(one: Visitor) -> Iterator[tuple[object, ...]]:
    officer = one.officer
    words = (officer.number, officer.name, officer.unit) if officer else ("", "", "")
    for visit in one.visits:
        stretch, stay = visit.stretch, visit.stay
        yield (
            *map(disarmed, (one.key, *words, visit.did)),
            stretch.since.isoformat(), stretch.until.isoformat(), (stay.left_ms - stay.entered_ms) / 1000,
            stay.closest_m, stay.fixes, stay.confidence,
            _during(one.recordings, visit), _during(one.bursts, visit),
        )  # fmt: skip


def _during(moments: Sequence[Moment], visit: Visit) -> str:
    """Ids of what covers a stay."""
    stretch = visit.stretch
    return " ".join(
        one.id
        for one in moments
        if one.did in (visit.did, None) and one.at <= stretch.until and (one.until or one.at) >= stretch.since
    )
