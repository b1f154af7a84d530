"""Looking back: one clock, and map, lanes, films and voices that follow it."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau
from tests.console.review_scene import (
    BEGIN,
    END,
    Past,
    address,
    afternoon,
    guards,
    is_told,
    listens,
    marks,
    officer,
    speaks,
    walks,
)

pytestmark = [pytest.mark.console, pytest.mark.integration]

READY = "() => document.querySelector('.film:not([hidden]) video')?.readyState >= 3"


def face(page: Page) -> Locator:
    return page.locator(".transport .face")


def film(page: Page) -> Locator:
    return page.locator(".film:not([hidden])")


async def looks_back(page: Page, bureau: Bureau, *people: Past, t: float = 0, more: str = "") -> None:
    """A supervisor opens the view and sees everybody in it."""
    await bureau.sign_in(page, await bureau.account("supervisor"), address(*people, t=t, more=more))
    for one in people:
        await expect(page.locator(".subject", has_text=one.number)).to_be_visible()


async def test_the_clock_moves_films_voices_and_the_cursor(page: Page, bureau: Bureau) -> None:
    one, two, three = await afternoon(bureau)
    await looks_back(page, bureau, one, two, three, t=8.96)
    await expect(film(page)).to_contain_text(one.name)
    await expect(film(page)).to_contain_text("SHA-256")
    await expect(face(page)).to_have_text("05:58:57")
    await page.wait_for_function(READY)
    async with page.expect_response(lambda answer: answer.url.endswith("/audio")) as heard:
        await page.keyboard.press("Space")
    assert (await heard.value).status in (200, 206)
    await expect(page.locator(".voices [aria-current]")).to_contain_text(two.number)
    await page.wait_for_function("() => document.querySelector('.film video').currentTime > 61")
    await page.keyboard.press("Space")
    await expect(page.locator(".play")).to_have_attribute("aria-label", re.compile("播放"))
    await expect(page.get_by_role("slider", name="时间轴")).to_have_attribute("aria-valuetext", re.compile("05:5"))


async def test_a_gap_is_explained_in_words(page: Page, bureau: Bureau) -> None:
    one, two, three = await afternoon(bureau)
    await looks_back(page, bureau, one, two, three, t=18)
    state = page.locator(f".lane-name[data-key={three.subject}] small")
    await expect(state).to_have_text("无信号")
    lanes = page.locator(".lane-area canvas")
    box = await lanes.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 18 / 50, box["y"] + 100)
    await expect(page.locator("body > .tip")).to_contain_text("断点 8 分 · 无信号")
    await page.mouse.move(box["x"] + box["width"] * 30 / 50, box["y"] + 100)
    await expect(page.locator("body > .tip")).to_contain_text("在线")
    await page.mouse.click(box["x"] + box["width"] * 30 / 50, box["y"] + 100)
    await expect(state).to_have_text("在线")


async def test_keys_of_an_editing_desk_move_the_clock(page: Page, bureau: Bureau) -> None:
    one, two, three = await afternoon(bureau)
    await looks_back(page, bureau, one, two, three, t=10)
    await expect(page.locator(".key-moments")).to_contain_text("重点标记")
    await page.keyboard.press("ArrowRight")
    await expect(face(page)).to_have_text("06:00:10")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(face(page)).to_have_text("05:59:50")
    await page.keyboard.press("n")
    await expect(face(page)).to_have_text("06:02:00")
    await expect(page.locator(".key-moments [aria-current]")).to_contain_text("重点标记")
    await page.keyboard.press("p")
    await expect(face(page)).to_have_text("05:59:00")
    await page.keyboard.press(".")
    await expect(face(page)).to_have_text("05:59:05")
    await page.keyboard.press("End")
    await expect(face(page)).to_have_text("06:40:00")
    await page.keyboard.press("Home")
    await expect(face(page)).to_have_text("05:50:00")
    await page.keyboard.press("]")
    await expect(page.locator(".play")).to_have_text("2×")
    await page.keyboard.press("f")
    await expect(page.locator(".subject", has_text=one.number).get_by_role("button", name="跟随")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="快捷键")).to_contain_text("原始或清洗后的轨迹")


async def test_a_loop_is_set_by_keys_and_has_its_address(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 50)
    await looks_back(page, bureau, one, t=10)
    await page.keyboard.press("b")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("e")
    await page.wait_for_url(re.compile("loop=600,620"))
    await page.reload()
    await expect(page.get_by_role("button", name="取消循环")).to_be_visible()
    await page.keyboard.press("End")
    await page.keyboard.press("Space")
    await expect(face(page)).to_have_text(re.compile("06:00:[0-2]"))
    await page.keyboard.press("Escape")
    await page.wait_for_url(re.compile(r"^((?!loop=).)*$"))


async def test_every_view_has_its_address(page: Page, bureau: Bureau) -> None:
    one, two, three = await afternoon(bureau)
    await looks_back(page, bureau, one, two, t=8)
    await expect(film(page)).to_be_visible()
    await page.keyboard.press("n")
    await page.keyboard.press("]")
    await page.keyboard.press("r")
    await page.get_by_role("button", name="1 小时").click()
    await page.get_by_role("button", name="10 分").click()
    await page.wait_for_url(re.compile(r"t=2026-11-22T05:59:00.*rate=2.*clean=0.*lane=\d+,\d+"))
    await page.reload()
    await expect(face(page)).to_have_text("05:59:00")
    await expect(page.locator(".play")).to_have_text("2×")
    await expect(page.get_by_role("button", name="原始 / 清洗")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="添加", exact=True).click()
    await page.get_by_label("添加", exact=True).last.fill(three.number)
    await page.get_by_role("option", name=three.number).click()
    await expect(page.locator(".subject")).to_have_count(3)
    await page.go_back()
    await expect(page.locator(".subject")).to_have_count(2)
    await expect(face(page)).to_have_text("05:59:00")
    await page.go_forward()
    await expect(page.locator(".subject")).to_have_count(3)


async def test_gaps_are_counted_as_they_are_explained(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "李倩")
    await walks(bureau, one, 0, 14)
    await walks(bureau, one, 22, 40)
    await looks_back(page, bureau, one)
    # The silence at the end is one as well.
    await expect(page.locator(".counts")).to_contain_text("2 处断点")


async def test_an_officer_who_has_left_still_shows(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "离职者")
    await walks(bureau, one, 0, 20)
    await marks(bureau, one, 5)
    await bureau.rig.connection.execute("update officer set active = false where id = %s", [one.id])
    await bureau.rig.connection.execute("update device set status = 'disabled' where did = %s", [one.did])
    await looks_back(page, bureau, one)
    await expect(page.locator(".subject")).to_contain_text("km")
    await expect(page.locator(".key-moments")).to_contain_text("重点标记")


async def test_stops_and_gaps_are_skipped(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 5)
    await walks(bureau, one, 40, 50)
    await looks_back(page, bureau, one, t=4.8, more="&on=skip&rate=16")
    await page.keyboard.press("Space")
    await expect(face(page)).to_have_text(re.compile("06:3|06:4"))
    await page.keyboard.press("k")


async def test_a_stretch_that_is_dragged_is_played_over_and_over(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 50)
    await looks_back(page, bureau, one)
    box = await page.locator(".lane-area canvas").bounding_box()
    assert box is not None
    y = box["y"] + 30
    await page.mouse.move(box["x"] + box["width"] * 0.5, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.52, y, steps=4)
    await page.mouse.up()
    await expect(face(page)).to_have_text(re.compile("06:1[45]"))
    await page.keyboard.press("End")
    await page.keyboard.press("Space")
    await expect(face(page)).to_have_text(re.compile("06:1[456]"))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="取消循环")).to_be_hidden()


async def test_the_wheel_comes_closer_on_the_time_axis(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 50)
    await looks_back(page, bureau, one)
    box = await page.locator(".lane-area canvas").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    await page.mouse.wheel(0, -600)
    await page.wait_for_url(re.compile(r"lane=\d+,\d+"))
    await page.keyboard.press("0")
    await page.wait_for_url(re.compile(r"^((?!lane=).)*$"))


async def test_nobody_chosen_somebody_unknown_and_no_leave_are_told(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("supervisor"), "/review")
    await expect(page.locator(".people")).to_contain_text("还没有选择队员")
    await page.goto(f"{bureau.api.url}/review?s=o999999")
    await expect(page.locator(".people")).to_contain_text("o999999")
    await page.get_by_role("button", name="o999999").click()
    await expect(page.locator(".people")).to_contain_text("还没有选择队员")


async def test_a_clerk_does_not_look_back(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("clerk"), "/review")
    await expect(page.locator(".stage")).to_contain_text("您的角色不能查看此页")
    await expect(page.get_by_role("link", name="回放")).to_have_count(0)


async def test_a_missing_voice_is_told_in_its_line(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    burst = await speaks(bureau, one, 9)
    (bureau.recordings / "ptt" / f"{burst}.opus").unlink()
    await looks_back(page, bureau, one, t=9)
    await page.keyboard.press("Space")
    await expect(page.locator(".voices li")).to_contain_text("文件缺失")


async def test_what_others_said_and_ordered_stands_there_with_who_and_what(page: Page, bureau: Bureau) -> None:
    one, two = [await officer(bureau, name) for name in ("周敏", "贺一鸣")]
    await walks(bureau, one, 0, 20)
    await listens(bureau, one, 2)
    await speaks(bureau, two, 17)
    await is_told(bureau, one, 17.5, "请到外滩集合")
    await looks_back(page, bureau, one, t=17)
    voice = page.locator(".voices li", has_text=two.name)
    await expect(voice).to_have_count(1)
    await expect(voice).to_contain_text(f"{two.name}{SQUAD} · 6 秒")
    await expect(page.locator(".key-moments")).to_contain_text("语音播报 “请到外滩集合”")
    talk = await page.locator(".lane-shared canvas").bounding_box()
    assert talk is not None
    await page.mouse.move(talk["x"] + talk["width"] * 17 / 50, talk["y"] + 10)
    await expect(page.locator("body > .tip")).to_contain_text(f"{two.name} 在“{SQUAD}”讲话")


async def test_r_opens_the_day_of_the_chosen_officer(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("高翔")
    await bureau.stands(worn, 31.2290, 121.4790)
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(page.get_by_role("button", name="轨迹回放")).to_be_visible()
    await page.keyboard.press("r")
    await expect(page.locator(".subject")).to_contain_text(worn.number)
    await page.go_back()
    await expect(page.get_by_role("complementary", name="详情")).to_contain_text(worn.number)


async def test_files_of_every_device_are_offered(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await looks_back(page, bureau, one)
    await page.get_by_role("button", name="导出").click()
    dialog = page.get_by_role("dialog", name="导出轨迹")
    await expect(dialog).to_contain_text(one.did)
    async with page.expect_download() as loaded:
        await dialog.get_by_role("link", name="GPX").click()
    text = (await (await loaded.value).path()).read_text("utf-8")
    assert "<gpx" in text
    assert END.strftime("%Y-%m-%d") in text


async def test_who_was_here_joins_the_look_back(page: Page, bureau: Bureau) -> None:
    one, two, three = await afternoon(bureau)
    await looks_back(page, bureau, one, t=9)
    await page.get_by_role("button", name="当时在场").click()
    await expect(page.locator(".subject", has_text=two.number)).to_be_visible()
    await expect(page.locator(".subject", has_text=three.number)).to_be_visible()
    await page.go_back()
    await expect(page.locator(".subject")).to_have_count(1)


async def test_a_recorder_of_today_is_seen_beside_the_replay(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("高翔")
    await bureau.stands(worn, 31.2290, 121.4790)
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/review?s=d{worn.did}")
    await expect(page.locator(".subject")).to_contain_text(worn.did)
    await page.get_by_role("button", name="实况并列").click()
    await expect(page.locator(".live-beside .picture")).to_have_attribute("data-did", worn.did)


async def test_somebody_chosen_by_the_search_joins_the_look_back(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("高翔")
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/review")
    await expect(page.locator(".people")).to_contain_text("还没有选择队员")
    await page.keyboard.press("/")
    await page.keyboard.type(worn.number)
    await page.get_by_role("option", name=worn.number).click()
    await expect(page.locator(".subject")).to_contain_text(worn.number)


async def test_zones_are_those_of_that_time(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await guards(bureau, "旧岗", BEGIN - timedelta(days=2), END)
    await guards(bureau, "新岗", END, None)
    await looks_back(page, bureau, one, t=5)
    await expect(page.locator(".zone-name", has_text="旧岗")).to_be_visible()
    await expect(page.locator(".zone-name", has_text="新岗")).to_have_count(0)
    await page.keyboard.press("z")
    await expect(page.locator(".zone-name")).to_have_count(0)


CLOCK = """
async () => {
  const page = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/app/review/clock.js"));
  const { Clock } = await import(page.name);
  const clock = new Clock();
  const told = [];
  let now_ms = 0;
  const wait = (ms) => { for (const end = now_ms + ms; now_ms < end; ) clock.advance((now_ms += 50)); };
  const say = () => told.push([Math.round(clock.now_ms), clock.playing, clock.rate]);
  clock.setRange({ from_ms: 1000, to_ms: 61_000 });
  clock.advance(now_ms); clock.play(); wait(1000); say();
  clock.setRate(100); say();
  clock.setRate(1); clock.skipped = [{ from_ms: 3000, to_ms: 50_000 }]; wait(1500); say();
  clock.shuttle(-1); say(); clock.shuttle(-1); say(); wait(1000); say();
  clock.skipped = []; clock.setLoop({ from_ms: 10_000, to_ms: 11_000 }); clock.shuttle(1); wait(2500); say();
  clock.setLoop(null); clock.seek(99_999); say(); wait(200); say(); clock.play(); say();
  clock.advance((now_ms += 60_000)); say();
  return told;
}
"""


async def test_the_clock_runs_turns_loops_skips_and_never_leaves_its_time(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("supervisor"), "/review")
    await expect(page.locator(".people")).to_contain_text("还没有选择队员")
    told = await page.evaluate(CLOCK)
    assert told[0] == [1950, True, 1]
    assert told[1] == [1950, True, 64]
    assert told[2][0] == pytest.approx(50_450, abs=100)
    assert told[3][1:] == [True, -1]
    assert told[4][1:] == [True, -2]
    assert told[5][0] < 3000
    assert 10_000 <= told[6][0] <= 11_000
    assert told[7] == [61_000, True, 1]
    assert told[8] == [61_000, False, 1]
    assert told[9] == [1000, True, 1]
    assert told[10][0] <= 1250
