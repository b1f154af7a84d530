"""Sign-in attempts of an address: a bounded table, the longest unused address goes first."""

from collections import OrderedDict
from dataclasses import dataclass

from xunlu_kit.clock import Clock


@dataclass(slots=True)
class _Attempts:
    count: int
    window_ends_s: float


class Throttle:
    """Counts attempts of each address in windows of fixed length."""

    def __init__(self, clock: Clock, *, attempts_max: int, window_s: float, addresses_max: int = 10_000) -> None:
        """Describe the throttle.

        Args:
            clock: its monotonic time is used.
            attempts_max: attempts of one address within a window.
            window_s: seconds from the first attempt until all are forgotten.
            addresses_max: addresses that are remembered.
        """
        self._clock = clock
        self._attempts_max = attempts_max
        self._window_s = window_s
        self._addresses_max = addresses_max
        self._table: OrderedDict[str, _Attempts] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        attempts = self._table.get(address)
        if attempts is None or attempts.count < self._attempts_max:
            return 0
        return max(0.0, attempts.window_ends_s - self._clock.monotonic_s())

    def count(self, address: str) -> None:
        """Note one attempt."""
        now = self._clock.monotonic_s()
        attempts = self._table.get(address)
        if attempts is None or attempts.window_ends_s <= now:
            self._table[address] = attempts = _Attempts(0, now + self._window_s)
        attempts.count += 1
        self._table.move_to_end(address)
        while len(self._table) > self._addresses_max:
            self._table.popitem(last=False)
