"""Every fix, a page at a time: for a desk that looks closely, and for exports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from xunlu_gis.track import Track
from xunlu_platform.review.shape import BEFORE_MS
from xunlu_platform.review.subjects import Subject
from xunlu_platform.store.review import Stretch, read_fixes
from xunlu_platform.store.store import Scope, Session, Store

PAGE_FIXES: Final = 20_000

Place = tuple[int, datetime, int, int]
"""Number of the stretch among all of the question, then fix time, sid and seq of the last fix that was told."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Fixes of a stretch that stand on a page.

    Attributes:
        subject: index in the question.
        stretch: whole.
        track: those of the page, after some that stood on the page before.
        before: how many these are: by them the others are judged, and where the page begins the way goes on.
    """

    subject: int
    stretch: Stretch
    track: Track
    before: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RawPage:
    """Some fixes, and after which place there are more."""

    parts: list[Part]
    next: Place | None


async def read_raw(store: Store, scope: Scope, subjects: Sequence[Subject], after: Place | None) -> RawPage:
    """The next `PAGE_FIXES` fixes, subject by subject, in order of fix time.

    Raises:
        StoreError: the database does not answer.
    """
    stretches = [(number, stretch) for number, subject in enumerate(subjects) for stretch in subject.worn]
    first, since = (after[0], after[1:]) if after else (0, None)
    parts: list[Part] = []
    left = PAGE_FIXES
    for n, (subject, stretch) in enumerate(stretches):
        if n < first:
            continue
        last = since if n == first else None
        async with store.session(scope) as session:
            [track] = await read_fixes(session, [_after(stretch, last) if last else stretch], fixes_max=left)
            before = await _before(session, stretch, last) if last else Track.of((), (), ())
        track = track[:left]
        left -= len(track)
        parts.append(Part(subject=subject, stretch=stretch, track=before.joined(track), before=len(before)))
        if not left:
            return RawPage(parts=parts, next=_place(n, track))
    return RawPage(parts=parts, next=None)


def _after(stretch: Stretch, last: tuple[datetime, int, int]) -> Stretch:
    at, sid, seq = last
    return replace(stretch, since=max(at, stretch.since), after=(sid, seq))


async def _before(session: Session, stretch: Stretch, last: tuple[datetime, int, int]) -> Track:
    """The fixes of a stretch shortly before a place, with the one at it."""
    at, sid, seq = last
    since, until = max(stretch.since, at - timedelta(milliseconds=BEFORE_MS)), at + timedelta(milliseconds=1)
    [track] = await read_fixes(session, [replace(stretch, since=since, until=until)])
    earlier = track.time_ms < round(at.timestamp() * 1000)
    return track[earlier | (track.sid < sid) | ((track.sid == sid) & (track.seq <= seq))]


def _place(n: int, track: Track) -> Place:
    return n, datetime.fromtimestamp(int(track.time_ms[-1]) / 1000, UTC), int(track.sid[-1]), int(track.seq[-1])
