"""Signing in and out, language and theme."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.console.bureau import SQUAD, Account, Bureau

pytestmark = [pytest.mark.console, pytest.mark.integration]


async def test_a_wrong_password_says_what_to_do_and_keeps_the_name(page: Page, bureau: Bureau) -> None:
    account = await bureau.account("dispatcher")
    await bureau.knock(page, Account(username=account.username, password="wrong"))
    await expect(page.get_by_role("alert")).not_to_be_empty()
    await expect(page.get_by_label("用户名")).to_have_value(account.username)


async def test_a_password_that_was_given_must_be_changed_first(page: Page, bureau: Bureau) -> None:
    account = await bureau.account("dispatcher", must_change=True)
    await bureau.sign_in(page, account)
    await page.get_by_label("当前密码").fill(account.password)
    await page.get_by_label("新密码", exact=False).first.fill("a fresh one 2026")
    await page.get_by_label("再次输入新密码").fill("a fresh one 2026")
    await page.get_by_role("button", name="修改密码").click()
    await expect(page.get_by_role("grid", name="队员列表")).to_be_visible()


async def test_a_desk_stands_once_the_organisation_is_known(page: Page, bureau: Bureau) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def linger(route: Route) -> None:
        asked.set()
        await answered.wait()
        await route.continue_()

    await page.route("**/api/v1/units?*", linger)
    await bureau.knock(page, await bureau.account("clerk"), "/manage/officers")
    await asked.wait()
    await expect(page.get_by_role("button", name="登录", exact=True)).to_be_enabled()
    await expect(page.get_by_role("heading", name="队员")).to_have_count(0)
    answered.set()
    await page.get_by_role("button", name="新建队员").click()
    await expect(page.get_by_role("dialog").get_by_label("单位")).to_contain_text(SQUAD)


async def test_a_desk_without_the_organisation_can_be_tried_again(page: Page, bureau: Bureau) -> None:
    units = "**/api/v1/units?*"
    await page.route(units, lambda route: route.abort("connectionrefused"))
    await bureau.knock(page, await bureau.account("dispatcher"))
    again = page.get_by_role("button", name="再试一次")
    await expect(again).to_be_visible()
    await page.unroute(units)
    await again.click()
    await expect(page.get_by_role("treeitem", name=SQUAD)).to_be_visible()


async def test_signing_out_leads_back_to_the_door(page: Page, bureau: Bureau) -> None:
    account = await bureau.account("dispatcher")
    await bureau.sign_in(page, account)
    await page.get_by_role("button", name=account.username).click()
    await page.get_by_role("menuitem", name="退出登录").click()
    await expect(page.get_by_label("用户名")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("用户名")).to_be_visible()


async def test_language_and_theme_stay_as_they_were_chosen(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await page.get_by_role("button", name="切换语言").click()
    await expect(page.get_by_role("grid", name="Officers")).to_be_visible()
    await page.keyboard.press("d")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(page.get_by_role("grid", name="Officers")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_an_address_that_does_not_exist_says_so(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/nowhere")
    await expect(page.get_by_text("没有这个页面")).to_be_visible()


@pytest.mark.parametrize("view", ["/health", "/manage/users", "/manage/audit"])
async def test_a_page_that_the_role_may_not_see_says_whom_to_ask(page: Page, bureau: Bureau, view: str) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"), view)
    await expect(page.get_by_text("您的角色不能查看此页")).to_be_visible()
