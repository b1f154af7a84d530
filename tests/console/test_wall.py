"""The wall of live pictures, the wall of stills, and what the server recorded."""

import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import av
import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau, Worn
from tests.console.camera import publishing
from tests.integration.ingest_rig import eventually

pytestmark = [pytest.mark.console, pytest.mark.integration]

COMES_MS = 20_000


def tile(page: Page, worn: Worn) -> Locator:
    return page.locator(f'.tile[data-did="{worn.did}"]')


def place_of(page: Page, place: int) -> Locator:
    return page.locator(f'.tile[data-place="{place}"]')


def shown(page: Page) -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(page.url).query)


def turns(page: Page) -> Locator:
    return page.get_by_role("toolbar", name="画面墙工具").get_by_role("button", name="轮巡")


async def at_wall(page: Page, bureau: Bureau, address: str) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"), address)
    await expect(page.get_by_role("toolbar", name="画面墙工具")).to_be_visible()
    await expect(page.get_by_role("treeitem", name=SQUAD)).to_be_visible()


def still(path: Path, *, width: int = 96, height: int = 54) -> bytes:
    """A small JPEG."""
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        out.mux([*stream.encode(av.VideoFrame(width, height, "yuvj420p")), *stream.encode()])
    return path.read_bytes()


async def test_the_wall_is_its_address(page: Page, bureau: Bureau) -> None:
    first, second = await bureau.films("周敏"), await bureau.films("陈志远")
    await at_wall(page, bureau, f"/wall?grid=9&show={first.did},,{second.did}&pin={second.did}")
    await expect(page.locator(".tile")).to_have_count(9)
    await expect(place_of(page, 0)).to_contain_text(first.number)
    await expect(place_of(page, 2)).to_contain_text(second.number)
    await expect(tile(page, second).get_by_role("button", name="取消固定")).to_have_count(1)
    await page.get_by_role("link", name="指挥").click()
    await page.get_by_role("link", name="画面墙").click()
    await expect(place_of(page, 2)).to_contain_text(second.number)


