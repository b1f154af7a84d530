"""The only module that knows names of aiortc and pylibsrtp that are not public.

aiortc is pinned to one minor version, and a contract test fails when one of these names changes its meaning. What the
relay takes from below: the DTLS handshake, the keys that it yields, and libsrtp working in our own buffers.
"""

import contextlib
from collections.abc import Awaitable, Sequence
from typing import Any, Literal, Protocol

from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceServer,
    RTCIceTransport,
)
from aiortc.rate import InterArrival, InterArrivalDelta, RemoteBitrateEstimator
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp
from OpenSSL import SSL
from pylibsrtp._binding import ffi
from pylibsrtp._binding import lib as _lib

from xunlu_streaming.sdp import CANDIDATES_MAX

__all__ = [
    "CM_TAG_BYTES",
    "GCM_TAG_BYTES",
    "SRTCP_TRAILER_BYTES",
    "DatagramTransport",
    "Dtls",
    "DtlsRole",
    "FullIce",
    "InterArrival",
    "InterArrivalDelta",
    "Keys",
    "RTCCertificate",
    "RemoteBitrateEstimator",
    "ffi",
    "fingerprint_of",
    "new_certificate",
    "srtp_protect",
    "srtp_protect_rtcp",
    "srtp_unprotect",
    "srtp_unprotect_rtcp",
]

DtlsRole = Literal["client", "server"]

GCM_TAG_BYTES = 16
CM_TAG_BYTES = 10
MDNS_SUFFIX = ".local"

srtp_protect: Any = _lib.srtp_protect
"""`(context, packet, length *)` → 0; encrypts in place, the buffer has room for the tag."""
srtp_unprotect: Any = _lib.srtp_unprotect
srtp_protect_rtcp: Any = _lib.srtp_protect_rtcp
srtp_unprotect_rtcp: Any = _lib.srtp_unprotect_rtcp

SRTCP_TRAILER_BYTES = 4 + GCM_TAG_BYTES


class DatagramTransport(Protocol):
    """What a DTLS connection runs over: one peer's datagrams."""

    @property
    def role(self) -> str:
        """`controlled` or `controlling`, as ICE has it."""

    @property
    def state(self) -> str:
        """As of `RTCIceTransport`."""

    def _recv(self) -> Awaitable[bytes]:
        """The next datagram.

        Raises:
            ConnectionError: there will be none.
        """

    def _send(self, data: bytes) -> Awaitable[None]:
        """Send one."""


