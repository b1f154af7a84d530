"""One RTP stream of a publisher: order, losses and what its receiver reports are made of."""

from dataclasses import dataclass

from xunlu_streaming.layer import Layer
from xunlu_streaming.nack import Losses
from xunlu_streaming.rtcp import ReportBlock
from xunlu_streaming.sequence import Unwrapper


class Stream:
    """What arrives with one SSRC, retransmissions apart.

    Attributes:
        ssrc: the publisher's.
        layer: where its packets go.
        losses: what is missing.
        received: packets that arrived, each once.
        octets: bytes that arrived, headers included.
        heard_s: when the last one did.
    """

    def __init__(self, ssrc: int, layer: Layer) -> None:
        self.ssrc = ssrc
        self.layer = layer
        self.losses = Losses()
        self.received = 0
        self.heard_s = 0.0
        self.octets = 0
        self.report_ntp = 0
        self.report_s = 0.0
        self._unwrapper = Unwrapper()
        self._first: int | None = None
        self._highest = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._before = _Counts(0, 0)

    def take(self, seq: int, stamp: int, size: int, now_s: float) -> int | None:
        """Note a packet; gives its extended number, None when it came before."""
        number = self._unwrapper.unwrap(seq)
        if not self.losses.received(number, now_s):
            return None
        self.heard_s = now_s
        if self._first is None:
            self._first = self._highest = number
        self.received += 1
        self.octets += size
        if number > self._highest:
            self._highest = number
            self._note_jitter(stamp, now_s)
        return number

    def repair(self, seq: int, size: int, now_s: float) -> int | None:
        """Note what was sent again; gives its extended number, None when nothing like it is missing."""
        number = self._unwrapper.near(seq)
        if number >= self._highest or not self.losses.received(number, now_s):
            return None
        self.received += 1
        self.octets += size
        return number

    def _note_jitter(self, stamp: int, now_s: float) -> None:
        """RFC 3550 §6.4.1 and §A.8, in units of the RTP clock."""
        transit = now_s * self.layer.track.clock_hz - stamp
        if self._transit is not None:
            difference = abs(transit - self._transit) % 0xFFFF_FFFF
            # A leap of the publisher's clock is no jitter.
            if difference < 10 * self.layer.track.clock_hz:
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    @property
    def expected(self) -> int:
        """Packets that should have come so far."""
        return 0 if self._first is None else self._highest - self._first + 1

    def report_block(self, now_s: float) -> ReportBlock:
        """Our report since the last one (RFC 3550 §6.4.1)."""
        expected, received = self.expected, self.received
        new = _Counts(expected - self._before.expected, received - self._before.received)
        self._before = _Counts(expected, received)
        missing = max(0, new.expected - new.received)
        since_s = now_s - self.report_s if self.report_ntp else 0.0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction=min(255, missing * 256 // new.expected) if new.expected > 0 else 0,
            lost=max(-0x80_0000, min(0x7F_FFFF, expected - received)),
            # Our extended numbers begin one cycle ahead, so that none of them is negative.
            highest=self._highest - 0x1_0000 & 0xFFFF_FFFF,
            jitter=min(0xFFFF_FFFF, int(self._jitter)),
            lsr=self.report_ntp >> 16 & 0xFFFF_FFFF,
            dlsr=min(0xFFFF_FFFF, int(since_s * 65_536)),
        )


@dataclass(frozen=True, slots=True)
class _Counts:
    expected: int
    received: int
