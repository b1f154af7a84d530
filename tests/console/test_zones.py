"""Zones: drawn, undone, saved, seen on the map, imported; and what becomes of them when a recorder leaves."""

import json
import re
import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau, Worn
from tests.integration.ingest_rig import eventually

pytestmark = [pytest.mark.console, pytest.mark.integration]

MIDDLE = (31.2277, 121.4785)
"""Where the map of the demo begins, and with it the page."""

AWAY_DEG = 0.003


async def map_box(page: Page) -> tuple[float, float]:
    """The middle of the map in pixels of the page."""
    await expect(page.locator(".attribution")).to_be_visible()
    box = await page.locator(".map-sheet .map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def click_corners(page: Page, corners: Sequence[tuple[float, float]]) -> None:
    """Click at pixels beside the middle of the map."""
    x, y = await map_box(page)
    for dx, dy in corners:
        await page.mouse.click(x + dx, y + dy)


def corners_of(page: Page) -> Locator:
    return page.locator(".sketch .corner")


async def saved(bureau: Bureau, name: str) -> dict[str, Any]:
    """The shape of a zone as it is stored."""
    rows = await eventually(
        lambda: bureau.rig.rows(
            "select v.shape from zone z join zone_version v on v.zone_id = z.id"
            " where z.name = %s and v.valid_to is null",
            name,
        )
    )
    shape: dict[str, Any] = rows[0]["shape"]
    return shape


async def test_a_zone_is_drawn_undone_saved_and_seen_on_the_map(page: Page, bureau: Bureau) -> None:
    name = f"责任区 {secrets.token_hex(2)}"
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones")
    await page.keyboard.press("z")
    await expect(page.get_by_role("heading", name="新建区域")).to_be_visible()
    await click_corners(page, [(-120, -90), (120, -90), (120, 90), (60, 60)])
    await expect(corners_of(page)).to_have_count(4)
    await page.keyboard.press("Control+z")
    await expect(corners_of(page)).to_have_count(3)
    await page.keyboard.press("Control+y")
    await expect(corners_of(page)).to_have_count(4)
    await page.keyboard.press("Control+z")
    await corners_of(page).first.click()
    await expect(page.locator(".zone-check")).to_contain_text("面积")
    await page.get_by_label("区域名称").press_sequentially("x")
    await page.keyboard.press("Control+z")
    await expect(corners_of(page)).to_have_count(3)
    await page.get_by_label("区域名称").fill(name)
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    shape = await saved(bureau, name)
    assert len(shape["geometry"]["coordinates"][0]) == 4
    await expect(page.get_by_role("button", name=f"区域 {name}")).to_be_visible()
    await page.goto(f"{bureau.api.url}/")
    tag = page.get_by_role("button", name=f"区域 {name}")
    await tag.focus()
    await expect(page.locator(".zone-name-box .tip:visible")).to_contain_text("责任区")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{bureau.api.url}/zones?zone={await number_of(bureau, name)}")


async def number_of(bureau: Bureau, name: str) -> int:
    [row] = await bureau.rig.rows("select id from zone where name = %s and ended_at is null", name)
    return int(row["id"])


async def test_an_outline_that_crosses_itself_is_shown_repaired_before_it_is_saved(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones?edit=new")
    await expect(page.get_by_role("heading", name="新建区域")).to_be_visible()
    await click_corners(page, [(-100, -80), (100, 80), (100, -80), (-100, 80)])
    await corners_of(page).first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".zone-check")).to_contain_text("自相交")