class _SharedCertificate(RTCCertificate):
    """Makes its TLS context once: one for each peer would cost 25 kB and a tenth of the time of a join."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
        return self._context


def new_certificate() -> RTCCertificate:
    """A self-signed certificate; a worker needs one for all of its peers."""
    return _SharedCertificate.generateCertificate()


def fingerprint_of(certificate: RTCCertificate) -> str:
    """SHA-256 of a certificate as SDP writes it (RFC 8122 §5)."""
    return next(one.value for one in certificate.getFingerprints() if one.algorithm == "sha-256")


class Keys:
    """SRTP contexts of a peer that has finished its handshake.

    Attributes:
        receive: libsrtp's context for what the peer sends.
        send: libsrtp's context for what we send it.
        tag_bytes: how much longer a protected RTP packet is.
    """

    def __init__(self, dtls: RTCDtlsTransport, profile: str) -> None:
        # libsrtp frees a context with the session that made it.
        self._sessions = (dtls._rx_srtp, dtls._tx_srtp)
        self.receive: Any = dtls._rx_srtp._srtp[0]
        self.send: Any = dtls._tx_srtp._srtp[0]
        self.tag_bytes = GCM_TAG_BYTES if "GCM" in profile else CM_TAG_BYTES
        self.profile = profile


class Dtls:
    """DTLS-SRTP (RFC 5764) with one peer."""

    def __init__(self, transport: DatagramTransport, certificate: RTCCertificate, role: DtlsRole) -> None:
        """Prepare the handshake.

        Args:
            transport: of the peer's datagrams that are not media.
            certificate: ours.
            role: `server` waits for the peer and chooses the profile, AES-GCM where it can.
        """
        self._dtls = RTCDtlsTransport(transport, [certificate])  # type: ignore[arg-type]  # it needs only our Protocol
        self._dtls._set_role(role)

    async def handshake(self, fingerprints: Sequence[tuple[str, str]]) -> Keys | None:
        """Agree on keys; None when the peer is not who its offer says, or fails.

        Args:
            fingerprints: algorithm and value of every certificate that the peer may show.
        """
        remote = RTCDtlsParameters([RTCDtlsFingerprint(algorithm=name, value=value) for name, value in fingerprints])
        await self._dtls.start(remote)
        if self._dtls.state != "connected":
            return None
        assert self._dtls._ssl is not None
        return Keys(self._dtls, self._dtls._ssl.get_selected_srtp_profile().decode())

    def on_end(self, ended: Any) -> None:  # noqa: ANN401  any callable
        """Call `ended()` once when the peer says goodbye or fails after the handshake."""

        def changed() -> None:
            if self._dtls.state in ("closed", "failed"):
                ended()

        self._dtls.add_listener("statechange", changed)

    async def stop(self) -> None:
        """Say goodbye (close_notify) and stop listening."""
        await self._dtls.stop()
        self._dtls.remove_all_listeners()


class FullIce:
    """aiortc's own ICE agent (RFC 8445) with TURN, for one peer; a port of its own for each.

    Attributes:
        ufrag: our ICE name.
        password: our ICE password.
    """

    def __init__(self, turn: RTCIceServer | None) -> None:
        self._gatherer = RTCIceGatherer([turn] if turn is not None else [])
        self._ice = RTCIceTransport(self._gatherer)
        local = self._gatherer.getLocalParameters()
        self.ufrag, self.password = str(local.usernameFragment), str(local.password)

    async def gather(self) -> list[str]:
        """Our candidates, as SDP writes them (RFC 8839 §5.1)."""
        await self._gatherer.gather()
        return [candidate_to_sdp(one) for one in self._gatherer.getLocalCandidates()]

    async def connect(self, ufrag: str, password: str, candidates: Sequence[str], *, lite: bool) -> bool:
        """Find a way to the peer; whether there is one.

        It looks until it is cancelled: more candidates may come, of which a browser's offer has none, and the peer's
        own checks tell addresses, too.
        """
        await self.add(candidates)
        await self._ice.start(RTCIceParameters(usernameFragment=ufrag, password=password, iceLite=lite))
        return self._ice.state == "completed"

    async def add(self, candidates: Sequence[str]) -> None:
        """Try these as well; `CANDIDATES_MAX` of one peer, whatever it sends."""
        for text in candidates:
            if len(self._ice.getRemoteCandidates()) >= CANDIDATES_MAX:
                return
            # A transport or a type that this agent does not know is no way for it (RFC 8839 §5.1). Nor is a name of
            # mDNS: it means something in the client's own network alone, and each would be waited for.
            with contextlib.suppress(ValueError, AssertionError):
                candidate = candidate_from_sdp(text)
                if not candidate.ip.endswith(MDNS_SUFFIX):
                    await self._ice.addRemoteCandidate(candidate)

    async def receive(self) -> bytes:
        """The next datagram.

        Raises:
            ConnectionError: the way is lost.
        """
        return bytes(await self._ice._recv())

    def send(self, data: bytes) -> None:
        """Send a datagram now.

        Raises:
            ConnectionError: there is no way.
        """
        # aioice's `send` is a coroutine that never waits: one step is the whole of it.
        sending = self._ice._send(data)
        try:
            sending.send(None)
        except StopIteration:
            return
        sending.close()

    async def stop(self) -> None:
        """Close its sockets."""
        await self._ice.stop()
