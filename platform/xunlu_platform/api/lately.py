"""What desks were told lately, so that one that was cut off hears it when it is back."""

from collections import deque

from xunlu_platform.api.movements import Fields

TOLD_MAX = 10_000


class Lately:
    """The last messages to the desks, each with the unit path of what it is about."""

    def __init__(self) -> None:
        self._told: deque[tuple[int, str, Fields]] = deque()
        self._forgotten_ms = 0

    def add(self, at_ms: int, path: str, message: Fields) -> None:
        """Remember a message, and forget the oldest when there are too many."""
        self._told.append((at_ms, path, message))
        if len(self._told) > TOLD_MAX:
            self._forgotten_ms, *_ = self._told.popleft()

    def since(self, since_ms: int) -> list[tuple[str, Fields]] | None:
        """Everything from a moment on with its unit path, oldest first; None: some of it is forgotten."""
        if self._forgotten_ms >= since_ms:
            return None
        return [(path, message) for at_ms, path, message in self._told if at_ms >= since_ms]
