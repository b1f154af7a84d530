"""Looking back: tracks, what happened meanwhile, the fleet as it was. A look leaves an audit row for each subject."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from pydantic_core import to_json

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.fleet import alarm_fields
from xunlu_platform.api.fleet_device import device_of, interval_s_of
from xunlu_platform.api.paging import After, decode_cursor
from xunlu_platform.api.periods import NeededFrom, NeededTo, check_years
from xunlu_platform.api.problems import invalid, not_found
from xunlu_platform.api.review_answers import raw_body, tracks_body
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.roles import Permission
from xunlu_platform.review.moments import Kind, find_moments
from xunlu_platform.review.raw import read_raw
from xunlu_platform.review.subjects import SUBJECT_PATTERN, SUBJECTS_MAX, Subject, find_subjects
from xunlu_platform.review.tracks import LEVELS, find_tracks
from xunlu_platform.store.review import read_fleet_at
from xunlu_platform.store.store import Row, Scope, Session

router = APIRouter(tags=["review"])

Reviewer = Annotated[Caller, allow("review")]
Key = Annotated[str, Query(pattern=SUBJECT_PATTERN)]

JSON = "application/json"

# What somebody needs to see a kind.
KINDS: dict[Kind, Permission] = {
    "recording": "recordings",
    "burst": "recordings",
    "heard": "recordings",
    "alarm": "events",
    "event": "review",
    "zone": "review",
    "command": "command",
    "message": "recordings",
    "incident": "incidents",
    "viewing": "audit",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Whom, and which time; the address repeats `subject`."""

    subject: Annotated[
        list[Key],
        Query(min_length=1, max_length=SUBJECTS_MAX, description="`o{officer id}` or `d{did}`; repeat it."),
    ]
    since: NeededFrom
    until: NeededTo


Asked = Annotated[Question, Depends()]


@router.get("/review/tracks", response_class=Response)
async def tracks(
    services: Serving,
    caller: Reviewer,
    asked: Asked,
    tolerance_m: Annotated[
        int, Query(description="0, 5, 20, 80 or 320: how far what is left out may lie off; 0 is every fix, in pages.")
    ] = 5,
    raw: Annotated[
        bool, Query(description="With tolerance_m=0: rejected fixes as well, each with its reason.")
    ] = False,
    after: After = None,
) -> Response:
    """Where some subjects were, whoever wore what, and every moment explained; at most 31 days and 250,000 points."""
    check_years(asked.since, asked.until)
    check_detail(tolerance_m, raw, after)
    place = decode_cursor(after, tuple[int, AwareDatetime, int, int])
    scope = scope_of(caller, asked)
    async with services.store.session(scope) as session:
        subjects = await find_subjects(session, asked.subject, asked.since, asked.until)
        await note(session, caller, "review.tracks", subjects, asked)
    if tolerance_m:
        found = await find_tracks(services.store, scope, subjects, tolerance_m)
        make = partial(tracks_body, subjects, found, asked.since, asked.until, tolerance_m)
    else:
        page = await read_raw(services.store, scope, subjects, place)
        make = partial(raw_body, subjects, page, asked.since, asked.until, flagged=raw)
    return Response(await asyncio.to_thread(make), media_type=JSON)


@router.get("/review/moments", response_class=Response)
async def moments(services: Serving, caller: Reviewer, asked: Asked) -> Response:
    """Recordings, bursts, alarms, events, orders, zones, incidents and viewings in order of time, at most 10,000."""
    check_years(asked.since, asked.until)
    kinds = [kind for kind, needed in KINDS.items() if caller.may(needed)]
    async with services.store.session(scope_of(caller, asked)) as session:
        subjects = await find_subjects(session, asked.subject, asked.since, asked.until)
        await note(session, caller, "review.moments", subjects, asked)
        found = await find_moments(session, subjects, asked.since, asked.until, kinds)
    return Response(await asyncio.to_thread(to_json, found), media_type=JSON)


@router.get("/fleet/at", response_class=Response)
async def fleet_at(
    services: Serving,
    caller: Annotated[Caller, allow("track")],
    at: Annotated[AwareDatetime, Query(description="ISO 8601 with offset.")],
) -> Response:
    """The devices and open alarms of a moment, in the form of the event stream's `snapshot`."""
    async with services.store.session(caller.scope) as session:
        await record(session, caller, "review.fleet", at=at.isoformat())
        devices, alarms = await read_fleet_at(session, at)
    at_ms = round(at.timestamp() * 1000)
    return Response(await asyncio.to_thread(_snapshot, at_ms, devices, alarms), media_type=JSON)


def scope_of(caller: Caller, asked: Question) -> Scope:
    """Where to look; an officer asks only for themselves, and then also what they wore once is theirs."""
    own = caller.scope.officer_id
    if own is None:
        return caller.scope
    if set(asked.subject) != {f"o{own}"}:
        raise not_found("subject")
    return Scope(caller.scope.path)


def check_detail(tolerance_m: int, raw: bool, after: str | None) -> None:
    """Refuse a level that nobody makes, and pages of what comes at once."""
    if tolerance_m not in (0, *LEVELS):
        raise invalid("tolerance_m", "level", "`tolerance_m` is 0, 5, 20, 80 or 320.")
    if tolerance_m and (raw or after):
        raise invalid("tolerance_m", "level-raw", "`raw` and `after` go with `tolerance_m=0` only.")


async def note(session: Session, caller: Caller, action: str, subjects: Sequence[Subject], asked: Question) -> None:
    """Write down who looked at whom: a row for each subject."""
    period = {"from": asked.since.isoformat(), "to": asked.until.isoformat()}
    async with session.connection.pipeline():
        for subject in subjects:
            await record(session, caller, action, subject.name, subject=subject.key, **period)


def _snapshot(at_ms: int, devices: Iterable[Row], alarms: Iterable[Row]) -> bytes:
    """The message `snapshot` of the event stream; without a cursor, because nothing follows it."""
    standing = [alarm_fields(row)[1] for row in alarms]
    sos = {one["did"]: one["id"] for one in standing if one["kind"] == "sos"}
    told = []
    for row in devices:
        device = device_of(row)
        device.fields["sos"] = sos.get(device.did)
        told.append(device.fields | {"interval_s": interval_s_of(device)})
    return to_json({"type": "snapshot", "cursor": None, "now_ms": at_ms, "devices": told, "alarms": standing})
