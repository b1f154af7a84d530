"""Signing in and out, language and theme."""

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import Account, Bureau

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
