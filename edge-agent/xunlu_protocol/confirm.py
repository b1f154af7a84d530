"""`dn/ack`: what the database holds of a session. Only this lets a device forget."""

from typing import Annotated

from pydantic import Field

from xunlu_protocol.base import Sequence, SessionCounter, Wire

RANGES_MAX = 200


class Confirmation(Wire):
    """The platform holds every sequence of `sid` from 1 to `upto`, but for `missing`.

    Attributes:
        sid: session.
        upto: highest stored sequence.
        missing: ranges [from, to], both included, that never arrived: send them again.
    """

    sid: SessionCounter
    upto: Sequence
    missing: Annotated[tuple[tuple[Sequence, Sequence], ...], Field(max_length=RANGES_MAX)] = ()

    def covers(self, seq: int) -> bool:
        """Whether `seq` is stored."""
        return seq <= self.upto and not any(first <= seq <= last for first, last in self.missing)
