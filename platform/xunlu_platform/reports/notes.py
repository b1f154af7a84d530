"""How the figures of a sheet were made, and what is missing."""

from collections.abc import Sequence

from xunlu_platform.reports.amounts import Amounts
from xunlu_platform.reports.days import LEVEL
from xunlu_platform.reports.ground import ZONES_MAX, Beat
from xunlu_platform.reports.sheet import Note


def notes_of(
    amounts: Amounts, beats: Sequence[Beat], *, unfinished: bool, out_of_sight: int = 0, cut_at: int | None = None
) -> tuple[Note, ...]:
    """The notes of a sheet.

    Args:
        amounts: the totals.
        beats: of the sheet.
        unfinished: whether its time goes on.
        out_of_sight: how many belong to it whom the reader may not see.
        cut_at: so many rows are listed of a table that has more; None: all are.
    """
    covered = any(beat.street_m for beat in beats)
    told: list[tuple[bool, Note]] = [
        (True, ("note.proof", {})),
        (True, ("note.track", {"bound": LEVEL})),
        (True, ("note.sums", {})),
        (True, ("note.zones", {})),
        (covered, ("note.streets", {})),
        (not covered, ("note.no_streets", {})),
        (len(beats) == ZONES_MAX, ("note.more_zones", {"zones": ZONES_MAX})),
        (bool(amounts["rostered"].value), ("note.roster", {})),
        (unfinished, ("note.unfinished", {})),
        (out_of_sight > 0, ("note.out_of_sight", {"officers": out_of_sight})),
        (any(one.value is None for one in amounts.values()), ("note.hidden", {})),
    ]
    notes = [note for holds, note in told if holds]
    return (*notes, ("note.more_moments", {"rows": cut_at})) if cut_at else tuple(notes)
