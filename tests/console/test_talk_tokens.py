"""A desk stays on the radio net, whose server lets nobody stay with a token that ended."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, WebSocket, expect

from tests.console.bureau import Bureau
from tests.console.radio import JOINS_MS
from tests.talk import until

pytestmark = [pytest.mark.console, pytest.mark.integration]

HALF_A_LIFE_MS = 31 * 60_000


async def test_a_fresh_token_goes_out_after_half_of_the_life_of_the_one_before(page: Page, bureau: Bureau) -> None:
    sent: list[dict[str, Any]] = []
    told: list[str] = []

    def listen(socket: WebSocket) -> None:
        if socket.url.endswith("/ptt"):
            socket.on("framesent", lambda text: sent.append(json.loads(text)))
            socket.on("framereceived", lambda text: told.append(json.loads(text)["t"]))

    page.on("websocket", listen)
    await page.clock.install()
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/")
    await expect(page.locator(".ptt")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    await page.clock.fast_forward(HALF_A_LIFE_MS)
    await until(lambda: any(one["t"] == "renew" for one in sent), f"none went out: {told}")
    assert len({one["token"] for one in sent if "token" in one}) == 2
    await until(lambda: "groups" in told, "the server did not take it")
    assert "problem" not in told
