"""Everything beside positions that has a time: what was recorded, said, raised, ordered, entered, noted or watched."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from xunlu_platform.review.subjects import Subject
from xunlu_platform.store.review import Stretch, read_moments
from xunlu_platform.store.store import Session

MOMENTS_MAX: Final = 10_000

Kind = Literal[
    "recording", "burst", "heard", "alarm", "event", "command", "message", "zone", "incident", "viewing"
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that happened.

    Attributes:
        at: when, or when it began.
        until: when it ended; None for what takes no time, and for an alarm that nobody has closed.
        kind: what it is; of a zone `zone_enter`, `zone_leave` or `zone_dwell`; an `incident`, or a `step_mark` of one;
            what was `heard` is a `burst` of somebody else, and a `message` is told as a `command`.
        subject: whose, by the key of the question; of what concerns several, the first of them; empty for a burst of
            somebody else.
        did: with which device; None for what was said or written at a desk.
        id: unique within the kind.
        text: the type, name or group by which people know it.
        detail: more, by kind: docs/api.md.
    """

    at: datetime
    until: datetime | None
    kind: str
    subject: str
    did: str | None
    id: str
    text: str
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """In order of time; `more` says that there were more than `MOMENTS_MAX`."""

    moments: list[Moment]
    more: bool


async def find_moments(
    session: Session, subjects: Sequence[Subject], since: datetime, until: datetime, kinds: Collection[Kind]
) -> Moments:
    """What happened to some subjects while they wore their devices.

    Args:
        session: within the scope of whoever asks.
        subjects: of `find_subjects`, for the same time.
        since: included.
        until: excluded.
        kinds: what the reader may see.

    Raises:
        StoreError: the database does not answer.
    """
    owners = [(subject, stretch) for subject in subjects for stretch in _stretches(subject, since, until)]
    officers = [subject.officer.id if subject.officer else None for subject, _ in owners]
    found: dict[tuple[str, str, str], Moment] = {}
    more = False
    for kind in kinds:
        rows = await read_moments(session, kind, [one for _, one in owners], officers, limit=MOMENTS_MAX + 1)
        more = more or len(rows) > MOMENTS_MAX
        for row in rows:
            moment = Moment(**{"kind": kind, "subject": owners[row.pop("n")][0].key, **row})
            # What lasts over a change of binding is found in both stretches.
            found.setdefault((moment.subject, moment.kind, moment.id), moment)
    ordered = sorted(found.values(), key=lambda one: (one.at, one.kind, one.subject, one.id))
    return Moments(moments=ordered[:MOMENTS_MAX], more=more or len(ordered) > MOMENTS_MAX)


def _stretches(subject: Subject, since: datetime, until: datetime) -> Iterator[Stretch]:
    yield from subject.worn
    if subject.officer:
        # Without a device: what they said at a desk.
        yield Stretch(device_id=None, did="", since=since, until=until)
