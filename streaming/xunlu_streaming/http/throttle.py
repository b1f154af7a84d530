"""Requests of an address: a token bucket each, in a bounded table (RFC 9725 §5: floods of POST, PATCH, DELETE)."""

from collections import OrderedDict
from dataclasses import dataclass

from xunlu_kit.clock import Clock


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_s: float


class Throttle:
    """A bucket of tokens for each address; the longest unused address is forgotten first."""

    def __init__(
        self, clock: Clock, *, rate_per_s: float = 10.0, burst: int = 200, addresses_max: int = 10_000
    ) -> None:
        """Describe the throttle.

        Args:
            clock: its monotonic time is used.
            rate_per_s: requests of one address that are allowed for ever.
            burst: requests of one address at once: several desks with a wall of sixteen pictures share an address.
            addresses_max: addresses that are remembered.
        """
        self._clock = clock
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._addresses_max = addresses_max
        self._table: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Take a token for a request: 0 when there was one, else seconds until there is."""
        now_s = self._clock.monotonic_s()
        bucket = self._table.setdefault(address, _Bucket(self._burst, now_s))
        self._table.move_to_end(address)
        if len(self._table) > self._addresses_max:
            self._table.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.filled_s) * self._rate_per_s)
        bucket.filled_s = now_s
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._rate_per_s
        bucket.tokens -= 1
        return 0
