"""The packets that were forwarded last: what retransmissions and new viewers are served from."""


class Ring:
    """The newest packets of one stream by extended sequence number, bounded in number."""

    def __init__(self, packets_max: int) -> None:
        """Begin empty.

        Args:
            packets_max: a power of two.
        """
        assert packets_max & (packets_max - 1) == 0
        self._mask = packets_max - 1
        self._numbers = [-1] * packets_max
        self._packets = [b""] * packets_max

    def put(self, number: int, packet: bytes) -> None:
        """Keep a packet; an older one in its place is forgotten, never a newer one."""
        place = number & self._mask
        if number > self._numbers[place]:
            self._numbers[place] = number
            self._packets[place] = packet

    def get(self, number: int) -> bytes | None:
        """A packet, unless it never came or is forgotten."""
        place = number & self._mask
        return self._packets[place] if self._numbers[place] == number else None

    def between(self, first: int, last: int) -> list[bytes]:
        """What is kept of a stretch, both ends included, in order; empty when its beginning is forgotten."""
        if last - first > self._mask or self.get(first) is None:
            return []
        return [packet for number in range(first, last + 1) if (packet := self.get(number)) is not None]
