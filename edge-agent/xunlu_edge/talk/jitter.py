"""The jitter buffer of the one stream that a participant hears: bounded, pure, by sequence number.

It waits a little at the beginning of a burst, stretches when packets come late, and is empty again in the next pause.
"""

from typing import NamedTuple

DELAY_PACKETS_MIN, DELAY_PACKETS_MAX = 2, 15
PACKETS_MAX = 40
"""0.8 s: more was held up so long that it is better lost."""
LEAP_MAX = 3000
"""A minute; a number that is further away begins anew."""
# A burst shorter than the delay must be heard, too.
SHORT_BURST_S = 0.1


class Gap(NamedTuple):
    """A packet that did not come in time.

    Attributes:
        following: the one behind it, which has its turn next, if it is there.
    """

    following: bytes | None


class JitterBuffer:
    """Packets of 20 ms, put as they come, taken as they are due.

    Attributes:
        late: came after their turn.
        lost: never came in time.
        overflowed: thrown away because too many waited.
        delay: packets that wait before a burst begins to sound.
    """

    def __init__(self) -> None:
        self.late = self.lost = self.overflowed = 0
        self.delay = DELAY_PACKETS_MIN
        self._waiting: dict[int, bytes] = {}
        self._next: int | None = None
        self._sounds = False
        self._began_s = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, sequence: int, payload: bytes, now_s: float) -> None:
        """A packet came.

        Args:
            sequence: 16 bits of the RTP header.
            payload: one Opus packet.
            now_s: monotonic time.
        """
        if self._next is None:
            self._next = sequence
        number = self._next + _signed(sequence - self._next)
        if abs(number - self._next) > LEAP_MAX:
            self._waiting.clear()
            self._next, self._sounds = number, False
        if number < self._next and self._sounds:
            self.late += 1
            self.delay = min(self.delay + 1, DELAY_PACKETS_MAX)
            return
        if not self._waiting and not self._sounds:
            self._began_s = now_s
        self._waiting[number] = payload
        if not self._sounds:
            self._next = min(self._waiting)
        while len(self._waiting) > PACKETS_MAX:
            self._next = min(self._waiting)
            del self._waiting[self._next]
            self._next += 1
            self.overflowed += 1

    def take(self, now_s: float) -> bytes | Gap | None:
        """The packet whose turn it is, or that it is lost; None when nothing is to sound."""
        if not self._sounds:
            self._sounds = len(self._waiting) >= self.delay or (
                bool(self._waiting) and now_s - self._began_s > SHORT_BURST_S
            )
        if not self._sounds or not self._waiting:
            # Nothing is there: time stands still, so that what is only late is heard nevertheless.
            return None
        assert self._next is not None
        payload = self._waiting.pop(self._next, None)
        self._next += 1
        if payload is None:
            self.lost += 1
            return Gap(self._waiting.get(self._next))
        return payload

    def pause(self) -> None:
        """The burst is over: the next one waits anew, a little less when nothing came late any more."""
        self._sounds = False
        self.delay = max(DELAY_PACKETS_MIN, self.delay - 1)


def _signed(difference: int) -> int:
    """The shorter way around 16 bits."""
    return (difference + 0x8000 & 0xFFFF) - 0x8000
