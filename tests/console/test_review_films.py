"""Films of a look back: each on the clock, or in words why there is no picture."""

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import Bureau
from tests.console.review_scene import films, officer, walks
from tests.console.test_review import READY, face, film, looks_back

pytestmark = [pytest.mark.console, pytest.mark.integration]

DRIFT_MAX_MS = 200
# How far every film in sight is from the clock, frame by frame; the first half second after a start does not count.
DRIFTS = """
([watch_ms, settle_ms]) => new Promise((done) => {
  const seen = [];
  const begin = performance.now();
  const tick = () => {
    const film = document.querySelector(".film:not([hidden])");
    if (performance.now() - begin > settle_ms && film) seen.push(Number(film.dataset.drift));
    if (performance.now() - begin < watch_ms) requestAnimationFrame(tick);
    else done(seen);
  };
  tick();
})
"""


@pytest.mark.parametrize(("rate", "start"), [(1, 8.1), (4, 8.1)])
async def test_a_film_keeps_to_the_clock(page: Page, bureau: Bureau, rate: int, start: float) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await films(bureau, one, 8)
    await looks_back(page, bureau, one, t=start, more=f"&rate={rate}")
    await page.wait_for_function(READY)
    await page.keyboard.press("Space")
    drifts = await page.evaluate(DRIFTS, [4500, 1500])
    assert len(drifts) > 20
    late = sorted(abs(drift) for drift in drifts)
    assert late[int(len(late) * 0.95)] <= DRIFT_MAX_MS
    assert await film(page).locator("video").evaluate("video => !video.paused && video.muted")


async def test_above_four_times_and_backwards_there_are_stills(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await films(bureau, one, 8)
    await looks_back(page, bureau, one, t=8.2, more="&rate=8")
    await page.wait_for_function(READY)
    await page.keyboard.press("Space")
    await expect(film(page)).to_contain_text("逐帧")
    await page.wait_for_function("() => document.querySelector('.film video').currentTime > 40")
    assert await film(page).locator("video").evaluate("video => video.paused")
    await page.keyboard.press("j")
    await expect(page.locator(".play")).to_have_text("−1×")
    await page.wait_for_function("() => Math.abs(Number(document.querySelector('.film').dataset.drift)) < 1500")


async def test_a_film_whose_file_is_gone_is_told_clearly(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await films(bureau, one, 8, there=False)
    await looks_back(page, bureau, one, t=9)
    await expect(film(page)).to_contain_text("录像文件缺失或损坏")
    await page.keyboard.press("Space")
    await expect(face(page)).not_to_have_text("05:59:00")


async def test_a_stretch_of_a_film_without_a_picture_is_said(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await films(bureau, one, 8, unseen=(8.5, 9))
    await looks_back(page, bureau, one, t=8.75)
    await expect(film(page)).to_contain_text("无画面30 秒")
    await expect(film(page)).to_contain_text("05:58:30 · 15 秒前")
    box = await page.locator(".lane-area canvas").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 8.75 / 50, box["y"] + 20)
    await expect(page.locator("body > .tip")).to_contain_text("无画面")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(film(page)).to_contain_text("05:59:05")
    await expect(film(page)).not_to_contain_text("无画面")


async def test_films_for_which_there_is_no_room_are_named_and_come_when_chosen(page: Page, bureau: Bureau) -> None:
    people = [await officer(bureau, name) for name in ("周敏", "陈志远", "李倩", "赵婷", "刘洋")]
    for one in people:
        await walks(bureau, one, 0, 10)
        await films(bureau, one, 8, there=False)
    await looks_back(page, bureau, *people, t=9)
    await expect(film(page)).to_have_count(4)
    other = page.locator(".film-none").get_by_role("button")
    await expect(other).to_have_count(1)
    name = await other.text_content()
    assert name is not None
    await other.click()
    await expect(film(page).filter(has_text=name)).to_be_visible()
    await expect(other).not_to_have_text(name)


async def test_between_films_the_next_one_is_named(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await films(bureau, one, 8)
    await looks_back(page, bureau, one, t=2)
    panel = page.locator(".film-none")
    await expect(panel).to_contain_text("此刻没有录像")
    await panel.get_by_role("button").click()
    await expect(face(page)).to_have_text("05:58:00")
    await expect(film(page)).to_be_visible()
