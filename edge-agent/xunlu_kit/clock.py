"""Time as a value that is passed in, so that tests and simulations own it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def time_ms(self) -> int:
        """Wall time: UTC milliseconds since 1970. It may jump."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only grow; for intervals."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def time_ms(self) -> int:
        """Wall time: UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary point."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(seconds)
