"""A peer that is reached by a whole ICE agent and TURN, where the relay has no address that every client can reach."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from xunlu_streaming.adapter import DtlsRole, FullIce, RTCCertificate, ffi
from xunlu_streaming.mux import SLOT_BYTES, Address, UdpMux
from xunlu_streaming.peer import Peer

_pointer = ffi.new("char[]", SLOT_BYTES)
_view = memoryview(ffi.buffer(_pointer))


class IceOutlet:
    """A socket in the eyes of the inner loop; the agent sends datagram by datagram."""

    def __init__(self, ice: FullIce) -> None:
        self._ice = ice

    def sendto(self, data: bytes | memoryview, address: Address, /) -> int:
        """Send one datagram; the agent knows where to."""
        del address
        try:
            self._ice.send(bytes(data))
        except ConnectionError as error:
            raise OSError(str(error)) from error
        return len(data)

    def sendmsg(
        self,
        buffers: Iterable[memoryview],
        control: Iterable[tuple[int, int, bytes]],
        flags: int,
        address: Address,
        /,
    ) -> int:
        """Send one datagram, or several of the size that the control message names."""
        del flags
        [view] = buffers
        size = next((int.from_bytes(value, "little") for _, _, value in control), len(view))
        for start in range(0, len(view), size):
            self.sendto(view[start : start + size], address)
        return len(view)


class IcePeer(Peer):
    """A session over an ICE agent of its own."""

    def __init__(
        self,
        ice: FullIce,
        remote: tuple[str, str, Sequence[str], bool],
        mux: UdpMux,
        certificate: RTCCertificate,
        role: DtlsRole,
        fingerprints: Sequence[tuple[str, str]],
    ) -> None:
        """Prepare it.

        Args:
            ice: that has gathered.
            remote: the peer's ICE name, password and candidates, and whether it is ICE-lite.
            mux: counts what cannot be sent.
            certificate: ours.
            role: in the DTLS handshake.
            fingerprints: of the certificates that the peer may show.
        """
        super().__init__(mux, certificate, role, fingerprints)
        self.ufrag, self.password = ice.ufrag, ice.password
        self._ice = ice
        self._remote = remote

    async def _reach(self) -> bool:
        ufrag, password, candidates, lite = self._remote
        if not await self._ice.connect(ufrag, password, candidates, lite=lite):
            return False
        self.checked(IceOutlet(self._ice), ("ice", 0), nominated=True)
        assert self._tasks is not None
        self._tasks.create_task(self._receive(), name="ice.receive")
        return True

    async def trickle(self, candidates: Sequence[str]) -> None:
        """Have the agent try more of its candidates, unless it has found a way."""
        if self.address is None:
            await self._ice.add(candidates)

    async def _receive(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while True:
                data = await self._ice.receive()
                if 0 < len(data) <= SLOT_BYTES:
                    self._take(data)
        self.close("lost")

    def _take(self, data: bytes) -> None:
        if 127 < data[0] < 192:
            _view[: len(data)] = data
            self.media(_view, _pointer, len(data))
            self._mux.flush()
        elif 19 < data[0] < 64:
            self.record(data)

    def tick(self, now_s: float) -> None:
        """The agent watches over consent itself."""

    async def _part(self) -> None:
        await self._ice.stop()
