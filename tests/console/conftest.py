"""A bureau for all tests of the console, and a browser whose pages may neither complain nor look elsewhere."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Geolocation, Page, Request, expect

from tests.chromium import chromium
from tests.console.bureau import Bureau, running_bureau
from tests.console.handset import Handset
from tests.services import Services, fresh_database
from xunlu_gis.map.prepare import prepare

# For every act and every expectation: a busy machine is slow, not wrong.
TIMEOUT_MS = 20_000
expect.set_options(timeout=TIMEOUT_MS)
HERE: Geolocation = {"latitude": 31.2304, "longitude": 121.4737, "accuracy": 8}
# It beeps once a second, and nobody is asked for leave.
FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

# A refused request is told to the person by the console; the browser reports it by itself besides.
EXPECTED_COMPLAINTS = (
    "status of 401",
    "status of 403",
    "status of 404",
    "status of 409",
    "status of 422",
    "ERR_CONNECTION_REFUSED",
    "Bad response code: 401",
)


@pytest_asyncio.fixture(scope="package")
async def open_bureau(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bureau]:
    folder = tmp_path_factory.mktemp("console")
    prepare(None, folder / "map")
    async with fresh_database(services) as database, running_bureau(database, services.test_broker, folder) as running:
        yield running


@pytest_asyncio.fixture
async def bureau(open_bureau: Bureau) -> AsyncIterator[Bureau]:
    yield open_bureau
    await open_bureau.goes_home()


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with chromium(*FAKE_MICROPHONE) as launched:
        yield launched


@pytest_asyncio.fixture
async def page(browser: Browser, bureau: Bureau) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    complaints: list[str] = []
    strangers: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(expected in message.text for expected in EXPECTED_COMPLAINTS):
            complaints.append(message.text)

    def watch(request: Request) -> None:
        ours = request.url.startswith((bureau.api.url, bureau.relay.url))
        if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"} and not ours:
            strangers.append(request.url)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", watch)
    yield page
    await context.close()
    assert not complaints
    assert not strangers


@pytest_asyncio.fixture
async def handset(browser: Browser, bureau: Bureau) -> AsyncIterator[Handset]:
    context = await browser.new_context(
        viewport={"width": 412, "height": 915},
        locale="zh-CN",
        geolocation=HERE,
        permissions=["geolocation", "camera", "microphone"],
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    number = await bureau.officer("何雪")
    await bureau.sign_in(page, await bureau.account("officer", number=number), "/phone")
    await expect(page.locator("[data-line=open]")).to_be_visible()
    yield Handset(context, page, number)
    await context.close()
    assert not complaints
