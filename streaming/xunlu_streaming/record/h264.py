"""H.264 over RTP (RFC 6184, packetization modes 0 and 1) to access units in Annex B form."""

import base64
import binascii
import re
from collections.abc import Sequence

from xunlu_streaming.record.rtp import Packet
from xunlu_streaming.record.unit import UNIT_BYTES_MAX, Format, Unit
from xunlu_streaming.sps import read_size

SLICE_MAX, IDR, SPS, PPS, DELIMITER, FILLER = 5, 5, 7, 8, 9, 12
SINGLE_MAX, STAP_A, FU_A = 23, 24, 28
START = b"\x00\x00\x00\x01"

_SPROP = re.compile(r"sprop-parameter-sets=([A-Za-z0-9+/=,]+)")


def sprop_parameter_sets(fmtp: str) -> list[bytes]:
    """The parameter sets that SDP brings out of band (RFC 6184 §8.1); none when malformed."""
    match = _SPROP.search(fmtp)
    try:
        units = [base64.b64decode(text, validate=True) for text in match.group(1).split(",")] if match else []
    except binascii.Error:
        return []
    return [unit for unit in units if unit and unit[0] & 0x1F in (SPS, PPS)]


class H264:
    """Depacketiser; see `unit.Depacketiser`.

    After a loss everything up to the next whole IDR picture is left out: which pictures refer to the missing one is not
    known without decoding. A picture begins whole when its first slice covers the first macroblock.
    """

    def __init__(self, fmtp: str = "") -> None:
        self.malformed = 0
        self.undecodable = 0
        self.needs_keyframe = True
        self._sets = sprop_parameter_sets(fmtp)
        self._format: Format | None = self._describe(self._sets)
        self._lost = False
        self._begin(None)

    def _begin(self, stamp: int | None) -> None:
        self._stamp = stamp
        self._nals: list[bytes] = []
        self._sets_here: list[bytes] = []
        self._bytes = 0
        self._whole = False
        self._idr = False
        self._broken = False
        self._fragments: list[bytes] | None = None

    def take(self, packet: Packet, lost: bool) -> Sequence[Unit]:
        """Take the next packet; see `unit.Depacketiser.take`."""
        if lost:
            self._lose()
        out: Sequence[Unit] = ()
        if packet.stamp != self._stamp:
            # The marker of the picture before was lost or never set (RFC 6184 §5.1).
            out = self._finish()
            self._begin(packet.stamp)
        self._take_payload(packet.payload)
        if packet.marker:
            out = (*out, *self._finish())
            self._begin(None)
        return out

    def _lose(self) -> None:
        """Whatever was begun has a hole; what comes refers to what is missing."""
        stamp = self._stamp
        self._begin(stamp)
        self.needs_keyframe = self._lost = True

    # -- packets to NAL units -----------------------------------------------------------------------------------------

    def _take_payload(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind == FU_A:
            self._take_fragment(payload)
            return
        if self._fragments is not None:
            self._spoil()
        if 0 < kind <= SINGLE_MAX:
            self._take_nal(payload)
        elif kind == STAP_A:
            self._take_aggregate(payload)
        else:
            self._spoil()

    def _take_aggregate(self, payload: bytes) -> None:
        """Several units in one packet, each behind its size (RFC 6184 §5.7.1)."""
        at, end = 1, len(payload)
        while at < end:
            begin = at + 2
            at = begin + int.from_bytes(payload[at:begin])
            if begin >= end or at == begin or at > end:
                self._spoil()
                return
            self._take_nal(payload[begin:at])

    def _take_fragment(self, payload: bytes) -> None:
        """A part of one unit (RFC 6184 §5.8)."""
        if len(payload) < 3:
            self._spoil()
            return
        starts, ends = payload[1] & 0x80, payload[1] & 0x40
        if starts:
            if self._fragments is not None:
                self._spoil()
            self._fragments = [bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))]
        elif self._fragments is None:
            # Its beginning was lost; that is counted there.
            self._broken = True
            return
        assert self._fragments is not None
        self._fragments.append(payload[2:])
        self._bytes += len(payload)
        if self._bytes > UNIT_BYTES_MAX:
            self._spoil()
        elif ends:
            nal = b"".join(self._fragments)
            self._fragments = None
            self._take_nal(nal)

    def _spoil(self) -> None:
        self.malformed += 1
        self._fragments = None
        self._broken = True

    def _take_nal(self, nal: bytes) -> None:
        kind = nal[0] & 0x1F
        if kind in (DELIMITER, FILLER):
            return
        self._bytes += len(nal)
        if self._bytes > 2 * UNIT_BYTES_MAX:
            self._spoil()
            return
        if kind in (SPS, PPS):
            self._sets_here.append(nal)
            return
        if 0 < kind <= SLICE_MAX:
            # ITU-T H.264 §7.3.3: first_mb_in_slice is zero exactly when the first bit of the slice header is set.
            self._whole = self._whole or (len(nal) > 1 and nal[1] >= 0x80)
            self._idr = self._idr or kind == IDR
            if not self._whole:
                self._broken = True
        self._nals.append(nal)

    # -- NAL units to pictures ----------------------------------------------------------------------------------------

    def _finish(self) -> Sequence[Unit]:
        """The picture that ends, when it can be decoded."""
        stamp = self._stamp
        if stamp is None:
            return ()
        if self._fragments is not None:
            self._spoil()
        self._adopt_sets()
        if not self._whole and not self._broken:
            return ()
        if self._broken or (self.needs_keyframe and not self._idr) or self._format is None:
            if self._broken and not self.needs_keyframe:
                self.needs_keyframe = self._lost = True
            self.undecodable += 1
            return ()
        after_loss, self._lost, self.needs_keyframe = self._lost, False, False
        nals = [*self._sets, *self._nals] if self._idr else self._nals
        data = START + START.join(nals)
        return (Unit(stamp, data, self._idr, self._format, after_loss),)

    def _adopt_sets(self) -> None:
        """Parameter sets stand for all pictures until others come; a lone PPS goes with the SPS that is there."""
        if self._broken or not self._sets_here:
            return
        here = self._sets_here
        if not any(unit[0] & 0x1F == SPS for unit in here):
            here = [unit for unit in self._sets if unit[0] & 0x1F == SPS] + here
        if here != self._sets:
            self._sets = here
            self._format = self._describe(here)

    @staticmethod
    def _describe(sets: list[bytes]) -> Format | None:
        """What the parameter sets say; None when they are not complete."""
        sps = [unit for unit in sets if unit[0] & 0x1F == SPS]
        size = read_size(sps[0]) if sps else None
        if size is None or len(sps) == len(sets):
            return None
        return Format("H264", *size, START + START.join(sps))
