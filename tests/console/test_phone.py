"""A duty telephone as a device: its page in one browser window, the desk of a dispatcher in another."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import Bureau
from tests.console.dead_spot import dead_spot
from tests.console.handset import Handset
from tests.integration.ingest_rig import eventually

pytestmark = [pytest.mark.console, pytest.mark.integration]

COMES_MS = 20_000


async def positions(bureau: Bureau, number: str) -> list[tuple[float, bool, int]]:
    """Latitude, whether it came late, and the UTC second of each fix."""
    rows = await bureau.rig.rows(
        "select p.lat, p.late, extract(epoch from p.fix_at)::bigint as at from position p"
        " join binding b on b.device_id = p.device_id join officer o on o.id = b.officer_id where o.number = %s"
        " order by p.fix_at",
        number,
    )
    return [(row["lat"], row["late"], row["at"]) for row in rows]


async def test_an_officer_with_a_telephone_is_on_the_map_and_the_dispatcher_sees_through_its_camera(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    await expect(phone.locator(".phone-duty")).to_contain_text("定位 ±8 m")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    row = page.get_by_role("row", name=handset.number)
    await expect(row).to_contain_text("在岗")
    await row.click()
    await expect(page.get_by_role("button", name="实时画面")).to_be_visible()
    await page.keyboard.press("v")
    await expect(page.locator(".picture")).to_have_attribute("data-phase", "live", timeout=COMES_MS)
    await expect(phone.locator(".phone-camera")).to_contain_text("正在查看您的画面")
    await expect(phone.locator(".phone-preview")).to_be_visible()
    await page.keyboard.press("v")
    await expect(phone.locator(".phone-camera")).to_contain_text("无人观看", timeout=COMES_MS)


async def test_the_officer_closes_the_camera_and_it_stays_closed_until_allowed(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    camera = handset.page.locator(".phone-camera")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await page.get_by_role("row", name=handset.number).click()
    await page.get_by_role("button", name="实时画面").click()
    await expect(camera).to_have_attribute("data-phase", "live", timeout=COMES_MS)
    await camera.get_by_role("button", name="关闭画面").click()
    await expect(camera).to_contain_text("您已关闭画面")
    await expect(page.locator(".picture")).not_to_have_attribute("data-phase", "live", timeout=COMES_MS)
    await camera.get_by_role("button", name="允许查看").click()
    await expect(camera).to_contain_text("无人观看")


async def test_an_sos_of_a_telephone_rings_at_the_desk_and_can_be_taken_back(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await handset.holds("一键报警")
    await phone.get_by_role("button", name="取消", exact=True).click()
    await expect(phone.locator(".phone-countdown")).to_have_count(0)
    await handset.holds("一键报警")
    await expect(phone.locator(".phone-countdown")).to_contain_text("即将报警")
    await expect(phone.locator(".phone-sos-on")).to_contain_text("指挥中心已收到", timeout=COMES_MS)
    await expect(page.locator(".alarms")).to_contain_text("何雪")
    # As with a recorder: the picture comes by itself, and the nearest are called together.
    await expect(phone.locator(".phone-camera")).to_have_attribute("data-phase", "live", timeout=COMES_MS)

    async def called() -> object:
        return await bureau.rig.rows(
            "select 1 from talk_group g join alarm a on a.id = g.alarm_id join officer o on o.id = a.officer_id"
            " join account k on k.officer_id = o.id join talk_group_member m on m.gid = g.gid"
            " where o.number = %s and m.person = 'u-' || k.id",
            handset.number,
        )

    await eventually(called)
    await phone.reload()
    await handset.holds("解除报警")
    await expect(phone.locator(".phone-sos")).to_be_visible()

    async def taken_back() -> object:
        return await bureau.rig.rows(
            "select 1 from alarm a join officer o on o.id = a.officer_id where o.number = %s"
            " and cancelled_at is not null",
            handset.number,
        )

    await eventually(taken_back)


async def test_what_a_dead_spot_held_back_is_filled_in_with_its_own_times_even_after_a_reload(
    bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    line = await dead_spot(phone, "/api/v1/phone")
    await phone.reload()
    await expect(phone.locator("[data-line=open]")).to_be_visible()
    await line.cut()
    await expect(phone.locator("[data-line=lost]")).to_be_visible()
    await handset.walks(31.24, 121.48)
    await expect(phone.locator("[data-waiting='0']")).to_have_count(0, timeout=COMES_MS)

    async def stored() -> bool:
        return any(lat == 31.24 for lat, _, _ in await positions(bureau, handset.number))

    assert not await stored()
    await phone.reload()
    await expect(phone.locator("[data-waiting='0']")).to_have_count(0)
    line.end()
    await expect(phone.locator("[data-line=open]")).to_be_visible(timeout=COMES_MS)
    await eventually(stored)
    await expect(phone.locator("[data-waiting='0']")).to_be_visible(timeout=COMES_MS)


async def test_a_telephone_without_a_voice_shows_what_it_is_told_and_does_not_claim_to_have_read_it(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    await handset.page.get_by_role("button", name="朗读指令").click()
    await expect(handset.page.get_by_text("没有中文语音")).to_be_visible()
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await page.get_by_role("row", name=handset.number).click()
    await expect(page).to_have_url(re.compile("device="))
    did = page.url.partition("device=")[2]
    body = {"name": "say_text", "args": {"text": "请到南京东路增援"}}
    rid = (await posts(page, bureau, f"/devices/{did}/commands", body))["id"]
    words = handset.page.locator(".phone-words")
    await expect(words).to_contain_text("请到南京东路增援")

    async def answered() -> list[dict[str, Any]]:
        return await bureau.rig.rows(
            "select state, why from command where rid = %s and state in ('done', 'failed')", rid
        )

    assert await eventually(answered) == [{"state": "failed", "why": "已显示，未能朗读到底"}]
    await words.get_by_role("button").click()
    await expect(words).to_be_hidden()


# Chromium has no voice where the tests run. This one speaks as long as the test wants, as a telephone's does.
VOICE = """
(() => {
  const synthesis = new EventTarget();
  const voices = [{ lang: "zh-CN", localService: false }, { lang: "zh_CN_#Hans", localService: true }];
  const speak = (words) => synthesis.spoken.push(words);
  Object.assign(synthesis, { spoken: [], getVoices: () => voices, speak, cancel() {} });
  Object.defineProperty(window, "speechSynthesis", { value: synthesis });
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
})();
"""
SPOKEN = (
    "(n) => speechSynthesis.spoken[n] && [speechSynthesis.spoken[n].text, speechSynthesis.spoken[n].voice.localService]"
)
ENDS = "([n, how]) => speechSynthesis.spoken[n][how]()"


async def test_an_order_is_read_aloud_after_a_touch_and_counts_as_read_when_it_was_spoken_to_its_end(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    await phone.add_init_script(VOICE)
    await phone.reload()
    await phone.get_by_role("button", name="朗读指令").click()
    # The browser forgets the touch with the page; the setting stays.
    await phone.reload()
    await expect(phone.get_by_text("轻触屏幕后开始朗读")).to_be_visible()
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    [person] = await bureau.rig.rows(
        "select 'u-' || a.id as name from account a join officer o on o.id = a.officer_id where o.number = %s",
        handset.number,
    )
    ids = []
    for text in ("回所里", "到外滩"):
        body = {"to": person["name"], "below": False, "text": text, "speak": True}
        ids.append((await posts(page, bureau, "/messages", body))["id"])
    orders = phone.locator(".phone-orders > li")
    await expect(orders).to_have_count(2, timeout=COMES_MS)
    await expect(phone.locator(".phone-orders .fresh")).to_have_count(2)
    assert await phone.evaluate(SPOKEN, 0) is None
    await phone.locator(".phone-who").click()
    assert await eventually(lambda: phone.evaluate(SPOKEN, 0)) == ["回所里", True]
    await phone.evaluate(ENDS, [0, "onerror"])
    assert await eventually(lambda: phone.evaluate(SPOKEN, 1)) == ["到外滩", True]
    assert await read(bureau, ids) == []
    await phone.evaluate(ENDS, [1, "onend"])
    await expect(phone.locator(".phone-orders .fresh")).to_have_count(1)
    assert await read(bureau, ids) == [ids[1]]


async def read(bureau: Bureau, ids: list[str]) -> list[str]:
    """Which of the orders count as read."""
    rows = await bureau.rig.rows(
        "select message_id from message_target where message_id = any(%s) and read_at is not null", ids
    )
    return [row["message_id"] for row in rows]


async def posts(page: Page, bureau: Bureau, path: str, body: Any) -> dict[str, Any]:
    """What a desk sends, as its page does."""
    token = await page.evaluate("() => fetch('/api/v1/auth/me').then((me) => me.json()).then((me) => me.csrf_token)")
    answer = await page.request.post(f"{bureau.api.url}/api/v1{path}", headers={"x-csrf-token": token}, data=body)
    assert answer.ok, await answer.text()
    sent: dict[str, Any] = await answer.json()
    return sent


async def test_an_account_without_an_officer_is_told_that_it_is_no_device(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("officer"), "/phone")
    await expect(page.locator("[data-line=off]")).to_contain_text("未关联队员")


FILL = """async () => {
  const { src } = document.querySelector('script[type=module]');
  const { Outbox } = await import(src.replace('main.js', 'phone/outbox.js'));
  const outbox = new Outbox('nobody', 5);
  const add = (channel, tail) => outbox.add(channel, tail, 1_790_000_000_000, {});
  for (let n = 1; n <= 20_000; n++) n === 11 ? add('evt', 'sos') : add('loc', null);
  add('loc', null);
  const [first, second] = outbox.entries();
  const told = outbox.entries().find(({tail}) => tail === 'storage').body;
  outbox.confirm({sid: 5, upto: 20_002, missing: [[600, 601]]});
  return [first.tail, second.seq, told.thinned, outbox.entries().map(({seq}) => seq)];
}"""


async def test_a_full_outbox_gives_up_its_oldest_fixes_and_says_which(bureau: Bureau, handset: Handset) -> None:
    first, second, thinned, left = await handset.page.evaluate(FILL)
    assert (first, second) == ("sos", 502)
    assert thinned == [{"first": 1, "last": 10}, {"first": 12, "last": 501}]
    assert left == [600, 601]
