"""Incidents: made from a look back or an alarm, written down without loss, shown to strangers, handed over."""

import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.bureau import Bureau
from tests.console.review_scene import Past, address, calls_for_help, films, officer, walks

pytestmark = [pytest.mark.console, pytest.mark.integration]

EXPORT_MS = 45_000


async def walked(bureau: Bureau, name: str) -> Past:
    one = await officer(bureau, name)
    await walks(bureau, one, 0, 20)
    return one


async def makes(page: Page, bureau: Bureau, *people: Past, title: str = "外滩走失儿童") -> None:
    """A supervisor makes an incident of a look back, and sees it."""
    await bureau.sign_in(page, await bureau.account("supervisor"), address(*people))
    await expect(page.locator(".subject", has_text=people[0].number)).to_be_visible()
    await page.get_by_role("button", name="建案事件").click()
    dialog = page.get_by_role("dialog", name="新建案事件")
    await dialog.get_by_label("名称").fill(title)
    await dialog.get_by_role("button", name="新建", exact=True).click()
    await expect(page.get_by_role("heading", name=title)).to_be_visible()


async def test_an_incident_is_made_of_a_look_back_and_leads_back_to_it(page: Page, bureau: Bureau) -> None:
    one, two = [await walked(bureau, name) for name in ("周敏", "陈志远")]
    await makes(page, bureau, one, two)
    incident = page.locator(".incident")
    await expect(incident).to_contain_text(f"{one.name} {one.number}")
    await expect(incident).to_contain_text(f"{two.name} {two.number}")
    await incident.get_by_role("link", name="回放").click()
    await expect(page.locator(".subject", has_text=two.number)).to_be_visible()
    await page.go_back()
    await page.get_by_role("link", name="案事件", exact=True).first.click()
    await expect(page.get_by_role("row", name=one.number)).to_contain_text("进行中")


async def test_an_alarm_becomes_an_incident_around_its_time(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "李倩")
    await calls_for_help(bureau, one, 5)
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/manage/alarms")
    await page.get_by_role("row", name=one.number).get_by_role("button", name="建案事件").click()
    await expect(page.get_by_role("heading", name=one.number)).to_be_visible()
    await expect(page.get_by_role("link", name="来自告警")).to_be_visible()


async def test_nothing_that_was_written_disappears(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "王强")
    await makes(page, bureau, one, title="初名")
    steps = page.get_by_role("region", name="关键环节")
    notes = page.get_by_role("region", name="备注")
    dialog = page.get_by_role("dialog")
    await steps.get_by_role("button", name="标出环节").click()
    await dialog.get_by_label("关键环节").fill("发现儿童")
    await dialog.get_by_role("button", name="保存").click()
    await steps.get_by_role("button", name="划掉 发现儿童").click()
    await expect(steps.locator("s")).to_have_text("发现儿童")
    await expect(steps).to_contain_text("划掉")
    await notes.get_by_role("button", name="添加备注").click()
    await dialog.get_by_label("备注").fill("家属已联系")
    await dialog.get_by_role("button", name="添加备注").click()
    await expect(notes).to_contain_text("家属已联系")
    await page.get_by_role("button", name="编辑").click()
    await dialog.get_by_label("名称").fill("新名")
    await dialog.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("heading", name="新名")).to_be_visible()
    await expect(notes.get_by_role("row", name="修改")).to_contain_text("名称")
    await page.get_by_role("button", name="结案").click()
    await dialog.get_by_label("备注").fill("已交还家属")
    await dialog.get_by_role("button", name="结案").click()
    await expect(page.get_by_role("banner").or_(page.locator(".page-head"))).to_contain_text(["", "已结案"])
    await page.reload()
    await expect(notes).to_contain_text("已交还家属")


async def test_a_stranger_plays_it_by_a_secret_address_until_it_is_withdrawn(
    page: Page, bureau: Bureau, browser: Browser
) -> None:
    one = await walked(bureau, "赵琳")
    film = await films(bureau, one, 8)
    await makes(page, bureau, one)
    await page.get_by_role("button", name="分享").click()
    dialog = page.get_by_role("dialog", name="分享 · 外滩走失儿童")
    await dialog.get_by_role("button", name="新建地址").click()
    asked = page.get_by_role("dialog", name="新建地址")
    await asked.get_by_label("给谁").fill("检察院 王")
    await asked.get_by_role("button", name="新建", exact=True).click()
    secret = await page.locator(".secret").nth(1).inner_text()
    await page.get_by_role("button", name="已记下").click()
    context = await browser.new_context()
    stranger = await context.new_page()
    complaints: list[str] = []
    stranger.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    stranger.on("pageerror", lambda error: complaints.append(str(error)))
    await stranger.goto(secret)
    await expect(stranger.locator("h1")).to_have_text("外滩走失儿童")
    await expect(stranger.locator("aside")).to_contain_text(f"{one.name} {one.number}")
    await stranger.get_by_role("button", name="13:58:00").first.click()
    await expect(stranger.locator("#footage video")).to_have_js_property("readyState", 4)
    await expect(stranger.locator("#footage video")).to_have_attribute("src", f"media/{film}.mp4")
    assert complaints == []
    await dialog.get_by_role("button", name="关闭").click()
    await page.get_by_role("button", name="分享").click()
    await dialog.get_by_text("打开 2 次").click()
    await expect(dialog.get_by_role("list")).to_contain_text("127.0.0.1")
    await dialog.get_by_role("button", name="撤销").click()
    await expect(dialog).to_contain_text("已撤销")
    answer = await stranger.goto(secret)
    assert answer is not None
    assert answer.status == 404
    await context.close()


async def test_an_export_is_followed_and_fetched(page: Page, bureau: Bureau, tmp_path: Path) -> None:
    one = await walked(bureau, "孙伟")
    await films(bureau, one, 8, there=False)
    await makes(page, bureau, one)
    await page.get_by_role("button", name="导出").click()
    dialog = page.get_by_role("dialog", name="导出 · 外滩走失儿童")
    await expect(dialog).to_contain_text("签名公钥指纹")
    await dialog.get_by_role("button", name="新建导出").click()
    await expect(dialog.get_by_text("已完成")).to_be_visible(timeout=EXPORT_MS)
    async with page.expect_download() as download:
        await dialog.get_by_role("link", name="kB").or_(dialog.get_by_role("link", name="MB")).click()
    path = tmp_path / "fetched.zip"
    await (await download.value).save_as(path)
    with zipfile.ZipFile(path) as file:
        assert {"index.html", "manifest.json", "manifest.sig"} <= set(file.namelist())
