"""A WebRTC client below the peer connection: ICE and DTLS from `Link` and aiortc's ORTC layer, media by hand."""

import secrets

from aiortc import RTCCertificate, RTCDtlsTransport
from pylibsrtp import Session

from tests.benchmarks.media import sdp
from tests.benchmarks.media.link import Credentials, Link, NoAnswerError, Pump
from tests.benchmarks.media.signalling import Signalling


class Client:
    """One connected client.

    Attributes:
        link: its socket and what it received.
        remote: what was agreed.
        ssrc: of what it sends.
        profile: SRTP protection profile (RFC 5764 §4.1.2), which the server picked.
        receiving: SRTP session for what it receives.
    """

    def __init__(self, link: Link, remote: sdp.Remote, ssrc: int, dtls: RTCDtlsTransport) -> None:
        self.link = link
        self.remote = remote
        self.ssrc = ssrc
        self._dtls = dtls
        assert dtls._ssl is not None
        self.profile = dtls._ssl.get_selected_srtp_profile().decode()
        self.receiving: Session = dtls._rx_srtp
        self._sending: Session = dtls._tx_srtp

    def send(self, packet: bytes) -> None:
        """Send RTP."""
        self.link.send(self._sending.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Send RTCP."""
        self.link.send(self._sending.protect_rtcp(packet))

    async def close(self) -> None:
        """End DTLS and close the socket."""
        await self._dtls.stop()
        self.link.close()


async def joined(
    pump: Pump,
    signalling: Signalling,
    certificate: RTCCertificate,
    direction: sdp.Direction,
    kind: type[Link] = Link,
    via: tuple[str, int] | None = None,
) -> Client:
    """Connect a client to a server.

    Args:
        pump: that drains its socket.
        signalling: its way to the server.
        certificate: of any number of clients.
        direction: whether it publishes or plays.
        kind: how it receives.
        via: where datagrams go in place of the server's own candidate, such as an impaired network.

    Raises:
        NoAnswerError: ICE or DTLS came to no end.
        RefusedError: the server refused the offer.
    """
    credentials = Credentials()
    link = kind(pump, credentials)
    # The identity of a relay's path is not the SSRC, yet two publishers of one Janus must not share one.
    ssrc = 1 + secrets.randbelow(2**31)
    local = sdp.Local(
        credentials=credentials,
        fingerprint=next(one.value for one in certificate.getFingerprints() if one.algorithm == "sha-256"),
        address=link.address,
        direction=direction,
        ssrc=ssrc,
    )
    remote = await signalling.agree(local)
    await link.nominate(remote.credentials, via or remote.address)
    dtls = RTCDtlsTransport(link, [certificate])  # type: ignore[arg-type]  # it needs no more of a transport
    dtls._set_role("client")
    await dtls.start(remote.dtls)
    if dtls.state != "connected":
        raise NoAnswerError(f"The DTLS handshake with {remote.address} ended as {dtls.state}.")
    return Client(link, remote, ssrc, dtls)
