"""A WebSocket of a page that breaks off when a test says so, and comes through again when it says so."""

import re

from playwright.async_api import Page, WebSocketRoute


class DeadSpot:
    """Stands in the way of one WebSocket of a page, and lets it pass until it is cut.

    Attributes:
        carried: how many connections came through so far.
    """

    def __init__(self) -> None:
        self.carried = 0
        self._dead = False
        self._line: WebSocketRoute | None = None

    async def cut(self) -> None:
        """Break off what is there, and whatever comes."""
        self._dead = True
        await self.drop()

    async def drop(self) -> None:
        """Break off what is there, once."""
        assert self._line is not None
        await self._line.close()

    def end(self) -> None:
        """Let it pass again."""
        self._dead = False

    async def carry(self, line: WebSocketRoute) -> None:
        """Handle a connection, as `Page.route_web_socket` asks."""
        if self._dead:
            await line.close()
            return
        line.connect_to_server()
        self._line = line
        self.carried += 1


async def dead_spot(page: Page, path: str) -> DeadSpot:
    """Stand in the way of the WebSockets whose path ends so."""
    spot = DeadSpot()
    await page.route_web_socket(re.compile(rf"{path}($|\?)"), spot.carry)
    return spot
