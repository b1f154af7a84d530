"""What a person sees: the contract's lines on standard output, progress and warnings on standard error."""

import re
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

WARNINGS_MAX = 10
WINDOW_S = 60.0
_WARNING = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|^Traceback")


def say(line: str) -> None:
    """Print a line of the contract."""
    print(line, flush=True)  # noqa: T201


def progress(line: str) -> None:
    """Print a step."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


class Warnings:
    """Shows processes' warnings with their name, at most `WARNINGS_MAX` a minute each; the log files have all.

    Attributes:
        withheld: how many were not shown.
    """

    def __init__(self) -> None:
        self.withheld = 0
        self._shown = False
        self._recent: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WARNINGS_MAX))

    @contextmanager
    def visible(self) -> Iterator[None]:
        """Show warnings meanwhile; those of starting and stopping are expected."""
        self._shown = True
        try:
            yield
        finally:
            self._shown = False

    def __call__(self, name: str, line: str) -> None:
        """Take one line of a process."""
        if not (self._shown and _WARNING.search(line)):
            return
        recent, now = self._recent[name], time.monotonic()
        if len(recent) == WARNINGS_MAX and now - recent[0] < WINDOW_S:
            self.withheld += 1
            return
        recent.append(now)
        progress(f"[{name}] {line}")
