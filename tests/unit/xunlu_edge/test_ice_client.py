"""The recorder's half of ICE, against a lite relay made of one socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aioice import stun

from xunlu_edge.media import ice
from xunlu_edge.media.ice import IceClient
from xunlu_edge.media.way import Credentials

REMOTE = Credentials(ufrag="relay", password="p" * 24)


class LiteRelay(asyncio.DatagramProtocol):
    """Answers authenticated requests, unless it is told not to."""

    def __init__(self) -> None:
        self.is_silent = False
        self.forgot = False
        self.forges = False
        self.requests: list[stun.Message] = []
        self.answers: list[stun.Message] = []
        self.sources: list[tuple[str, int]] = []
        self.data: list[bytes] = []
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.changed.set()
        if data[0] > 3:
            self.data.append(data)
            return
        request = stun.parse_message(data)
        if request.message_class is stun.Class.RESPONSE:
            self.answers.append(request)
            return
        self.requests.append(request)
        self.sources.append(addr)
        if self.is_silent or not request.check_message_integrity(REMOTE.password.encode()):
            return
        kind = stun.Class.ERROR if self.forgot else stun.Class.RESPONSE
        answer = stun.Message(stun.Method.BINDING, kind, transaction_id=request.transaction_id)
        if self.forgot:
            answer.attributes["ERROR-CODE"] = (401, "Unauthorized")
        else:
            answer.attributes["XOR-MAPPED-ADDRESS"] = addr
            answer.add_message_integrity(b"x" * 24 if self.forges else REMOTE.password.encode())
        self.transport.sendto(bytes(answer), addr)

    async def until(self, condition: object) -> None:
        assert callable(condition)
        async with asyncio.timeout(15):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def relay() -> AsyncIterator[LiteRelay]:
    loop = asyncio.get_running_loop()
    transport, relay = await loop.create_datagram_endpoint(LiteRelay, local_addr=("127.0.0.1", 0))
    yield relay
    transport.close()


@contextlib.asynccontextmanager
async def connected(relay: LiteRelay) -> AsyncIterator[tuple[IceClient, list[float]]]:
    returns: list[float] = []
    way = IceClient(Credentials(), lambda: returns.append(asyncio.get_running_loop().time()))
    try:
        async with asyncio.timeout(15):
            await way.connect(REMOTE, [("127.0.0.1", relay.port)])
        yield way, returns
    finally:
        way.close()


async def test_the_first_request_nominates_and_is_signed(relay: LiteRelay) -> None:
    async with connected(relay) as (way, _):
        asked = relay.requests[0]
        assert {"USE-CANDIDATE", "ICE-CONTROLLING", "PRIORITY", "FINGERPRINT"} <= asked.attributes.keys()
        assert asked.attributes["USERNAME"].startswith("relay:")
        assert asyncio.get_running_loop().time() - way.heard_s < 5
        way.send(b"\x80media")
        await relay.until(lambda: relay.data)
        assert relay.data == [b"\x80media"]


async def test_an_address_that_does_not_answer_is_passed_over(relay: LiteRelay) -> None:
    way = IceClient(Credentials(), lambda: None)
    with contextlib.closing(way):
        async with asyncio.timeout(15):
            await way.connect(REMOTE, [("127.0.0.1", 9), ("::1", 9), ("127.0.0.1", relay.port)])


async def test_consent_is_asked_for_again_and_again(relay: LiteRelay) -> None:
    async with connected(relay):
        await relay.until(lambda: len(relay.requests) >= 4)
        assert len({request.transaction_id for request in relay.requests}) == len(relay.requests)


async def test_a_return_from_silence_is_told(relay: LiteRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(relay) as (way, returns):
        relay.is_silent = True
        loop = asyncio.get_running_loop()
        await relay.until(lambda: loop.time() - way.heard_s > 1.5)
        assert returns == []
        relay.is_silent = False
        await relay.until(lambda: returns)
        assert way.renewals == 0


async def test_after_a_long_silence_the_sockets_are_opened_anew(
    relay: LiteRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice, "RENEW_S", 0.3)
    monkeypatch.setattr(ice, "DOUBT_S", 0.1)
    async with connected(relay) as (way, returns):
        relay.is_silent = True
        await relay.until(lambda: way.renewals >= 2)
        relay.is_silent = False
        await relay.until(lambda: returns)
        assert len(set(relay.sources)) >= 2


async def test_a_relay_that_does_not_know_us_is_noticed(relay: LiteRelay) -> None:
    async with connected(relay) as (way, _):
        relay.forgot = True
        await relay.until(lambda: way.is_forgotten)
        relay.forgot = False
        await relay.until(lambda: not way.is_forgotten)


async def test_an_answer_that_is_not_signed_by_the_relay_is_no_consent(relay: LiteRelay) -> None:
    async with connected(relay) as (way, _):
        relay.forges = True
        heard_s = way.heard_s
        count = len(relay.requests)
        await relay.until(lambda: len(relay.requests) > count + 4)
        assert way.heard_s <= heard_s + 0.5


async def test_a_stranger_is_not_heard(relay: LiteRelay) -> None:
    loop = asyncio.get_running_loop()
    stranger, other = await loop.create_datagram_endpoint(LiteRelay, local_addr=("127.0.0.1", 0))
    async with connected(relay) as (way, _):
        [ours] = set(relay.sources)
        for garbage in (b"\x17stranger", b"\x00\x01", b"\x01\x01" + bytes(18), bytes(2000)):
            other.transport.sendto(garbage, ("127.0.0.1", ours[1]))
        await relay.until(lambda: way.dropped)
        relay.transport.sendto(b"\x17relay", ("127.0.0.1", ours[1]))
        async with asyncio.timeout(15):
            assert await way._recv() == b"\x17relay"
    stranger.close()


async def test_a_full_peer_that_asks_is_answered_and_a_liar_is_not(relay: LiteRelay) -> None:
    async with connected(relay) as (way, _):
        [ours] = set(relay.sources)
        asked = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        asked.attributes["USERNAME"] = f"{way._local.ufrag}:relay"
        asked.add_message_integrity(way._local.password.encode())
        relay.transport.sendto(bytes(asked), ("127.0.0.1", ours[1]))
        await relay.until(lambda: relay.answers)
        assert relay.answers[0].attributes["XOR-MAPPED-ADDRESS"] == ("127.0.0.1", relay.port)
        dropped = way.dropped
        asked.add_message_integrity(b"wrong" * 5)
        relay.transport.sendto(bytes(asked), ("127.0.0.1", ours[1]))
        await relay.until(lambda: way.dropped > dropped)


async def test_a_closed_way_ends_whoever_reads(relay: LiteRelay) -> None:
    async with connected(relay) as (way, _):
        reading = asyncio.create_task(way._recv())
        await asyncio.sleep(0)
        way.close()
        with pytest.raises(ConnectionError):
            await reading
