"""What the way to the talk server costs while nobody talks."""

import asyncio
import time
from typing import cast

from aioice import stun

from tests.talk import until
from xunlu_edge.media.ice import CONSENT_S, IDLE_CONSENT_S, IceClient
from xunlu_edge.media.way import Credentials


class Relay(asyncio.DatagramProtocol):
    """Answers every request, and notes when it came and how large it was."""

    def __init__(self, credentials: Credentials) -> None:
        self.asked: list[tuple[float, int]] = []
        self._credentials = credentials
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        self.asked.append((time.monotonic(), len(data)))
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = addr
        response.add_message_integrity(self._credentials.password.encode())
        self._transport.sendto(bytes(response), addr)


async def test_a_way_at_rest_asks_seldom_and_one_in_use_at_once() -> None:
    remote = Credentials()
    relay = Relay(remote)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: relay, ("127.0.0.1", 0))
    way = IceClient(Credentials(), lambda: None)
    try:
        await way.connect(remote, [transport.get_extra_info("sockname")[:2]])
        way.rest(idle=True)
        count = len(relay.asked)
        await until(lambda: len(relay.asked) >= count + 2)
        (before_s, _), (after_s, size) = relay.asked[-2:]
        assert after_s - before_s > IDLE_CONSENT_S * 0.8
        assert size < 120
        await until(lambda: time.monotonic() - after_s > CONSENT_S * 1.3)
        woken_s = time.monotonic()
        way.rest(idle=False)
        await until(lambda: len(relay.asked) == count + 3)
        assert relay.asked[-1][0] - woken_s < CONSENT_S / 2
        assert way.renewals == 0, "rest is no silence"
    finally:
        way.close()
        transport.close()
