"""A peer: one ICE-lite, DTLS and SRTP session, whoever is at its other end."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from xunlu_streaming.adapter import (
    SRTCP_TRAILER_BYTES,
    Dtls,
    DtlsRole,
    Keys,
    RTCCertificate,
    ffi,
    srtp_protect_rtcp,
    srtp_unprotect,
    srtp_unprotect_rtcp,
)
from xunlu_streaming.allowance import Allowance
from xunlu_streaming.mux import Address, Outlet, UdpMux

log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S = 10.0
CONSENT_S = 15.0
"""Silence after which consent has expired; RFC 7675 §5.1 says 30 s at most."""
FAREWELL_TIMEOUT_S = 1.0
ADDRESSES_MAX = 8
RECORDS_WAITING_MAX = 32
RTCP_BYTES_MAX = 1500
STRANGE_CHECKS_PER_S = 50
"""Checks of one peer's name from addresses that are not yet its own; more is a flood, and costs nobody else."""
REPORTS_PER_S = 200
"""RTCP of one peer that is read: a browser on a bad link asks for repairs fifty times."""
MISTAKE = "session ended by an error"
"""Of ours; that one peer brings it to light is no reason for the others to stop."""

_OK = 0
_length = ffi.new("int *")
_outgoing = ffi.new("char[]", RTCP_BYTES_MAX + SRTCP_TRAILER_BYTES)
_outgoing_view = memoryview(ffi.buffer(_outgoing))


class Resident(Protocol):
    """Who lives in a peer: a publisher or a viewer."""

    def connected(self) -> None:
        """The keys are there: media may flow."""

    def packet(self, packet: bytes, now_s: float) -> None:
        """An RTP packet arrived, authenticated and in plain text."""

    def flush(self) -> None:
        """That was all for now."""

    def reports(self, data: bytes, now_s: float) -> None:
        """RTCP arrived, authenticated and in plain text."""

    def ended(self, why: str) -> None:
        """The peer is gone: `left`, `lost`, `handshake` or what `close` was told."""


class Records:
    """The transport under DTLS: what is no media."""

    role = "controlled"
    state = "completed"

    def __init__(self, peer: "Peer") -> None:
        self._peer: Peer | None = peer
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(RECORDS_WAITING_MAX)

    def put(self, data: bytes) -> None:
        """Take a datagram. What finds no room is lost, as on the wire."""
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(data)

    def end(self) -> None:
        """No more will come: whoever reads must not wait for ever, and a peer that has gone is freed at once.

        In a cycle it would wait for the collector, which knows nothing of the 100 kB that OpenSSL and libsrtp hold.
        """
        self._peer = None
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def _recv(self) -> bytes:
        data = await self._waiting.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        if self._peer is not None:
            self._peer.send_datagram(data)


