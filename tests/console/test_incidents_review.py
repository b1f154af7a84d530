"""Incidents in a look back: an address that names one, their lane, and steps marked at the time of the clock."""

from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import Bureau
from tests.console.review_scene import CENTRE, END, Past, address, at, officer, walks

pytestmark = [pytest.mark.console, pytest.mark.integration]

PLACE = {
    "type": "Feature",
    "properties": {"radius_m": 150},
    "geometry": {"type": "Point", "coordinates": [CENTRE[1], CENTRE[0]]},
}


# Whether the map shows the place: shapes alone are drawn there.
SHOWN = """
() => {
  const sheet = document.querySelector(".review .leaflet-overlay-pane canvas");
  const data = sheet?.width ? sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data : [];
  return data.some((value, i) => i % 4 === 3 && value > 0);
}
"""


def face(page: Page) -> Locator:
    return page.locator(".transport .face")


def happened(page: Page) -> Locator:
    return page.locator(".key-moments")


async def walked(bureau: Bureau, *names: str) -> list[Past]:
    people = [await officer(bureau, name) for name in names]
    for one in people:
        await walks(bureau, one, 0, 20)
    return people


async def asked(page: Page, bureau: Bureau, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request with the login of the page."""
    api = f"{bureau.api.url}/api/v1"
    csrf = (await (await page.request.get(f"{api}/auth/me")).json())["csrf_token"]
    answer = await page.request.post(f"{api}{path}", data=body, headers={"x-csrf-token": csrf})
    assert answer.ok, await answer.text()
    told: dict[str, Any] = await answer.json()
    return told


async def keeps(page: Page, bureau: Bureau, title: str, *people: Past) -> int:
    """Whoever is signed in makes an incident of ten minutes of the afternoon, with a place; returns it."""
    period = {"from": at(5).isoformat(), "to": at(15).isoformat()}
    subjects = [one.subject for one in people]
    return int(
        (await asked(page, bureau, "/incidents", {"title": title, **period, "place": PLACE, "subjects": subjects}))[
            "id"
        ]
    )


async def looks_back(page: Page, bureau: Bureau, *people: Past, t: float = 0) -> None:
    await page.goto(f"{bureau.api.url}{address(*people, t=t)}")
    await expect(page.locator(".subject", has_text=people[0].number)).to_be_visible()


async def marks_of(bureau: Bureau, incident: int) -> list[tuple[str, datetime, str | None]]:
    rows = await bureau.rig.rows(
        "select text, at, subject from incident_mark where incident_id = %s order by id", incident
    )
    return [(row["text"], row["at"], row["subject"]) for row in rows]


async def test_an_address_that_names_an_incident_opens_its_officers_its_time_and_its_place(
    page: Page, bureau: Bureau
) -> None:
    one, two, other = await walked(bureau, "周敏", "陈志远", "李倩")
    await bureau.sign_in(page, await bureau.account("supervisor"), "/incidents")
    incident = await keeps(page, bureau, f"外滩 {one.number}", one, two)
    await asked(page, bureau, f"/incidents/{incident}/marks", {"at": at(9).isoformat(), "text": "发现儿童"})
    await page.goto(f"{bureau.api.url}/review?incident={incident}")
    await expect(page.locator(".subject")).to_have_count(2)
    await expect(page.get_by_label("从", exact=True)).to_have_value("2026-11-22 05:55")
    await expect(page.get_by_label("到", exact=True)).to_have_value("2026-11-22 06:05")
    await page.wait_for_function(SHOWN)
    link = page.locator(".review > .left").get_by_role("link", name=f"外滩 {one.number}").first
    await expect(happened(page)).to_contain_text("发现儿童")
    await page.keyboard.press("n")
    await expect(face(page)).to_have_text("05:59:00")
    await page.wait_for_function("() => location.search.includes('t=2026')")
    await page.reload()
    await expect(face(page)).to_have_text("05:59:00")
    await page.wait_for_function(SHOWN)
    await link.click()
    await expect(page.get_by_role("heading", name=f"外滩 {one.number}")).to_be_visible()
    await page.get_by_role("region", name="关键环节").get_by_role("link").click()
    await expect(face(page)).to_have_text("05:59:00")
    await page.get_by_role("button", name="不再围绕此案事件").click()
    await page.wait_for_function("() => !location.search.includes('incident')")
    await expect(page.locator(".subject")).to_have_count(2)
    await page.go_back()
    await expect(link).to_be_visible()
    assert other.subject not in page.url


async def test_an_incident_that_nobody_may_see_is_said_to_be_none(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("supervisor"), "/review?incident=999999999")
    await expect(page.locator(".people").get_by_role("alert")).to_contain_text("找不到")
    await page.goto(f"{bureau.api.url}/review?incident=7e3")
    await expect(page.locator(".people")).to_contain_text("还没有选择队员")


async def test_incidents_and_their_steps_have_a_lane_and_are_gone_to_and_opened(page: Page, bureau: Bureau) -> None:
    [one] = await walked(bureau, "王强")
    await bureau.sign_in(page, await bureau.account("supervisor"), "/incidents")
    incident = await keeps(page, bureau, f"车站 {one.number}", one)
    await asked(page, bureau, f"/incidents/{incident}/marks", {"at": at(12).isoformat(), "text": "拦下嫌疑人"})
    await looks_back(page, bureau, one)
    await expect(page.locator(".lane-shared")).to_contain_text("案事件")
    await expect(happened(page)).to_contain_text(f"案事件 车站 {one.number}")
    await page.keyboard.press("n")
    await expect(face(page)).to_have_text("05:55:00")
    await page.keyboard.press("n")
    await expect(face(page)).to_have_text("06:02:00")
    await expect(happened(page).locator("[aria-current]")).to_contain_text("拦下嫌疑人")
    lanes = page.locator(".lane-shared canvas")
    box = await lanes.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 8 / 50, box["y"] + box["height"] - 10)
    await expect(page.locator("body > .tip")).to_contain_text(f"车站 {one.number}")
    await page.mouse.click(box["x"] + box["width"] * 30 / 50, box["y"] + box["height"] - 10)
    await expect(face(page)).to_have_text("06:20:00")
    await page.mouse.click(box["x"] + box["width"] * 8 / 50, box["y"] + box["height"] - 10)
    await expect(page).to_have_url(f"{bureau.api.url}/incidents/{incident}")
    await page.go_back()
    await happened(page).get_by_role("link", name="打开案事件 拦下嫌疑人").press("Enter")
    await expect(page).to_have_url(f"{bureau.api.url}/incidents/{incident}")


async def test_a_step_is_marked_at_the_time_of_the_clock_into_an_incident_of_that_time(
    page: Page, bureau: Bureau
) -> None:
    one, two = await walked(bureau, "赵琳", "孙伟")
    account = await bureau.account("dispatcher")
    await bureau.sign_in(page, account, "/incidents")
    incident = await keeps(page, bureau, f"码头 {one.number}", one)
    await looks_back(page, bureau, one, two, t=10)
    await expect(happened(page)).to_contain_text(f"码头 {one.number}")
    await page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="标出环节 · 06:00:00")
    await expect(dialog.get_by_label("名称")).to_be_hidden()
    await expect(dialog.get_by_label("对象").get_by_role("option")).to_have_text(
        ["全部队员", f"{one.name} {one.number}"]
    )
    await dialog.get_by_label("关键环节").fill("上船")
    await dialog.get_by_label("对象").select_option(one.subject)
    await dialog.get_by_role("button", name="保存").click()
    await expect(happened(page)).to_contain_text("上船")
    assert await marks_of(bureau, incident) == [("上船", at(10), one.subject)]
    audited = await bureau.rig.rows(
        "select detail from audit where username = %s and action = 'incident.mark'", account.username
    )
    assert [row["detail"]["id"] for row in audited] == [incident]


async def test_a_step_is_marked_into_an_incident_that_is_just_made(page: Page, bureau: Bureau) -> None:
    one, two = await walked(bureau, "周敏", "陈志远")
    await bureau.sign_in(page, await bureau.account("supervisor"), address(one, two, t=3))
    await expect(page.locator(".subject", has_text=one.number)).to_be_visible()
    await page.get_by_role("button", name="标出环节").click()
    dialog = page.get_by_role("dialog", name="标出环节 · 05:53:00")
    await dialog.get_by_label("关键环节").fill("第一步")
    await dialog.get_by_label("名称").fill(f"新案 {one.number}")
    await dialog.get_by_role("button", name="保存").click()
    await expect(happened(page)).to_contain_text(f"新案 {one.number}")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="标出环节 · 05:53:10")
    await dialog.get_by_label("关键环节").fill("第二步")
    await dialog.get_by_role("button", name="保存").click()
    await expect(happened(page)).to_contain_text("第二步")
    [made] = await bureau.rig.rows("select id, subjects, ended_at from incident where title = %s", f"新案 {one.number}")
    assert (made["subjects"], made["ended_at"]) == ([one.subject, two.subject], END)
    assert await marks_of(bureau, made["id"]) == [("第一步", at(3), None), ("第二步", at(3 + 1 / 6), None)]


async def test_who_keeps_no_incidents_sees_none_in_a_look_back(page: Page, bureau: Bureau) -> None:
    [one] = await walked(bureau, "高翔")
    await bureau.sign_in(page, await bureau.account("supervisor"), "/incidents")
    await keeps(page, bureau, f"暗查 {one.number}", one)
    await page.context.clear_cookies()
    await bureau.sign_in(page, await bureau.account("auditor"), address(one))
    await expect(page.locator(".subject", has_text=one.number)).to_be_visible()
    await expect(happened(page)).to_contain_text("这段时间没有")
    await page.keyboard.press("m")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_have_count(1)
    await expect(page.get_by_role("dialog")).not_to_contain_text("标出关键环节")
