"""So many in a second, and no more: what keeps one peer from taking everybody's time."""


class Allowance:
    """Counts what is granted in each second."""

    __slots__ = ("_began_s", "_left", "_per_s")

    def __init__(self, per_s: int) -> None:
        """Begin with a whole second.

        Args:
            per_s: granted in a second.
        """
        self._per_s = self._left = per_s
        self._began_s = 0.0

    def take(self, now_s: float, wanted: int = 1) -> int:
        """Ask for so many; how many of them are granted.

        Args:
            now_s: monotonic seconds.
            wanted: not negative.
        """
        if now_s - self._began_s >= 1:
            self._left, self._began_s = self._per_s, now_s
        granted = min(wanted, self._left)
        self._left -= granted
        return granted
