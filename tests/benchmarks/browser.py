"""Chromium as a dispatcher's desk has it, without a GPU."""

import contextlib
import shutil
from collections.abc import AsyncIterator

from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright

from tests.benchmarks.bureau import Bureau
from tests.benchmarks.registry import UnavailableError
from tests.processes import Api

WINDOW: ViewportSize = {"width": 1600, "height": 900}
WAIT_S = 60.0


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser.

    Raises:
        UnavailableError: it is not installed.
    """
    program = shutil.which("chromium")
    if program is None:
        raise UnavailableError("Chromium is not installed; `deploy/setup chromium` installs it for root.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def desk(browser: Browser, bureau: Bureau, api: Api) -> BrowserContext:
    """A browser whose dispatcher is signed in."""
    context = await browser.new_context(viewport=WINDOW, locale="zh-CN")
    context.set_default_timeout(WAIT_S * 1000)
    await context.add_cookies([{"name": "xunlu_session", "value": await bureau.login("cookie"), "url": api.url}])
    return context