async def test_corners_are_moved_and_removed_by_keys(page: Page, bureau: Bureau) -> None:
    name = f"岗 {secrets.token_hex(2)}"
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones?edit=new")
    await page.get_by_role("button", name="圆形").click()
    await map_box(page)
    await page.get_by_role("button", name="在地图中心加点").click()
    await expect(page.locator(".zone-check")).to_contain_text("面积")
    before = await corners_of(page).get_attribute("cx")
    for _ in range(3):
        await page.keyboard.press("Shift+ArrowRight")
    await expect(corners_of(page)).to_be_focused()
    after = await corners_of(page).get_attribute("cx")
    assert float(after or 0) - float(before or 0) == pytest.approx(30, abs=1)
    await page.get_by_label("半径（米）").fill("60")
    await page.get_by_label("区域名称").fill(name)
    await page.get_by_label(re.compile("^类型")).last.select_option("post")
    await expect(page.get_by_role("button", name="保存")).to_be_enabled()
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert (await saved(bureau, name))["properties"] == {"radius_m": 60}


async def test_a_corner_snaps_to_that_of_another_zone(page: Page, bureau: Bureau) -> None:
    number = await stored(bureau, f"邻 {secrets.token_hex(2)}")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/zones?zone={number}")
    await expect(page.get_by_role("tab", name="在岗")).to_be_visible()
    await map_box(page)
    name = f"接 {secrets.token_hex(2)}"
    await page.keyboard.press("z")
    await expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
    x, y = await map_box(page)
    # The map shows the neighbour in its middle: its corner lies where the circle of its centre says.
    await page.get_by_role("button", name="圆形").click()
    await page.mouse.click(x + 6, y - 5)
    await page.get_by_label("区域名称").fill(name)
    await expect(page.get_by_role("button", name="保存")).to_be_enabled()
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert (await saved(bureau, name))["geometry"]["coordinates"] == [MIDDLE[1], MIDDLE[0]]


async def stored(bureau: Bureau, name: str, kind: str = "responsibility") -> int:
    """A circle of 100 m around the middle of the map that concerns the squad, in force since a day ago."""
    place = {"type": "Point", "coordinates": [MIDDLE[1], MIDDLE[0]]}
    shape = {"type": "Feature", "properties": {"radius_m": 100.0}, "geometry": place}
    [row] = await bureau.rig.rows(
        "with made as (insert into zone (unit_id, kind, name) select id, %s, %s from unit where name = %s"
        " returning id) insert into zone_version (zone_id, shape, valid_from) select id, %s, now() - interval '1 day'"
        " from made returning zone_id",
        kind,
        name,
        SQUAD,
        json.dumps(shape),
    )
    return int(row["zone_id"])


async def walks_out(bureau: Bureau, worn: Worn) -> None:
    """Three fixes at the middle, then four outside; one every ten seconds, up to now."""
    for seq in range(1, 8):
        away = AWAY_DEG if seq > 3 else 0
        await bureau.stands(worn, MIDDLE[0] + away, MIDDLE[1], seq, age_s=70 - 10 * seq)


async def test_a_recorder_that_leaves_is_an_event_and_an_alarm(page: Page, bureau: Bureau) -> None:
    name = f"外滩 {secrets.token_hex(2)}"
    number = await stored(bureau, name)
    worn = await bureau.worn("赵敏")
    await walks_out(bureau, worn)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await expect(page.get_by_role("region", name="告警")).to_contain_text("离开区域")
    await page.goto(f"{bureau.api.url}/manage/zone-events")
    row = page.get_by_role("row", name=name)
    await expect(row).to_contain_text("离开")
    await expect(row).to_contain_text(worn.number)
    await page.goto(f"{bureau.api.url}/?device={worn.did}")
    await expect(page.get_by_role("complementary", name="详情")).to_contain_text(name)
    await page.goto(f"{bureau.api.url}/zones?zone={number}")
    await page.get_by_role("textbox", name="班次").fill("00:00-00:00")
    await page.get_by_role("button", name="显示").click()
    await expect(page.locator(".presence")).to_contain_text(worn.number)
    await page.get_by_role("tab", name="覆盖").click()
    await page.get_by_role("button", name="显示").click()
    await expect(page.locator(".zone-tab")).to_contain_text("未巡道路")


