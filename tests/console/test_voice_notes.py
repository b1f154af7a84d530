"""Orders to groups and units, and voice notes: recorded at a desk and on a telephone, heard, and how far they came."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau
from tests.integration.ingest_rig import eventually, now_s
from tests.sound import voice_note
from xunlu_platform.api.sound import inspect
from xunlu_protocol.status import State

pytestmark = [pytest.mark.console, pytest.mark.integration]

SLOW_MS = 20_000


async def record(dialog: Locator) -> None:
    """Say something for more than a second; the browser's microphone beeps."""
    await dialog.get_by_role("button", name="录音").click()
    await expect(dialog.get_by_role("timer")).to_have_text(re.compile(r"^[1-9]\d* 秒"), timeout=SLOW_MS)
    await dialog.get_by_role("button", name="停止").click()
    await expect(dialog.locator("audio")).to_be_visible()


async def notes(bureau: Bureau, target: str) -> list[dict[str, Any]]:
    return await bureau.rig.rows(
        "select m.id, v.sound from voice_note v join message m on m.id = v.message_id where m.target = %s", target
    )


async def test_who_calls_an_officer_that_is_away_is_offered_to_leave_a_note(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("周敏")
    await bureau.rig.publish(worn.did, "state", State(st="offline", sid=1, tst=now_s(), why="lost").encode())
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(page.locator(".officer", has_text=worn.number)).to_contain_text("失联", timeout=SLOW_MS)
    await page.get_by_role("button", name="呼叫对讲").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("未连接")
    send = dialog.get_by_role("button", name="发送")
    await expect(send).to_be_disabled()
    await record(dialog)
    await send.click()
    await expect(page.locator(".toast")).to_contain_text("指令已发出")
    [note] = await notes(bureau, worn.did)
    assert inspect(note["sound"]).duration_s > 0.8
    await page.goto(f"{bureau.api.url}/talk/orders")
    row = page.locator(".listing tbody tr", has_text="周敏").first
    await expect(row).to_contain_text("等待")
    await expect(row.locator("audio")).to_be_visible()


async def test_a_note_that_was_heard_to_its_end_counts_as_played(page: Page, bureau: Bureau) -> None:
    desk, number = await bureau.account("dispatcher"), await bureau.officer("赵婷")
    officer = await bureau.account("officer", number=number)
    [unit] = await bureau.rig.rows("select id from unit where name = %s", SQUAD)
    await bureau.rig.connection.execute(
        "with order_ as (insert into message (id, unit_id, target, speak, account_id, username)"
        " select 'heard-note', %s, %s, true, id, username from account where username = %s returning id),"
        " note as (insert into voice_note (message_id, media_type, duration_s, size_bytes, sha256, sound)"
        " select id, 'audio/webm', 0.5, 1, repeat('0', 64), %s from order_)"
        " insert into message_target (message_id, person)"
        " select order_.id, 'u-' || account.id from order_, account where account.username = %s",
        [unit["id"], f"unit-{unit['id']}", desk.username, voice_note(0.5), officer.username],
    )
    await bureau.sign_in(page, officer, "/phone")
    order = page.locator(".phone-orders li").first
    await expect(order.get_by_role("button", name="已读")).to_be_visible(timeout=SLOW_MS)
    await order.locator("audio").evaluate("sound => sound.play()")
    await expect(order.get_by_role("button", name="已读")).to_have_count(0, timeout=SLOW_MS)
    await page.context.clear_cookies()
    await bureau.sign_in(page, desk, "/talk/orders")
    await expect(page.locator(".listing tbody tr", has=page.locator("audio")).first).to_contain_text(
        f"{officer.username} · 已播放"
    )


async def test_leave_that_is_given_after_the_dialog_was_closed_opens_no_microphone(page: Page, bureau: Bureau) -> None:
    await bureau.worn("郑洁")
    await bureau.sign_in(page, await bureau.account("officer", number=await bureau.officer("高远")), "/phone")
    leave = page.get_by_role("button", name="留言")
    await expect(leave).to_be_enabled(timeout=SLOW_MS)
    await leave.click()
    await page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wanted) => {
            await new Promise((resolve) => (window.giveLeave = resolve));
            return (window.given = await ask(wanted));
          };
        }"""
    )
    await page.get_by_role("dialog").get_by_role("button", name="录音").click()
    await page.wait_for_function("() => window.giveLeave !== undefined")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("window.giveLeave()")
    await page.wait_for_function("() => window.given?.getTracks().every(({ readyState }) => readyState === 'ended')")


async def test_an_officer_leaves_a_note_for_the_squad_from_a_telephone(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李倩")
    await bureau.sign_in(page, await bureau.account("officer", number=await bureau.officer("孙浩")), "/phone")
    leave = page.get_by_role("button", name="留言")
    await expect(leave).to_be_enabled(timeout=SLOW_MS)
    await leave.click()
    dialog = page.get_by_role("dialog")
    await record(dialog)
    await dialog.get_by_role("button", name="发送").click()
    await expect(page.locator(".toast")).to_contain_text("指令已发出")
    await expect(page.locator(".phone-orders li").first).to_contain_text(f"{worn.name} · 等待")


async def test_an_order_goes_to_a_whole_unit_and_says_who_has_read_it(page: Page, bureau: Bureau) -> None:
    number = await bureau.officer("何雪")
    reader = await bureau.account("officer", number=number)
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/talk/orders")
    write = page.get_by_role("button", name="发指令")
    await expect(write).to_be_enabled(timeout=SLOW_MS)
    await write.click()
    dialog = page.get_by_role("dialog")
    [top] = await bureau.rig.rows("select id from unit where parent_id is null")
    await dialog.get_by_label("接收").select_option(f"below:unit-{top['id']}")
    await dialog.get_by_label("内容").fill("全体集合")
    await dialog.get_by_role("button", name="发送").click()
    row = page.locator(".listing tbody tr", has_text="全体集合")
    await expect(row).to_contain_text("及下级")
    await expect(row).to_contain_text(f"{reader.username} · 等待")

    async def read() -> object:
        return await bureau.rig.rows(
            "update message_target t set read_at = now() from message m, account a where m.id = t.message_id"
            " and m.text = '全体集合' and t.person = 'u-' || a.id and a.username = %s returning 1",
            reader.username,
        )

    await eventually(read)
    await expect(row).to_contain_text(f"{reader.username} · 已读", timeout=SLOW_MS)