async def test_a_wall_that_nobody_could_have_made_shows_what_makes_sense_of_it(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("王磊")
    show = f"{worn.did},{worn.did},<b>,{'x' * 70},{','.join(f'n{i}' for i in range(40))}"
    await at_wall(page, bureau, f"/wall?grid=7&show={show}&pin=nobody&full=nobody&every=-3&units=a")
    await expect(page.locator(".tile")).to_have_count(4)
    await expect(page.locator(f'.tile[data-did="{worn.did}"]')).to_have_count(1)
    await expect(turns(page)).to_have_attribute("aria-pressed", "true")


async def test_recorders_are_dragged_from_the_list_onto_places_and_from_place_to_place(
    page: Page, bureau: Bureau
) -> None:
    worn = await bureau.films("李倩")
    await at_wall(page, bureau, "/wall?grid=4")
    await page.get_by_role("row", name=worn.number).drag_to(place_of(page, 2))
    await expect(place_of(page, 2)).to_contain_text(worn.number)
    await tile(page, worn).drag_to(place_of(page, 1))
    await expect(place_of(page, 1)).to_contain_text(worn.number)
    await expect(place_of(page, 2)).to_contain_text("空位")


async def test_recorders_are_dragged_from_the_search(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("欧阳倩")
    await at_wall(page, bureau, "/wall?grid=4")
    await page.keyboard.press("/")
    await page.keyboard.type(worn.number)
    await page.get_by_role("option", name=worn.number).drag_to(place_of(page, 3))
    await expect(place_of(page, 3)).to_contain_text(worn.number)


async def test_everything_goes_by_keyboard(page: Page, bureau: Bureau) -> None:
    first, second = await bureau.films("张宏"), await bureau.films("刘洋")
    await at_wall(page, bureau, f"/wall?grid=4&show={first.did}")
    await page.get_by_role("row", name=second.number).press("Enter")
    await expect(place_of(page, 1)).to_contain_text(second.number)
    await page.keyboard.press("4")
    await expect(page.locator(".tile")).to_have_count(9)
    await place_of(page, 0).focus()
    await page.keyboard.press("ArrowRight")
    await expect(place_of(page, 1)).to_be_focused()
    await page.keyboard.press("p")
    await expect(place_of(page, 1).get_by_role("button", name="取消固定")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(place_of(page, 0)).to_be_hidden()
    assert shown(page)["full"] == [second.did]
    await page.keyboard.press("Escape")
    await expect(place_of(page, 0)).to_be_visible()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Delete")
    await expect(tile(page, first)).to_have_count(0)
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="快捷键")
    for words in ("9 个画面", "固定或取消固定所选画面", "抓拍所选画面", "移到旁边的画面"):
        await expect(keys).to_contain_text(words)


async def test_the_selected_officer_is_put_on_the_wall_by_a_key(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("赵婷")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(page.get_by_role("button", name="实时画面")).to_be_visible()
    await page.keyboard.press("w")
    await expect(page.locator(".toast")).to_contain_text("已加入画面墙")
    await page.get_by_role("link", name="画面墙").click()
    await expect(place_of(page, 0)).to_contain_text(worn.number)


async def test_only_pictures_in_sight_play(page: Page, bureau: Bureau) -> None:
    first, second = await bureau.films("孙浩"), await bureau.films("吴杰")
    await at_wall(page, bureau, f"/wall?grid=4&show={first.did},{second.did}")
    for worn in (first, second):
        await bureau.command(worn, "live_start")
    async with publishing(bureau.relay, first.did), publishing(bureau.relay, second.did):
        for worn in (first, second):
            await expect(tile(page, worn).locator(".picture")).to_have_attribute("data-phase", "live", timeout=COMES_MS)
        await place_of(page, 0).focus()
        async with page.expect_request(lambda request: request.method == "DELETE"):
            await page.keyboard.press("Enter")

        async def left() -> bool:
            return await bureau.viewers(second) == 0

        await eventually(left)
        assert await bureau.viewers(first) == 1


async def test_an_sos_takes_the_first_place(page: Page, bureau: Bureau) -> None:
    first, second, needy = [await bureau.films(name) for name in ("徐静", "胡斌", "朱琳")]
    await at_wall(page, bureau, f"/wall?grid=4&show={first.did},{second.did}&pin={second.did}")
    await expect(place_of(page, 0)).to_contain_text(first.number)
    await bureau.presses_sos(needy)
    await expect(place_of(page, 0)).to_contain_text(needy.number)
    await expect(place_of(page, 1)).to_contain_text(second.number)
    await expect(place_of(page, 2)).to_contain_text(first.number)


async def test_a_carousel_lets_recorders_on_duty_take_turns_around_the_pinned_one(page: Page, bureau: Bureau) -> None:
    pinned, *others = [await bureau.films(name) for name in ("林峰", "高翔", "何雪", "郑爽", "冯涛")]
    await at_wall(page, bureau, f"/wall?grid=4&show={pinned.did}&pin={pinned.did}")
    for worn in (pinned, *others):
        await expect(page.get_by_role("row", name=worn.number)).to_be_attached()
    await turns(page).click()
    dialog = page.get_by_role("dialog", name="轮巡")
    await dialog.get_by_label("每隔多少秒换一轮").fill("5")
    await dialog.get_by_label("单位").select_option(label=f"　{SQUAD}")
    await dialog.get_by_role("button", name="开始轮巡").click()
    await expect(page.locator(".tile.empty")).to_have_count(0)
    before = shown(page)["show"][0].split(",")

    async def turned() -> bool:
        return shown(page)["show"][0].split(",") != before

    await eventually(turned)
    assert before[0] == shown(page)["show"][0].split(",")[0] == pinned.did
    await turns(page).click()
    await expect(turns(page)).to_have_attribute("aria-pressed", "false")


async def test_stills_of_everybody_come_with_their_age_and_lead_to_the_live_picture(
    page: Page, bureau: Bureau, tmp_path: Path
) -> None:
    worn = await bureau.films("沈岩")
    await bureau.rig.publish(worn.did, "thumb", still(tmp_path / "still.jpg"))
    account = await bureau.account("dispatcher")
    await bureau.sign_in(page, account, "/wall/thumbnails")
    card = page.locator(f'.card[data-did="{worn.did}"]')
    await card.scroll_into_view_if_needed()
    await expect(card.locator("img")).to_be_visible()
    await expect(card).to_contain_text("秒前")
    rows = await bureau.rig.rows(
        "select count(*) as n from audit where action = 'thumbs.watch' and username = %s", account.username
    )
    assert rows[0]["n"] == 1
    await card.get_by_role("button").click()
    await expect(tile(page, worn)).to_be_visible()


async def test_a_recording_of_the_server_is_played_in_the_drawer(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("郭靖")
    name = secrets.token_hex(6)
    bureau.recordings.mkdir(exist_ok=True)
    with av.open(str(bureau.recordings / f"{name}.mp4"), "w") as out:
        stream = out.add_stream("libvpx-vp9", rate=10, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for _ in range(20):
            out.mux(stream.encode(av.VideoFrame(160, 90, "yuv420p")))
        out.mux(stream.encode())
    await bureau.rig.connection.execute(
        "insert into recording (id, device_id, why, file, started_at, ended_at, size_bytes, sha256, complete)"
        " select %s, id, 'sos', %s, now() - interval '2 s', now(), 1234, %s, true from device where did = %s",
        [name, f"{name}.mp4", "0" * 64, worn.did],
    )
    await bureau.sign_in(page, await bureau.account("evidence"), f"/?device={worn.did}")
    row = page.locator(".recordings li")
    await expect(row).to_contain_text("SOS")
    await row.get_by_role("button").click()
    video = page.locator(".playback video")
    await expect(video).to_have_js_property("videoWidth", 160)
    await page.keyboard.press("Escape")
    await expect(page.locator(".playback")).to_have_count(0)
