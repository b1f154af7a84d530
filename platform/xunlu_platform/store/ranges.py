"""Sequences as ranges: what `int8multirange` holds, in the few forms that ingest needs."""

import re
from collections.abc import Iterable

_RANGE = re.compile(r"\[(-?\d+),(-?\d+)\)")


class Ranges:
    """A set of sequences that is written to the database as `{[1,4),[9,12)}`.

    It is filled one by one and merged when it is written: within a batch most sequences follow each other.
    """

    __slots__ = ("_ranges",)

    def __init__(self, sequences: Iterable[int] = ()) -> None:
        self._ranges: list[tuple[int, int]] = []
        for sequence in sequences:
            self.add(sequence)

    def add(self, first: int, last: int | None = None) -> None:
        """Add `first` to `last`, both included."""
        end = first if last is None else last
        if self._ranges and self._ranges[-1][1] + 1 == first:
            self._ranges[-1] = (self._ranges[-1][0], end)
        else:
            self._ranges.append((first, end))

    def __str__(self) -> str:
        return "{" + ",".join(f"[{first},{last + 1})" for first, last in self._ranges) + "}"


def parse_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Parse PostgreSQL's canonical form `{[1,4),[9,12)}` to ranges with both ends included."""
    if text == "{}":
        return ()
    return tuple((int(first), int(end) - 1) for first, end in _RANGE.findall(text))
