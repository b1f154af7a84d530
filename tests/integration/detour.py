"""A recorder's media through a bad network."""

import contextlib
from collections.abc import Callable, Sequence

from xunlu_edge.media.ice import IceClient
from xunlu_edge.media.way import Address, Credentials, IceServer
from xunlu_sim.udp_impairment import UdpLink, UdpOptions, impaired_udp


class Detour:
    """Ways that lead through an impaired network; the first one decides where the other end is."""

    def __init__(self, stack: contextlib.AsyncExitStack, options: UdpOptions) -> None:
        self.link: UdpLink
        self._stack = stack
        self._options = options

    def way(self, local: Credentials, on_return: Callable[[], None]) -> IceClient:
        detour = self

        class Detoured(IceClient):
            async def connect(
                self, remote: Credentials, addresses: Sequence[Address], servers: Sequence[IceServer] = ()
            ) -> None:
                detour.link = await detour._stack.enter_async_context(impaired_udp(*addresses[0], detour._options))
                await super().connect(remote, [("127.0.0.1", detour.link.port)], servers)

        return Detoured(local, on_return)
