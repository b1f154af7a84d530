"""Capped exponential back-off with full jitter: the only place where a retry waits."""

import random
from collections.abc import Iterator


def backoff_s(*, first_s: float = 0.5, cap_s: float = 60.0, rng: random.Random | None = None) -> Iterator[float]:
    """Yield waiting times without end.

    Full jitter keeps ten thousand recorders from knocking in step after a broker restart.

    Args:
        first_s: upper bound of the first wait, > 0.
        cap_s: upper bound of every wait.
        rng: source of randomness; seeded in tests.

    Yields:
        Seconds, uniformly from (0.1 · bound, bound]; the bound doubles up to `cap_s`.
    """
    source = rng or random.Random()
    bound = first_s
    while True:
        yield source.uniform(0.1 * bound, bound)
        bound = min(cap_s, bound * 2)
