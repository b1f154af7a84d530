"""Which groups are heard and by whom: scanning, listening in, who listens, halos on the map, two windows, words."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Bureau
from tests.console.radio import another_desk, at_the_radio, bar, hears, phase, radio
from tests.integration.ingest_rig import eventually
from tests.talk import Participant
from xunlu_protocol.talk import Granted, Taken

pytestmark = [pytest.mark.console, pytest.mark.integration]

DISTRICT = "main"
# How much of the officers' canvas is nearly white: names, and the halo of whoever talks.
WHITE = """() => {
  const canvas = document.querySelector("canvas.officers");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let white = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 8 && Math.min(data[i], data[i + 1], data[i + 2]) > 190) white++;
  return white;
}"""
# Text of the bar whose contrast with what is behind it is below 4.5:1 (WCAG 2.2, 1.4.3).
FAINT = """() => {
  const luminance = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(value => value / 255)
      .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    const { backgroundColor } = getComputedStyle(element);
    return /, 0\\)$/.test(backgroundColor) ? behind(element.parentElement) : backgroundColor;
  };
  const texts = [...document.querySelectorAll(".ptt *")].filter(element =>
    element.offsetParent && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return texts.map(element => {
    const [low, high] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => a - b);
    return { text: element.textContent, ratio: (high + 0.05) / (low + 0.05) };
  }).filter(({ ratio }) => ratio < 4.5);
}"""


async def district_group(bureau: Bureau) -> str:
    """The talk group of the district."""
    rows = await bureau.rig.rows("select id from unit where parent_id is null")
    return f"unit-{rows[0]['id']}"


@asynccontextmanager
async def at_district(bureau: Bureau, name: str) -> AsyncIterator[Participant]:
    """Somebody at the radio of the district."""
    who = Participant(bureau.talk, (await bureau.worn(name)).did, claims={"path": "/", "name": name})
    try:
        yield await who.join(await district_group(bureau))
    finally:
        await who.close()


async def scans(page: Page, *names: str) -> None:
    """Tick groups, in this order."""
    await page.locator(".ptt-group").click()
    for name in names:
        await page.locator(".groups li", has_text=name).get_by_role("checkbox").check()
    await page.keyboard.press("Escape")
    await expect(bar(page).get_by_role("button", name=f"扫描 {len(names)} 组")).to_be_visible()


async def test_a_scanned_group_is_heard_and_named_and_the_main_group_goes_first(page: Page, bureau: Bureau) -> None:
    who = page.locator(".ptt-who")
    gid = await bureau.squad_group()
    async with radio(bureau, await bureau.worn("周敏")) as officer, at_district(bureau, "王磊") as other:
        await at_the_radio(page, bureau)
        await scans(page, DISTRICT)
        await other.press(await district_group(bureau))
        await expect(who).to_have_text(re.compile(f"王磊 正在讲话 .* · {DISTRICT}"))
        await hears(page)
        await officer.press(gid)
        await expect(who).to_contain_text("周敏")
        await expect(who).not_to_contain_text(DISTRICT)
        await officer.let_go(gid)
        await expect(who).to_contain_text("王磊")


async def test_of_two_scanned_groups_the_one_put_first_is_heard(page: Page, bureau: Bureau) -> None:
    one, chief = await bureau.worn("李倩"), await bureau.worn("韩雪")
    async with (
        radio(bureau, one) as officer,
        at_district(bureau, "何雪") as other,
        radio(bureau, chief) as leader,
        another_desk(page, bureau) as desk,
    ):
        action = {"kind": "temporary", "members": [chief.did], "name": "专项行动"}
        gid = (await (await desk.post("talk/groups", data=action)).json())["gid"]
        await leader.tune(gid)
        await at_the_radio(page, bureau, group="专项行动")
        await scans(page, SQUAD, DISTRICT)
        await page.locator(".ptt-group").click()
        await page.get_by_role("button", name=f"优先收听 {DISTRICT}").click()
        await expect(page.locator(".groups li", has_text=DISTRICT)).to_contain_text("扫描 · 1")
        await page.keyboard.press("Escape")
        await leader.press(gid)
        await leader.told(Granted)
        for who, of in ((officer, await bureau.squad_group()), (other, await district_group(bureau))):
            await who.press(of)
            await who.told(Granted)
        await expect(page.locator(".ptt-who")).to_contain_text("韩雪")
        await leader.let_go(gid)
        await expect(page.locator(".ptt-who")).to_contain_text(f"· {DISTRICT}")


async def test_a_call_of_others_is_listened_in_to_and_that_is_written_down(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("吴杰")
    async with another_desk(page, bureau) as desk:
        call = {"kind": "private", "members": [worn.did], "name": "他人的通话"}
        gid = (await (await desk.post("talk/groups", data=call)).json())["gid"]
    async with radio(bureau, worn) as officer:
        await officer.tune(gid)
        await at_the_radio(page, bureau)
        await page.locator(".ptt-group").click()
        row = page.locator(f'.groups li[data-gid="{gid}"]')
        await expect(row).to_contain_text("监听")
        await row.get_by_role("checkbox").check()
        await page.keyboard.press("Escape")
        await officer.press(gid)
        await expect(page.locator(".ptt-who")).to_contain_text("吴杰")
        await hears(page)

        async def written() -> object:
            return await bureau.rig.rows("select 1 from floor_entry where gid = %s and what = 'listening_in'", gid)

        await eventually(written)


async def test_the_list_of_who_listens_follows_those_who_come_and_go(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("沈岩")
    gid = await bureau.squad_group()
    await at_the_radio(page, bureau)
    async with radio(bureau, worn) as officer:
        await expect(page.locator(".ptt-listeners")).to_have_text("2 人")
        await page.locator(".ptt-listeners").focus()
        await page.keyboard.press("Enter")
        rows = page.get_by_role("dialog", name=SQUAD).locator("li")
        await expect(rows).to_have_count(2)
        row = rows.filter(has_text=worn.number)
        await expect(row).to_contain_text("沈岩")
        await expect(rows.filter(has_text="我")).to_have_count(1)
        await officer.press(gid)
        await expect(row).to_contain_text("讲话")
        await officer.let_go(gid)
        await expect(row).not_to_contain_text("讲话")
        await row.get_by_role("button", name="在地图上查看 沈岩").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator(".right")).to_contain_text(worn.number)
    await expect(page.locator(".ptt-listeners")).to_have_text("1 人")


async def test_whoever_talks_has_a_white_halo_on_the_map(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("孙浩")
    gid = await bureau.squad_group()
    await bureau.stands(worn, 31.2304, 121.4737)
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await page.locator(".officer", has_text=worn.number).click()
        await page.keyboard.press("Escape")
        await expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
        calm = await page.evaluate(WHITE)
        await officer.press(gid)
        await page.wait_for_function(f"calm => ({WHITE})() > calm + 300", arg=calm)
        await officer.let_go(gid)
        await page.wait_for_function(f"calm => ({WHITE})() <= calm", arg=calm)


async def test_of_two_windows_the_newest_has_the_radio_and_the_older_offers_to_take_it_back(
    page: Page, bureau: Bureau
) -> None:
    async with radio(bureau, await bureau.worn("赵婷")) as officer:
        await at_the_radio(page, bureau)
        newer = await page.context.new_page()
        await newer.goto(bureau.api.url)
        await phase(newer, "ready")
        await phase(page, "off")
        await expect(page.locator(".ptt-told")).to_have_text("本账号已在另一个窗口使用对讲")
        await expect(newer.locator(".ptt-group")).to_contain_text(SQUAD)
        await page.bring_to_front()
        await page.get_by_role("button", name="在此加入对讲").click()
        await phase(page, "ready")
        await phase(newer, "off")
        await page.locator(".ptt-key").focus()
        await page.keyboard.down("Space")
        await officer.told(Taken)
        await page.keyboard.up("Space")


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_the_bar_can_be_read_in_either_theme_whatever_happens(page: Page, bureau: Bureau, theme: str) -> None:
    gid = await bureau.squad_group()
    async with radio(bureau, await bureau.worn("胡斌")) as officer:
        await page.add_init_script(f"localStorage.setItem('xunlu.theme', '{theme}')")
        await at_the_radio(page, bureau)
        assert await page.evaluate(FAINT) == []
        await officer.press(gid)
        await expect(page.get_by_role("button", name="强拆")).to_be_visible()
        assert await page.evaluate(FAINT) == []
        await officer.let_go(gid)
        await page.keyboard.down("Space")
        await phase(page, "talking")
        assert await page.evaluate(FAINT) == []
        await page.keyboard.up("Space")


async def test_the_bar_is_worked_by_the_keyboard_alone_and_shows_where_the_focus_is(page: Page, bureau: Bureau) -> None:
    await at_the_radio(page, bureau)
    await expect(page.locator(".ptt-listeners")).to_have_text("1 人")
    await page.locator(".ptt-key").focus()
    named = await page.evaluate(
        "[...document.querySelectorAll('.ptt button, .ptt input')].filter(one => one.offsetParent)"
        ".map(one => (one.getAttribute('aria-label') ?? one.textContent).trim())"
    )
    assert all(named)
    for name in named[1:]:
        await page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        await expect(focused).to_have_count(1)
        assert (await focused.get_attribute("aria-label") or await focused.text_content() or "").strip() == name
        assert await focused.evaluate("one => getComputedStyle(one).outlineStyle") != "none"


async def test_the_radio_speaks_english(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("高翔")):
        await page.add_init_script("localStorage.setItem('xunlu.language', 'en')")
        await page.goto(bureau.api.url)
        account = await bureau.account("dispatcher")
        await page.get_by_label("User name").fill(account.username)
        await page.get_by_label("Password").fill(account.password)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await phase(page, "ready")
        await expect(page.locator(".ptt-key")).to_contain_text("Hold to talk")
        await page.locator(".ptt-group").click()
        await expect(page.get_by_role("dialog", name="Talk groups")).to_contain_text("New group")
        assert not re.search("[\u4e00-\u9fff]", (await bar(page).text_content() or "").replace(SQUAD, ""))
