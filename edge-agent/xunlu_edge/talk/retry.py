"""How soon a recorder tries to come back to the radio net."""

import random
from collections.abc import Iterator
from itertools import islice

from xunlu_kit.backoff import backoff_s

QUICK_TRIES, QUICK_S = 30, 0.3
"""Five seconds: a killed server is back by then, and until then nobody is there whom knocking could burden."""
FIRST_S, CAP_S = 2.0, 20.0


class Retry:
    """Waits between tries: short ones after a loss, then ever longer ones."""

    def __init__(self, rng: random.Random | None = None) -> None:
        """Begin after a loss; `rng` is seeded in tests."""
        self._quick: Iterator[float] = islice(backoff_s(first_s=QUICK_S, cap_s=QUICK_S, rng=rng), QUICK_TRIES)
        self._patient = backoff_s(first_s=FIRST_S, cap_s=CAP_S, rng=rng)

    def refused(self) -> None:
        """Somebody is there and full: knocking often would keep it so."""
        self._quick = iter(())

    def wait_s(self) -> float:
        """How long to wait now."""
        return next(self._quick, None) or next(self._patient)
