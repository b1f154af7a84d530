"""Makes peers: ICE-lite on the worker's one port, or with an ICE agent of their own."""

from aiortc import RTCIceServer

from xunlu_streaming.adapter import DtlsRole, FullIce, fingerprint_of, new_certificate
from xunlu_streaming.full_ice import IcePeer
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.peer import Peer
from xunlu_streaming.sdp import Offer, host_candidates


class Peers:
    """How this worker is reached.

    Attributes:
        lite: whether it is ICE-lite.
        fingerprint: SHA-256 of its certificate.
    """

    def __init__(self, mux: UdpMux, hosts: tuple[str, ...], *, lite: bool, turn: RTCIceServer | None = None) -> None:
        """Begin with a new certificate.

        Args:
            mux: the worker's port.
            hosts: addresses under which clients reach it.
            lite: whether these are reachable for every client; otherwise each peer gets an ICE agent.
            turn: the TURN server of those agents.
        """
        self.lite = lite
        self._mux = mux
        self._hosts = hosts
        self._turn = turn
        self._certificate = new_certificate()
        self.fingerprint = fingerprint_of(self._certificate)

    async def make(self, offer: Offer) -> tuple[Peer, tuple[str, ...]]:
        """A peer for an offer, and the candidates that the answer names."""
        # The DTLS server chooses the profile, and we want AES-GCM; who insists on being it gets its will (RFC 5763 §5).
        role: DtlsRole = "client" if offer.setup == "passive" else "server"
        if self.lite:
            peer = Peer(self._mux, self._certificate, role, offer.fingerprints)
            return peer, host_candidates(self._hosts, self._mux.port)
        ice = FullIce(self._turn)
        candidates = tuple(await ice.gather())
        remote = (offer.ufrag, offer.password, offer.candidates, offer.lite)
        return IcePeer(ice, remote, self._mux, self._certificate, role, offer.fingerprints), candidates
