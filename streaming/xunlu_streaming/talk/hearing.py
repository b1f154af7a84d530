"""Which of several bursts a listener hears: it has one pair of ears."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeVar

MAIN = 0
"""Rank of the main group; scanned ones count from 1."""


class Audible(Protocol):
    """A burst as the choice sees it."""

    @property
    def urgency(self) -> int:
        """0–2."""

    @property
    def paused(self) -> bool:
        """Whether its talker says nothing just now; only in a call without a floor others may be heard meanwhile."""


BurstT = TypeVar("BurstT", bound=Audible)


class Weight(NamedTuple):
    """What cuts a running burst by being larger: a scanned group cuts no scanned group."""

    urgency: int
    main: bool
    speaks: bool


def choose(bursts: Iterable[tuple[BurstT, int]], current: BurstT | None) -> BurstT | None:
    """The most urgent burst, then the main group's, then the scanned ones by rank; None is silence.

    A burst that is heard already goes on until another one weighs more.

    Args:
        bursts: that run in the listener's groups, its own left out, each with its group's rank.
        current: that is heard now.
    """
    best: BurstT | None = None
    best_order: tuple[Weight, int] | None = None
    current_weight: Weight | None = None
    for burst, rank in bursts:
        weight = Weight(burst.urgency, rank == MAIN, not burst.paused)
        if burst is current:
            current_weight = weight
        if best_order is None or (weight, -rank) > best_order:
            best, best_order = burst, (weight, -rank)
    if current_weight is not None and best_order is not None and best_order[0] <= current_weight:
        return current
    return best
