"""One live picture: asked for in the drawer, sent by a camera, relayed by a worker, judged by its own frames."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import Account, Bureau, Worn
from tests.console.camera import HEIGHT, WIDTH, Scene, publishing
from tests.integration.ingest_rig import eventually, now_s
from xunlu_protocol.command import BUSY, Reply
from xunlu_protocol.status import State

pytestmark = [pytest.mark.console, pytest.mark.integration]

COMES_MS = 20_000
# What is written on a canvas can be read nowhere else.
WRITINGS = """
globalThis.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (words, ...rest) {
  globalThis.written.push(words);
  return write.call(this, words, ...rest);
};
"""


def picture(page: Page) -> Locator:
    return page.locator(".picture")


async def lives(page: Page, did: str | None = None) -> Locator:
    """Wait until a picture is live; returns it."""
    found = picture(page) if did is None else page.locator(f'.picture[data-did="{did}"]')
    await expect(found).to_have_attribute("data-phase", "live", timeout=COMES_MS)
    return found


@asynccontextmanager
async def on_air(page: Page, bureau: Bureau, worn: Worn, account: Account) -> AsyncIterator[Scene]:
    """Somebody watches a recorder in the drawer, and its camera runs."""
    await bureau.sign_in(page, account, f"/?device={worn.did}")
    await page.get_by_role("button", name="实时画面").click()
    await bureau.command(worn, "live_start")
    async with publishing(bureau.relay, worn.did) as scene:
        await lives(page)
        yield scene


async def frames(found: Locator) -> int:
    """How many frames the picture has shown."""
    return int(await found.locator("video").evaluate("video => video.getVideoPlaybackQuality().totalVideoFrames"))


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_picture_comes_when_it_is_asked_for_and_goes_with_the_drawer(
    page: Page, bureau: Bureau, codec: str
) -> None:
    worn = await bureau.films("周敏")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(page.get_by_role("button", name="实时画面")).to_be_visible()
    await page.keyboard.press("v")
    await expect(picture(page)).to_contain_text("等待记录仪")
    await expect(page.locator(".live-badge")).not_to_have_text("LIVE")
    rid = await bureau.command(worn, "live_start")
    await bureau.answers(worn, rid, Reply(st="running", tst=now_s()))
    await expect(picture(page)).to_contain_text("执行中")
    async with publishing(bureau.relay, worn.did, codec):
        found = await lives(page)
        await expect(page.locator(".live-badge")).to_have_text("LIVE")
        assert await found.locator("video").evaluate("video => [video.videoWidth, video.videoHeight]") == [
            WIDTH,
            HEIGHT,
        ]
        before = await frames(found)

        async def advanced() -> bool:
            return await frames(found) > before + 5

        await eventually(advanced)
        await expect(page.locator(".figures-line")).to_contain_text("kb/s")
        await expect(page.locator(".officer", has_text=worn.number).get_by_text("1 人正在观看")).to_be_attached()
        async with page.expect_request(lambda request: request.method == "DELETE") as ended:
            await page.keyboard.press("Escape")
        assert (await ended.value).url.startswith(bureau.relay.url)

        async def left() -> bool:
            return await bureau.viewers(worn) == 0

        await eventually(left)


async def test_a_picture_that_stands_still_turns_grey_and_says_its_age(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("陈志远")
    async with on_air(page, bureau, worn, await bureau.account("dispatcher")) as scene:
        scene.running.clear()
        await expect(picture(page)).to_have_attribute("data-phase", "stalled")
        await expect(page.locator(".live-badge")).to_have_text("画面停滞")
        await expect(picture(page)).to_contain_text("秒前的画面")
        await expect(page.locator(".still")).to_be_visible()
        assert "grayscale" in await page.locator(".still").evaluate("still => getComputedStyle(still).filter")
        scene.running.set()
        await lives(page)
        await expect(page.locator(".still")).to_be_hidden()


async def test_a_recorder_that_refuses_says_why_and_can_be_asked_again(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("王磊")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="实时画面").click()
    await expect(picture(page)).to_contain_text("等待记录仪")
    rid = await bureau.command(worn, "live_start")
    await bureau.answers(worn, rid, Reply(st="rejected", code=BUSY, tst=now_s()))
    await expect(picture(page)).to_contain_text("记录仪没有推送画面：被拒绝 · 设备忙")
    await picture(page).get_by_role("button", name="再试一次").click()
    async with publishing(bureau.relay, worn.did):
        await lives(page)


async def test_a_recorder_without_a_camera_for_live_video_is_told_by_name(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李倩")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="实时画面").click()
    await expect(picture(page)).to_contain_text("这台设备没有实时画面")


async def test_a_recorder_that_was_away_is_asked_as_soon_as_it_is_back(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("沈岩")
    await bureau.rig.publish(worn.did, "state", State(st="offline", sid=1, tst=now_s(), why="lost").encode())
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(page.get_by_role("row", name=worn.number)).to_contain_text("失联")
    await page.get_by_role("button", name="实时画面").click()
    await expect(picture(page)).to_contain_text("记录仪不在线")
    await bureau.rig.publish(worn.did, "state", State(st="online", sid=2, tst=now_s()).encode())
    await bureau.command(worn, "live_start")
    async with publishing(bureau.relay, worn.did):
        await lives(page)


async def test_somebody_stops_the_live_picture_for_everybody(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("张宏")
    async with on_air(page, bureau, worn, await bureau.account("dispatcher")):
        token = await page.evaluate("fetch('/api/v1/auth/me').then(answer => answer.json()).then(me => me.csrf_token)")
        url = f"{bureau.api.url}/api/v1/live/{worn.did}"
        assert (await page.request.delete(url, headers={"x-csrf-token": token})).status == 202
        rid = await bureau.command(worn, "live_stop")
        await bureau.answers(worn, rid, Reply(st="done", tst=now_s()))
        await expect(picture(page)).to_contain_text("有人停止了直播")


async def test_a_relay_that_is_away_is_said_and_found_again(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("刘洋")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    away = f"{bureau.relay.url}/whep/**"
    await page.route(away, lambda route: route.abort("connectionrefused"))
    await page.get_by_role("button", name="实时画面").click()
    await expect(picture(page)).to_contain_text("无法连接视频服务")
    await page.unroute(away)
    async with publishing(bureau.relay, worn.did):
        await lives(page)


async def test_a_snapshot_is_a_file_named_by_officer_and_time(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("赵婷")
    async with on_air(page, bureau, worn, await bureau.account("dispatcher")):
        found = picture(page)
        await found.hover()
        async with page.expect_download() as download:
            await found.get_by_role("button", name="抓拍").click()
        file = await download.value
        assert file.suggested_filename.startswith(f"{worn.number}_")
        content = (await file.path()).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert int.from_bytes(content[16:20]) == WIDTH
        assert int.from_bytes(content[20:24]) > HEIGHT


async def test_picture_and_snapshot_say_where_the_officer_is_and_how_old_the_fix(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("沈月")
    await page.add_init_script(WRITINGS)
    async with on_air(page, bureau, worn, await bureau.account("dispatcher")):
        found = picture(page)
        await expect(found.locator(".place")).to_have_text("没有定位")
        await bureau.stands(worn, 31.2304, 121.4737)
        await expect(found.locator(".place")).to_have_text(re.compile(r"^31\.23040, 121\.47370 · \d+ 秒前$"))
        # Far from what the map shows.
        await bureau.stands(worn, 30.5, 120.5, seq=2)
        await expect(found.locator(".place")).to_contain_text("30.50000, 120.50000")
        await found.hover()
        async with page.expect_download():
            await found.get_by_role("button", name="抓拍").click()
        written = await page.evaluate("written.filter((words) => words.includes('120.50000'))")
        assert [line.startswith("30.50000, 120.50000 · 定位 20") for line in written] == [True]


async def test_an_old_fix_beside_a_picture_is_told_apart(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("石磊")
    await bureau.stands(worn, 31.2304, 121.4737, age_s=600)
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="实时画面").click()
    await expect(page.locator(".place.is-warn")).to_contain_text("10 分前")


async def test_whoever_looks_stands_over_the_picture_whatever_a_style_says(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("孙浩")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="实时画面").click()
    mark = page.locator(".watermark")
    await expect(mark).to_be_attached()
    await mark.evaluate("mark => { mark.className = ''; mark.hidden = true; mark.style.display = 'none'; }")
    await expect(picture(page).locator("div[aria-hidden=true]")).to_have_css("display", "block")
    await picture(page).locator("div[aria-hidden=true]").evaluate("mark => mark.remove()")
    await expect(picture(page).locator("div[aria-hidden=true]")).to_have_css("display", "block")


async def test_recording_on_the_server_is_ordered_and_ended_by_a_button(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("吴杰")

    async def orders() -> list[dict[str, object]]:
        return await bureau.rig.rows(
            "select ended_at is null as open from recording_order o join device d on d.id = o.device_id where did = %s",
            worn.did,
        )

    async with on_air(page, bureau, worn, await bureau.account("dispatcher")):
        found = picture(page)
        await found.hover()
        await found.get_by_role("button", name="服务器录像", exact=True).click()
        await expect(page.locator(".toast")).to_contain_text("服务器开始录像")
        assert await orders() == [{"open": True}]


async def test_a_role_without_the_right_is_told_whom_to_ask(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("徐静")
    await bureau.sign_in(page, await bureau.account("clerk"), f"/?device={worn.did}")
    await expect(page.get_by_text("您的角色不能查看实时画面")).to_be_visible()
    await page.goto(f"{bureau.api.url}/wall")
    await expect(page.get_by_text("请联系管理员调整角色")).to_be_visible()


async def test_who_watched_whom_stands_in_the_audit(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("胡斌")
    account = await bureau.account("supervisor")
    async with on_air(page, bureau, worn, account):
        await page.keyboard.press("v")
        await expect(picture(page)).to_have_count(0)

        async def ended() -> object:
            return await bureau.rig.rows(
                "select 1 from viewing v join device d on d.id = v.device_id where did = %s and ended_at is not null",
                worn.did,
            )

        await eventually(ended)
    await page.goto(f"{bureau.api.url}/manage/audit")
    await page.get_by_role("link", name="观看记录").click()
    row = page.get_by_role("row", name=worn.number)
    await expect(row).to_contain_text(account.username)
    await expect(row).to_contain_text("主动离开")
