"""The telephone of an officer, as its hand holds it."""

from dataclasses import dataclass

from playwright.async_api import BrowserContext, Page

# The tests need not wait as long as an officer's thumb.
HOLD_MS = 900


@dataclass
class Handset:
    """The telephone of an officer, with the page open."""

    context: BrowserContext
    page: Page
    number: str

    async def walks(self, lat: float, lon: float) -> None:
        """Take a step."""
        await self.context.set_geolocation({"latitude": lat, "longitude": lon, "accuracy": 8})

    async def holds(self, name: str) -> None:
        """A long press."""
        await self.page.get_by_role("button", name=name).click(delay=HOLD_MS)
