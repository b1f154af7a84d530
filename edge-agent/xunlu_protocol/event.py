"""Events: keys and incidents. They share the `seq` of the locations and are kept until the platform confirms them."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from xunlu_protocol.base import Identifier, Sequence, SessionCounter, UtcSeconds, Wire

EventType = Literal[
    "sos",
    "sos_cancel",
    "rec_start",
    "rec_stop",
    "low_batt",
    "storage",
    "fall",
    "tamper",
    "dock",
    "undock",
    "mark",
    "clock",
]
EVENT_TYPES: frozenset[str] = frozenset(get_args(EventType))


class SequenceRange(Wire):
    """Sequences `first` to `last`, both included."""

    first: Sequence
    last: Sequence


class Event(Wire):
    """`up/evt/{type}`.

    Attributes:
        tst: UTC seconds of the event.
        tms: the same in milliseconds; when absent, `tst` · 1000.
        sid: session.
        seq: sequence, shared with locations; None lets the time identify it.
        lat: last known latitude, WGS-84; an SOS without a fix is still an SOS.
        lon: last known longitude.
        acc: accuracy of that fix, metres.
        fix_tst: UTC seconds of that fix.
        rec: recording that was running or that starts or stops.
        text: words for people, such as the label of a mark.
        jump_ms: `clock`: how far the clock jumped, signed.
        thinned: `storage`: sequences given up because the outbox was full; they will never arrive.
        thinned_sid: session of the thinned sequences; when absent, `sid`.
        hist: sent late.
    """

    tst: UtcSeconds
    tms: Annotated[int, Field(ge=0, le=32_503_680_000_000)] | None = None
    sid: SessionCounter = 0
    seq: Sequence | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    acc: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    fix_tst: UtcSeconds | None = None
    rec: Identifier | None = None
    text: Annotated[str, Field(max_length=500)] | None = None
    jump_ms: int | None = None
    thinned: Annotated[tuple[SequenceRange, ...], Field(max_length=500)] | None = None
    thinned_sid: SessionCounter | None = None
    hist: bool | None = None

    @property
    def event_ms(self) -> int:
        """UTC milliseconds of the event."""
        return self.tms if self.tms is not None else self.tst * 1000

    @property
    def sequence(self) -> int:
        """What identifies the event within its session."""
        return self.seq if self.seq is not None else self.event_ms
