"""Every fix, a page at a time: for a desk that looks closely, and for exports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from xunlu_gis.track import Track
from xunlu_platform.review.subjects import Subject
from xunlu_platform.store.review import Stretch, read_fixes
from xunlu_platform.store.store import Scope, Store

PAGE_FIXES: Final = 20_000

Place = tuple[int, datetime, int, int]
"""Number of the stretch among all of the question, then fix time, sid and seq of the last fix that was told."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Fixes of a stretch that stand on a page: `subject` is its index in the question."""

    subject: int
    stretch: Stretch
    track: Track


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
        wanted = _after(stretch, since) if since and n == first else stretch
        async with store.session(scope) as session:
            [track] = await read_fixes(session, [wanted], fixes_max=left)
        track = track[:left]
        left -= len(track)
        parts.append(Part(subject=subject, stretch=stretch, track=track))
        if not left:
            return RawPage(parts=parts, next=_place(n, track))
    return RawPage(parts=parts, next=None)


def _after(stretch: Stretch, last: tuple[datetime, int, int]) -> Stretch:
    at, sid, seq = last
    return replace(stretch, since=max(at, stretch.since), after=(sid, seq))


def _place(n: int, track: Track) -> Place:
    return n, datetime.fromtimestamp(int(track.time_ms[-1]) / 1000, UTC), int(track.sid[-1]), int(track.seq[-1])