async def test_a_file_is_shown_before_its_zones_are_saved(page: Page, bureau: Bureau) -> None:
    name = f"导入 {secrets.token_hex(2)}"
    ring = [[121.47, 31.22], [121.475, 31.22], [121.475, 31.225], [121.47, 31.22]]
    feature = {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones")
    await page.get_by_role("button", name="导入").click()
    chosen = {"name": "zones.geojson", "mimeType": "application/geo+json", "buffer": json.dumps(feature).encode()}
    await page.locator("dialog input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]  # a FilePayload
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("格式标准")
    assert not await bureau.rig.rows("select 1 from zone where name = %s", name)
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog).to_contain_text("已保存")
    assert (await saved(bureau, name))["geometry"]["coordinates"] == [ring]
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name=name)).to_be_visible()


async def test_a_line_of_a_stranger_s_gpx_becomes_a_patrol_line_as_wide_as_somebody_says(
    page: Page, bureau: Bureau
) -> None:
    name = f"巡线 {secrets.token_hex(2)}"
    line = [[121.47, 31.22], [121.475, 31.225]]
    points = "".join(f'<trkpt lat="{lat}" lon="{lon}"/>' for lon, lat in line)
    gpx = f'<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="x"><trk><name>{name}</name>'
    gpx += f"<trkseg>{points}</trkseg></trk></gpx>"
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones")
    await page.get_by_role("button", name="导入").click()
    dialog = page.get_by_role("dialog")
    chosen = {"name": "line.gpx", "mimeType": "application/gpx+xml", "buffer": gpx.encode()}
    await dialog.locator("input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]  # a FilePayload
    width = dialog.get_by_label("宽度（米，左右合计）")
    await expect(width).to_have_value("40")
    await expect(dialog.locator(".zone-imported")).to_contain_text("面积")
    await width.fill("")
    await width.press("Enter")
    await expect(dialog.locator(".zone-imported .problem")).to_have_text("缺少宽度，须为 5–5000 米")
    await width.fill("60")
    await width.press("Enter")
    await expect(dialog.locator(".zone-imported")).to_contain_text("面积")
    await dialog.get_by_label(re.compile("^类型")).select_option("patrol")
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog).to_contain_text("已保存")
    shape = await saved(bureau, name)
    assert (shape["geometry"]["coordinates"], shape["properties"]) == (line, {"width_m": 60})


async def test_a_zone_is_changed_and_ended_and_its_versions_stay(page: Page, bureau: Bureau) -> None:
    name = f"岗亭 {secrets.token_hex(2)}"
    number = await stored(bureau, name, "post")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/zones?zone={number}")
    await page.get_by_role("button", name="修改").or_(page.get_by_role("button", name="编辑")).first.click()
    await page.get_by_label("从").fill("22:00")
    await page.get_by_label("到", exact=True).fill("06:00")
    await page.get_by_label("周五").check()
    await expect(page.get_by_role("button", name="保存")).to_be_enabled()
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator(".zone-facts")).to_contain_text("周五 22:00–06:00")
    await page.get_by_role("tab", name="版本").click()
    await expect(page.locator(".history li")).to_have_count(2)
    await page.get_by_role("button", name="停用").click()
    await page.get_by_role("dialog").get_by_role("button", name="停用").click()
    await expect(page.get_by_role("link", name=name)).to_have_count(0)
    assert await bureau.rig.rows("select 1 from zone where id = %s and ended_at is not null", number)


async def test_who_may_not_draw_only_looks(page: Page, bureau: Bureau) -> None:
    number = await stored(bureau, f"只看 {secrets.token_hex(2)}")
    await bureau.sign_in(page, await bureau.account("auditor"), f"/zones?zone={number}")
    await expect(page.get_by_role("tab", name="在岗")).to_be_visible()
    await expect(page.get_by_role("button", name="新建区域")).to_have_count(0)
    await expect(page.get_by_role("button", name="停用")).to_have_count(0)
