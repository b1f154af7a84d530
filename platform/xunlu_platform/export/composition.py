"""Everything that an incident shows: its subjects, their tracks, what happened meanwhile, and the files of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, Self

from xunlu_platform.errors import NotFoundError, TooMuchError
from xunlu_platform.review.moments import Kind, Moment, find_moments
from xunlu_platform.review.subjects import Subject, find_subjects
from xunlu_platform.review.tracks import LEVELS, Worn, find_tracks
from xunlu_platform.store.store import Row, Scope, Session, Store

FILE: Final = "incidents"

MediaKind = Literal["recording", "burst"]
MEDIA: Final[tuple[MediaKind, ...]] = ("recording", "burst")
PLAYED: Final[tuple[Kind, ...]] = (*MEDIA, "heard")
"""What is told as such."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """What people made of it.

    Attributes:
        id: of the incident.
        title: in people's words.
        since: included.
        until: excluded.
        keys: of its subjects.
        place: GeoJSON feature, WGS-84, or None.
        notes: rows of `incident_note`, oldest first.
        marks: rows of `incident_mark` in order of time, struck ones included.
    """

    id: int
    title: str
    since: datetime
    until: datetime
    keys: tuple[str, ...]
    place: Mapping[str, Any] | None
    notes: tuple[Row, ...]
    marks: tuple[Row, ...]

    @classmethod
    async def read(cls, session: Session, incident_id: int) -> Self:
        """One incident within the scope.

        Raises:
            NotFoundError: there is none.
            StoreError: the database does not answer.
        """
        values = {"id": incident_id, "q": None, "open": None, "alarm": None, "limit": 1, "after": None}
        row = await session.one(FILE, "page", values)
        if row is None:
            raise NotFoundError("There is no such incident.")
        return cls(
            id=incident_id,
            title=row["title"],
            since=row["since"],
            until=row["until"],
            keys=tuple(one["subject"] for one in row["subjects"]),
            place=row["place"],
            notes=tuple(await session.all(FILE, "notes", {"id": incident_id})),
            marks=tuple(await session.all(FILE, "marks", {"id": incident_id})),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A recording or a burst of the incident.

    Attributes:
        moment: when, and whose.
        name: path beside the page, such as `media/abc.mp4`.
        file: path below the recordings folder.
        sha256: as it was registered, hexadecimal.
        size_bytes: as it was registered.
        gaps: stretches without video, UTC milliseconds.
        complete: false when its recorder was killed.
    """

    moment: Moment
    name: str
    file: str
    sha256: str
    size_bytes: int
    gaps: Sequence[Mapping[str, int]]
    complete: bool

    def path(self, folder: Path) -> Path | None:
        """The file on the disk; None where it is missing or lies outside of the folder."""
        path = (folder / self.file).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Composition:
    """All of it.

    Attributes:
        incident: what people made of it.
        subjects: those that can be seen.
        missing: keys of those that cannot: out of the scope by now.
        tracks: of each subject, what each stretch comes to.
        level: bound of the simplification, metres.
        moments: in order of time, without recordings and bursts.
        more: whether there are more moments than can be shown.
        media: recordings and bursts in order of time.
        erased: what rules erased of it: rows of `incidents.erased`.
    """

    incident: Incident
    subjects: list[Subject]
    missing: list[str]
    tracks: list[list[Worn]]
    level: int
    moments: list[Moment]
    more: bool
    media: list[Media]
    erased: list[Row]


async def compose(store: Store, scope: Scope, incident_id: int, kinds: Sequence[Kind]) -> Composition:
    """Look back at an incident.

    Args:
        store: of a role that the scope binds.
        scope: of whoever shows it.
        incident_id: which.
        kinds: of moments that may be seen.

    Raises:
        NotFoundError: there is no such incident within the scope.
        TooMuchError: even simplified it is more than a page can hold.
        StoreError: the database does not answer.
    """
    async with store.session(scope) as session:
        incident = await Incident.read(session, incident_id)
        subjects, missing = await _find_known(session, incident)
        found = await find_moments(session, subjects, incident.since, incident.until, kinds)
        media = await _find_media(session, found.moments)
        erased = await session.all(FILE, "erased", {"id": incident_id})
    level, tracks = await _find_tracks(store, scope, subjects)
    return Composition(
        incident=incident,
        subjects=subjects,
        missing=missing,
        tracks=tracks,
        level=level,
        moments=[one for one in found.moments if one.kind not in MEDIA],
        more=found.more,
        media=media,
        erased=erased,
    )


async def find_media(session: Session, incident_id: int, name: str) -> Media | None:
    """The recording or burst with a name, if it belongs to the incident.

    Raises:
        NotFoundError: there is no such incident within the scope.
        StoreError: the database does not answer.
    """
    incident = await Incident.read(session, incident_id)
    subjects, _ = await _find_known(session, incident)
    found = await find_moments(session, subjects, incident.since, incident.until, PLAYED)
    wanted = [moment for moment in found.moments if moment.id == PurePosixPath(name).stem]
    return next((one for one in await _find_media(session, wanted) if one.name == f"media/{name}"), None)


async def _find_known(session: Session, incident: Incident) -> tuple[list[Subject], list[str]]:
    """The subjects that can still be seen, and the keys of the others: an incident outlives who was in it."""
    subjects: list[Subject] = []
    missing = []
    for key in incident.keys:
        try:
            subjects += await find_subjects(session, [key], incident.since, incident.until)
        except NotFoundError:
            missing.append(key)
    return subjects, missing


async def _find_tracks(store: Store, scope: Scope, subjects: Sequence[Subject]) -> tuple[int, list[list[Worn]]]:
    """As close as a page can hold."""
    for level in LEVELS[:-1]:
        try:
            return level, await find_tracks(store, scope, subjects, level)
        except TooMuchError:
            continue
    return LEVELS[-1], await find_tracks(store, scope, subjects, LEVELS[-1])


async def _find_media(session: Session, moments: Sequence[Moment]) -> list[Media]:
    found: dict[tuple[str, str], Media] = {}
    for kind in MEDIA:
        ours = {one.id: one for one in moments if one.kind == kind}
        for row in await session.all(FILE, f"{kind}_files", {"ids": list(ours)}):
            moment = ours[row.pop("id")]
            name = f"media/{moment.id}{PurePosixPath(row['file']).suffix}"
            found[kind, moment.id] = Media(moment=moment, name=name, **row)
    # What lasts over a change of hands is a moment of each of them.
    both = [(one, found.get((one.kind, one.id))) for one in moments]
    return [replace(media, moment=one) for one, media in both if media]
