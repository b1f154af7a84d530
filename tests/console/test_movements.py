"""Who came and went, as a desk sees it: at once, after a time without a link, corrected late; and posts now."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Request, expect

from tests.console.bureau import Bureau, Worn
from tests.console.dead_spot import dead_spot
from tests.integration.ingest_rig import eventually, fix
from tests.integration.zone_rig import AWAY, HOME, known, report, walk, zone

pytestmark = [pytest.mark.console, pytest.mark.integration]


@pytest_asyncio.fixture(autouse=True)
async def posts_end(bureau: Bureau) -> AsyncIterator[None]:
    """The posts of a test concern the whole squad: in the next one they never were."""
    yield
    await bureau.rig.connection.execute(
        "with ended as (update zone set ended_at = now() where kind = 'post' and ended_at is null returning id)"
        " update zone_version set valid_to = valid_from"
        " where valid_to is null and zone_id in (select id from ended)"
    )


async def post_of(bureau: Bureau, worn: Worn) -> str:
    """A post for the squad of whoever wears a recorder; returns its name."""
    number = await zone(bureau.rig, worn.did, "post")
    await known(bureau.rig, number, (await bureau.worn("早退")).did)
    [row] = await bureau.rig.rows("select name from zone where id = %s", number)
    return str(row["name"])


async def leaves(bureau: Bureau, worn: Worn) -> None:
    """In the last minute: what is older than that is late."""
    await report(bureau.rig, worn.did, walk([HOME] * 3 + [AWAY] * 4, ago_s=85))


def events_of(page: Page) -> Locator:
    """The list of zone events in the drawer."""
    return page.get_by_role("complementary", name="详情").locator("section", has_text="区域进出").locator("li")


async def test_the_drawer_tells_who_left_a_post_as_it_happens_and_asks_once(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("钱多")
    name = await post_of(bureau, worn)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/zones/events" in request.url:
            asked.append(request.url)

    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(events_of(page)).to_contain_text("没有")
    page.on("request", note)
    await leaves(bureau, worn)
    await expect(events_of(page)).to_have_count(1)
    for words in ("离岗", "严重告警", name):
        await expect(events_of(page)).to_contain_text(words)
    assert not asked


async def test_what_happened_without_a_link_stands_in_the_drawer_once(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("孙立")
    await post_of(bureau, worn)
    line = await dead_spot(page, "/api/v1/events/stream")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await leaves(bureau, worn)
    await expect(events_of(page)).to_have_count(1)
    await line.cut()
    await report(bureau.rig, worn.did, walk([HOME] * 2, ago_s=20, first=20))
    line.end()
    await expect(events_of(page)).to_have_count(2, timeout=30_000)
    await expect(events_of(page).first).to_contain_text("到岗")
    await expect(events_of(page).last).to_contain_text("离岗")


async def test_an_alarm_that_late_fixes_disprove_is_marked_for_whoever_has_it(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李想")
    name = await post_of(bureau, worn)
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    away = [fix(seq, lat=AWAY[0], lon=AWAY[1], age_s=age_s, acc=5.0) for seq, age_s in ((10, 60), (12, 35))]
    await report(bureau.rig, worn.did, [*walk([HOME] * 3, ago_s=100), *away, *walk([HOME] * 3, ago_s=30, first=13)])
    alarm = page.get_by_role("region", name="告警").locator(".alarm", has_text=name)
    await expect(alarm).to_contain_text("离岗")
    await alarm.get_by_role("button", name="确认").click()
    await expect(alarm).to_contain_text("已于")
    await report(bureau.rig, worn.did, [fix(11, lat=HOME[0], lon=HOME[1], age_s=48, acc=5.0)], "loc/hist")
    await expect(alarm).to_contain_text("事后更正")
    await expect(events_of(page).locator(".struck")).to_have_count(2)
    await alarm.get_by_role("button", name="误报").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("补传更正")
    await page.get_by_role("dialog").get_by_role("button", name="误报").click()
    await expect(alarm).to_have_count(0)
    await page.goto(f"{bureau.api.url}/manage/alarms")
    await expect(page.get_by_role("row", name=name)).to_contain_text("事后更正")


async def test_an_empty_post_stands_out_and_whoever_comes_is_named_with_the_time(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("周到")
    name = await post_of(bureau, worn)
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones")
    row = page.get_by_role("link", name=name)
    await expect(row).to_contain_text("空岗")
    await report(bureau.rig, worn.did, walk([AWAY] * 3 + [HOME] * 3, ago_s=90))
    for words in ("在岗", worn.number, "起"):
        await expect(row).to_contain_text(words)
    await report(bureau.rig, worn.did, walk([AWAY] * 4, ago_s=30, first=7))
    await expect(row).to_contain_text("空岗")
    await expect(row).not_to_contain_text(worn.number)


async def test_the_rule_of_a_zone_says_how_grave_its_alarms_are(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("吴忧")
    name = await post_of(bureau, worn)
    await bureau.sign_in(page, await bureau.account("dispatcher"), "/zones")
    await page.get_by_role("link", name=name).click()
    await expect(page.locator(".zone-facts")).to_contain_text("按类型")
    await page.get_by_role("button", name="编辑").click()
    await page.get_by_label("告警级别").select_option("只记录，不告警")
    await expect(page.get_by_role("button", name="保存")).to_be_enabled()
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator(".zone-facts")).to_contain_text("只记录，不告警")

    async def kept() -> object:
        return await bureau.rig.rows(
            "select 1 from zone z join zone_version v on v.zone_id = z.id"
            " where z.name = %s and v.valid_to is null and v.severity = 0",
            name,
        )

    assert await eventually(kept)
