"""What is missing of a stream, and when to ask for it (generic NACK, RFC 4585 §6.2.1)."""

from dataclasses import dataclass

REPEAT_MIN_S = 0.020
"""Nobody answers faster than this over the air; asking again sooner only doubles the answers."""
BACK_OFF = 1.1
REQUESTS_MAX = 250
"""In one go: what one packet holds when no two losses lie side by side."""


@dataclass(slots=True)
class _Loss:
    since_s: float
    due_s: float
    tries: int = 0


class Losses:
    """The gaps of one stream.

    A number is asked for when it has stayed away for longer than packets overtake each other, and again after each
    round trip, until it comes or is not worth waiting for any more.

    Attributes:
        lost: numbers given up.
        recovered: numbers that came after they had been asked for.
    """

    def __init__(
        self, *, reorder_s: float = 0.010, tries_max: int = 10, open_max: int = 1000, age_max_s: float = 2.0
    ) -> None:
        """Begin with whatever comes first.

        Args:
            reorder_s: how long a number may stay away before it is asked for, seconds.
            tries_max: how often it is asked for.
            open_max: how many may be missing at once; of more, the oldest are given up. A larger gap is no loss but a
                stream that begins anew, and nothing of it is asked for.
            age_max_s: after which a number is given up, seconds.
        """
        self.lost = 0
        self.recovered = 0
        self._reorder_s = reorder_s
        self._tries_max = tries_max
        self._open_max = open_max
        self._age_max_s = age_max_s
        self._next = -1
        # Gaps open in rising order, so the first key is the oldest.
        self._open: dict[int, _Loss] = {}

    @property
    def open(self) -> int:
        """How many are missing and not given up."""
        return len(self._open)

    def received(self, ext: int, now_s: float) -> bool:
        """Take note of a packet; False when it came before, or comes too late to be of use.

        Args:
            ext: extended sequence number, not negative.
            now_s: monotonic seconds.
        """
        expected = self._next
        if ext == expected:
            self._next = ext + 1
            return True
        if ext > expected:
            self._next = ext + 1
            if expected >= 0:
                self._miss(expected, ext, now_s)
            return True
        loss = self._open.pop(ext, None)
        if loss is None:
            return False
        self.recovered += loss.tries > 0
        return True

    def _miss(self, first: int, end: int, now_s: float) -> None:
        """Note that `first` to `end - 1` have not come."""
        if end - first > self._open_max:
            self.lost += end - first + len(self._open)
            self._open.clear()
            return
        due_s = now_s + self._reorder_s
        for number in range(first, end):
            self._open[number] = _Loss(now_s, due_s)
        while len(self._open) > self._open_max:
            self._give_up(next(iter(self._open)))

    def due(self, now_s: float, rtt_s: float) -> list[int]:
        """The extended numbers to ask for now, rising; those that are due and not among them come with the next call.

        Args:
            now_s: monotonic seconds.
            rtt_s: round trip to the publisher, seconds.
        """
        repeat_s = max(rtt_s, REPEAT_MIN_S)
        wanted: list[int] = []
        hopeless: list[int] = []
        for number, loss in self._open.items():
            if now_s < loss.due_s:
                continue
            if loss.tries >= self._tries_max or now_s - loss.since_s > self._age_max_s:
                hopeless.append(number)
            elif len(wanted) < REQUESTS_MAX:
                loss.due_s = now_s + repeat_s * BACK_OFF**loss.tries
                loss.tries += 1
                wanted.append(number)
        for number in hopeless:
            self._give_up(number)
        return wanted

    def _give_up(self, number: int) -> None:
        del self._open[number]
        self.lost += 1
