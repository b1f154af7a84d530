"""Everything of aiortc that it does not promise to keep; a contract test fails when a name of it changes.

Of its ORTC layer we use DTLS-SRTP and the packet formats. Its own senders encode for each peer and pace nothing, and
its own ICE is bound to the addresses of the moment it began.
"""

import contextlib
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Protocol, cast

from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceTransport,
)
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
    wrap_rtx,
)
from aiortc.sdp import MediaDescription, SessionDescription
from av import Packet

__all__ = [
    "RTCP_PSFB_APP",
    "RTCP_PSFB_FIR",
    "RTCP_PSFB_PLI",
    "RTCP_RTPFB_NACK",
    "AnyRtcpPacket",
    "Datagrams",
    "DtlsSrtp",
    "HeaderExtensionsMap",
    "MediaDescription",
    "RTCCertificate",
    "RTCDtlsFingerprint",
    "RTCIceCandidate",
    "RtcpByePacket",
    "RtcpPsfbPacket",
    "RtcpRrPacket",
    "RtcpRtpfbPacket",
    "RtcpSdesPacket",
    "RtcpSenderInfo",
    "RtcpSourceInfo",
    "RtcpSrPacket",
    "RtpPacket",
    "SessionDescription",
    "extensions_map",
    "h264_payloads",
    "unpack_remb_fci",
    "wrap_rtx",
]


class Datagrams(Protocol):
    """What DTLS needs below it, by the names that aiortc's ICE transport has for it."""

    role: str
    state: str

    async def _recv(self) -> bytes: ...

    async def _send(self, data: bytes) -> None: ...

    def send(self, data: bytes) -> None:
        """Send at once, or drop."""
        ...


class DtlsSrtp(RTCDtlsTransport):
    """DTLS-SRTP (RFC 5764) over our datagrams; what arrives goes to callbacks, RTP towards a publisher to nobody."""

    def __init__(
        self,
        datagrams: Datagrams,
        certificate: RTCCertificate,
        on_rtcp: Callable[[AnyRtcpPacket], None],
        on_rtp: Callable[[RtpPacket], None] | None = None,
    ) -> None:
        super().__init__(cast(RTCIceTransport, datagrams), [certificate])
        self._datagrams = datagrams
        self._on_rtcp = on_rtcp
        self._on_rtp = on_rtp

    async def shake_hands(self, fingerprints: list[RTCDtlsFingerprint], *, is_client: bool) -> bool:
        """Agree on keys with who has one of the fingerprints; returns whether that worked."""
        self._set_role("client" if is_client else "server")
        await self.start(RTCDtlsParameters(fingerprints=fingerprints))
        return self._state is State.CONNECTED

    @property
    def is_closed(self) -> bool:
        """Whether either side has ended it."""
        return self._state in (State.CLOSED, State.FAILED)

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send an RTP packet of at most 1,356 bytes (the limit of pylibsrtp)."""
        if self._tx_srtp is not None:
            self._datagrams.send(self._tx_srtp.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send a compound RTCP packet."""
        if self._tx_srtp is not None:
            self._datagrams.send(self._tx_srtp.protect_rtcp(packet))

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            # It came from the relay, authenticated; a kind of report that we do not know is no reason to stop.
            return
        for packet in packets:
            self._on_rtcp(packet)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        del arrival_time_ms
        if self._on_rtp is None:
            return
        # Authenticated, and nevertheless no packet of RTP: nothing to hear.
        with contextlib.suppress(ValueError):
            self._on_rtp(RtpPacket.parse(data))


def h264_payloads(data: bytes) -> list[bytes]:
    """RTP payloads of an access unit (RFC 6184, packetization-mode 1), each at most 1,300 bytes."""
    packet = Packet(data)
    packet.pts, packet.time_base = 0, Fraction(1)
    return H264Encoder().pack(packet)[0]


def extensions_map(extensions: Iterable[tuple[int, str]]) -> HeaderExtensionsMap:
    """The header extensions that were agreed on, by number and URI."""
    parameters = RTCRtpParameters()
    parameters.headerExtensions = [RTCRtpHeaderExtensionParameters(id=number, uri=uri) for number, uri in extensions]
    out = HeaderExtensionsMap()
    out.configure(parameters)
    return out
