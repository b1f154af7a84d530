"""A session and its memory."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from xunlu_streaming.adapter import new_certificate
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.peer import Peer


class Resident:
    """Somebody to whom nothing happens but the end."""

    def __init__(self) -> None:
        self.why = ""

    def connected(self) -> None: ...

    def packet(self, packet: bytes, now_s: float) -> None: ...

    def flush(self) -> None: ...

    def reports(self, data: bytes, now_s: float) -> None: ...

    def ended(self, why: str) -> None:
        self.why = why


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_a_peer_that_has_gone_is_freed_without_a_collection() -> None:
    resident = Resident()
    async with UdpMux(0, ("127.0.0.1",)) as mux:
        async with asyncio.TaskGroup() as tasks:
            peer = Peer(mux, new_certificate(), "server", [("sha-256", "00")])
            peer.open(resident, tasks, "peer")
            peer.close("left")
            kept = weakref.ref(peer)
            del peer
        assert kept() is None
    assert resident.why == "left"
