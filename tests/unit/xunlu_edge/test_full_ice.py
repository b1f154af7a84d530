"""Full ICE, for relays that not everybody can reach: against stock aiortc, and what aioice is told of servers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from aioice import stun

from tests.unit.xunlu_edge.relay_rig import Relay, relay
from xunlu_edge.media.adapter import RTCCertificate
from xunlu_edge.media.bitrate import BitrateController
from xunlu_edge.media.full_ice import FullIce, FullWays, server_arguments
from xunlu_edge.media.publication import Publication
from xunlu_edge.media.session import Shared
from xunlu_edge.media.sources import GeneratedVideo
from xunlu_edge.media.steering import Steering
from xunlu_edge.media.way import Credentials, IceServer
from xunlu_edge.media.whip import WhipClient
from xunlu_protocol.command import LiveStart


def utc_ms() -> int:
    return time.time_ns() // 1_000_000


class StunServer(asyncio.DatagramProtocol):
    """Tells who asks where from (RFC 8489 §6)."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        request = stun.parse_message(data)
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = addr
        self.transport.sendto(bytes(answer), addr)


@contextlib.asynccontextmanager
async def publishing(there: Relay) -> AsyncIterator[Publication]:
    shared = Shared(
        whip=WhipClient(None),
        ways=FullWays(()),
        certificate=RTCCertificate.generateCertificate(),
        steering=Steering(BitrateController(1_000_000, time.monotonic())),
        utc_ms=utc_ms,
    )
    video = GeneratedVideo(name="SIM0001", utc_ms=utc_ms)
    publication = Publication(LiveStart(whip=there.url, token="t"), shared, video, None, "libx264")
    task = asyncio.create_task(publication.run())
    try:
        yield publication
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_picture_arrives_by_full_ice(monkeypatch: pytest.MonkeyPatch) -> None:
    async with relay(monkeypatch) as there:
        async with publishing(there):
            assert all(each.utc_ms is not None for each in await there.until_seen(10))
            assert "a=end-of-candidates" in there.offers[0]
        assert there.counts["DELETE"] == 1


async def test_servers_that_the_relay_names_are_asked_when_none_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    listening, server = await loop.create_datagram_endpoint(StunServer, local_addr=("127.0.0.1", 0))
    with contextlib.closing(listening):
        async with relay(monkeypatch) as there:
            port = listening.get_extra_info("sockname")[1]
            there.headers = {"Link": f'<stun:127.0.0.1:{port}>; rel="ice-server"'}
            async with publishing(there):
                await there.until_seen(3)
    assert server.asked


async def test_a_closed_way_ends_whoever_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    way = FullIce(Credentials(), ())
    way.close()
    with pytest.raises(ConnectionError):
        await way._recv()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("stun:stun.example", {"stun_server": ("stun.example", 3478)}),
        (
            "turn:turn.example:4000?transport=tcp",
            {"turn_server": ("turn.example", 4000), "turn_transport": "tcp", "turn_ssl": False},
        ),
        (
            "turns:[2001:db8::1]",
            {"turn_server": ("2001:db8::1", 5349), "turn_transport": "tcp", "turn_ssl": True},
        ),
        ("turn:", {}),
        ("http://turn.example", {}),
        ("turn:turn.example:port", {}),
    ],
)
def test_the_address_of_a_server_is_read_as_its_standard_says(url: str, expected: dict[str, object]) -> None:
    credentials = {"turn_username": "u", "turn_password": "p"} if "turn_server" in expected else {}
    assert server_arguments([IceServer(url=url, username="u", credential="p")]) == expected | credentials


def test_the_first_server_of_each_kind_counts() -> None:
    servers = [IceServer(url=f"{kind}:{name}") for kind in ("stun", "turn") for name in ("a", "b")]
    found = server_arguments(servers)
    assert (found["stun_server"][0], found["turn_server"][0]) == ("a", "a")
