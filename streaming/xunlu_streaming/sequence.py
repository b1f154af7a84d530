"""Numbers that wrap on the wire and do not wrap here."""


class Unwrapper:
    """Extends the sequence numbers and times of one RTP stream (RFC 3550 §A.1).

    Everything is measured against the newest value so far, so that a straggler moves nothing. Counting begins one cycle
    ahead: what was sent before the first arrival and comes after it has a number, too, and none is ever negative.
    """

    __slots__ = ("_number", "_time")

    def __init__(self) -> None:
        self._number = -1
        self._time = -1

    def unwrap(self, seq: int) -> int:
        """The extended number of a 16-bit sequence number, which is less than 2^15 away from the newest."""
        number = self.near(seq)
        self._number = max(self._number, number)
        return number

    def near(self, seq: int) -> int:
        """The same number, but whatever it is, counting goes on where it was."""
        newest = self._number
        if newest < 0:
            return seq + 0x1_0000
        ahead = (seq - newest) & 0xFFFF
        return newest + ahead - (0 if ahead < 0x8000 else 0x1_0000)

    def unwrap_time(self, stamp: int) -> int:
        """The extended time of a 32-bit RTP timestamp, which is less than 2^31 away from the newest."""
        newest = self._time
        if newest < 0:
            self._time = stamp + 0x1_0000_0000
            return self._time
        ahead = (stamp - newest) & 0xFFFF_FFFF
        if ahead < 0x8000_0000:
            self._time = newest = newest + ahead
            return newest
        return newest + ahead - 0x1_0000_0000