class Peer:
    """One session.

    Attributes:
        ufrag: our ICE name for it.
        password: our ICE password for it.
        addresses: where its authenticated checks came from, newest last.
        address: where we send to; None before the first check.
        sock: the socket that we send from.
        keys: SRTP keys; None before the handshake is over.
        strange_checks: what checks of its name from new addresses may cost.
        refused: what of its packets was refused, by reason: `rejected` (forged, replayed, too old, malformed),
            `unknown` (never agreed on), `reports` and `repairs` (too many).
        unsent: sends of media that the kernel refused.
    """

    def __init__(
        self, mux: UdpMux, certificate: RTCCertificate, role: DtlsRole, fingerprints: Sequence[tuple[str, str]]
    ) -> None:
        self.ufrag = secrets.token_urlsafe(6).replace("-", "a").replace("_", "b")
        self.password = secrets.token_urlsafe(18).replace("-", "a").replace("_", "b")
        self.addresses: list[Address] = []
        self.address: Address | None = None
        self.sock: Outlet | None = None
        self.keys: Keys | None = None
        self.strange_checks = Allowance(STRANGE_CHECKS_PER_S)
        self.refused: Counter[str] = Counter()
        self.unsent = 0
        self._mux = mux
        self._records = Records(self)
        self._dtls = Dtls(self._records, certificate, role)
        self._fingerprints = fingerprints
        self._reports = Allowance(REPORTS_PER_S)
        self._resident: Resident | None = None
        self._name = ""
        self._checked = asyncio.Event()
        self._checked_s = time.monotonic()
        self._noted = False
        self._ended = False
        self._tasks: asyncio.TaskGroup | None = None
        self._goodbye: asyncio.Task[None] | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self._ended

    def open(self, resident: Resident, tasks: asyncio.TaskGroup, name: str) -> None:
        """Wait for the peer's first check, then shake hands."""
        self._resident = resident
        self._tasks = tasks
        self._name = name
        self._mux.add(self)
        tasks.create_task(self._run(), name=name)

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                keys = await self._dtls.handshake(self._fingerprints) if await self._reach() else None
            self._begin(keys)
        except TimeoutError:
            self._end("handshake")
        except Exception:
            # Whatever a stranger's records do to the library below, or to us, is that stranger's end alone.
            log.exception("session ended by an error", extra={"session": self._name})
            self._end("error")

    def _begin(self, keys: Keys | None) -> None:
        if keys is None or self._ended:
            self._end("handshake")
            return
        self.keys = keys
        self._dtls.on_end(lambda: self._end("left"))
        if self._resident is not None:
            self._resident.connected()

    async def _reach(self) -> bool:
        """Wait until datagrams can go both ways; False when they never will."""
        await self._checked.wait()
        return not self._ended

    async def trickle(self, candidates: Sequence[str]) -> None:
        """Take more of its candidates; an ICE-lite agent has no use for any (RFC 8445 §2.5)."""

    async def _part(self) -> None:
        """Let go of the way."""

    def close(self, why: str) -> None:
        """End the session from our side, with a farewell."""
        self._end(why)

    def tick(self, now_s: float) -> None:
        """Once a second: a peer that makes no checks any more has gone (RFC 7675)."""
        if now_s - self._checked_s > CONSENT_S:
            self._end("lost")

    def _end(self, why: str) -> None:
        if self._ended:
            return
        self._ended = True
        # Who waits for a first check waits no longer.
        self._checked.set()
        resident, self._resident = self._resident, None
        self._mux.remove(self)
        goodbye = self._say_goodbye()
        try:
            assert self._tasks is not None
            self._goodbye = self._tasks.create_task(goodbye, name="peer.goodbye")
        except RuntimeError:
            # The worker fails: its tasks are being ended, and nobody is left to say goodbye.
            goodbye.close()
        if resident is not None:
            resident.ended(why)

    async def wait_closed(self) -> None:
        """Wait until the farewell has been said."""
        if self._goodbye is not None:
            await asyncio.wait([self._goodbye], timeout=FAREWELL_TIMEOUT_S)

    async def _say_goodbye(self) -> None:
        await self._dtls.stop()
        self._records.end()
        self.keys = None
        await self._part()

    # -- what the mux tells -------------------------------------------------------------------------------------------

    def learn(self, address: Address) -> Address | None:
        """Take note of a new address; returns the one that is given up for it."""
        self.addresses.append(address)
        return self.addresses.pop(0) if len(self.addresses) > ADDRESSES_MAX else None

    def checked(self, sock: Outlet, address: Address, *, nominated: bool) -> None:
        """An authenticated check came from here; the nominated address is the one to send to (RFC 8445 §7.3.1.5)."""
        self._checked_s = time.monotonic()
        if nominated or self.address is None:
            self.sock, self.address = sock, address
        self._checked.set()

    def record(self, data: bytes) -> None:
        """A DTLS record arrived."""
        self._records.put(data)

    def media(self, view: memoryview, pointer: Any, size: int) -> None:  # noqa: ANN401  cffi's pointers have no type
        """SRTP or SRTCP arrived; it is decrypted where it lies."""
        keys, resident = self.keys, self._resident
        if keys is None or resident is None or size < 12:
            return
        _length[0] = size
        is_report = 192 <= view[1] <= 223  # RFC 5761 §4
        unprotect = srtp_unprotect_rtcp if is_report else srtp_unprotect
        if unprotect(keys.receive, pointer, _length) != _OK:
            self.refused["rejected"] += 1
            return
        now_s = time.monotonic()
        try:
            if not is_report:
                resident.packet(bytes(view[: _length[0]]), now_s)
            elif self._reports.take(now_s):
                resident.reports(bytes(view[: _length[0]]), now_s)
            else:
                self.refused["reports"] += 1
        except Exception:
            log.exception(MISTAKE, extra={"session": self._name})
            self.close("error")
        if not is_report and not self._noted:
            self._noted = True
            self._mux.note(self)

    def flush(self) -> None:
        """What has arrived is read."""
        self._noted = False
        try:
            if self._resident is not None:
                self._resident.flush()
        except Exception:
            log.exception(MISTAKE, extra={"session": self._name})
            self.close("error")

    # -- what we send -------------------------------------------------------------------------------------------------

    def send_datagram(self, data: bytes) -> None:
        """Send as it is."""
        if self.sock is not None and self.address is not None:
            self._mux.send(self.sock, data, self.address)

    def send_reports(self, data: bytes) -> None:
        """Send RTCP, protected (RFC 3711 §3.4)."""
        if self.keys is None or len(data) > RTCP_BYTES_MAX:
            return
        size = len(data)
        _outgoing_view[:size] = data
        _length[0] = size
        if srtp_protect_rtcp(self.keys.send, _outgoing, _length) == _OK:
            self.send_datagram(bytes(_outgoing_view[: _length[0]]))
