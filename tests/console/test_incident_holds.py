"""What an incident holds until it is released is said on its page and in the dry run; so is what was erased before."""

import secrets

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import Bureau
from tests.console.review_scene import BEGIN, END, Past, officer, walks

pytestmark = [pytest.mark.console, pytest.mark.integration]

VIEWED = """
insert into viewing (id, device_id, asked_at, ended_at)
select %s, id, now() - interval '500 days', now() - interval '500 days' + interval '1 minute' from device where did = %s
"""
# Half an hour around what was viewed, or of the afternoon of the scene.
HELD = """
insert into incident (unit_id, title, began_at, ended_at, subjects)
select id, %s, now() - interval '500 days 10 minutes', now() - interval '500 days' + interval '10 minutes', array[%s]
from unit where parent_id is null returning id
"""
NAMED = """
insert into incident (unit_id, title, began_at, ended_at, subjects)
select id, %s, %s, %s, array[%s] from unit where parent_id is null returning id
"""
ERASED = """
insert into erasure (subject, id, device_id, officer_id, since, until, sha256)
select 'recording', %s, d.id, %s, %s, %s, repeat('0', 64) from device d where did = %s
"""


async def makes(bureau: Bureau, statement: str, *values: object) -> int:
    """An incident; returns its number."""
    row = await (await bureau.rig.connection.execute(statement.encode(), values)).fetchone()
    assert row is not None
    return int(row["id"])


async def walked(bureau: Bureau, name: str) -> Past:
    one = await officer(bureau, name)
    await walks(bureau, one, 0, 20)
    return one


async def test_a_closed_incident_is_released_by_a_word_and_says_so(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "周敏")
    incident = await makes(bureau, NAMED, "外滩走失儿童", BEGIN, END, one.subject)
    await bureau.sign_in(page, await bureau.account("supervisor"), f"/incidents/{incident}")
    head, dialog = page.locator(".incident .page-head"), page.get_by_role("dialog")
    await expect(head).to_contain_text("证据冻结中")
    await expect(head.get_by_role("button", name="解除冻结")).to_have_count(0)
    await head.get_by_role("button", name="结案").click()
    await dialog.get_by_label("备注").fill("已交还家属")
    await dialog.get_by_role("button", name="结案").click()
    await head.get_by_role("button", name="解除冻结").click()
    await dialog.get_by_label("备注").fill("移交检察院")
    await dialog.get_by_role("button", name="解除冻结").click()
    await expect(head).to_contain_text("已解除冻结")
    await expect(page.get_by_role("region", name="备注")).to_contain_text("移交检察院")


async def test_an_incident_says_plainly_what_a_rule_erased_of_it(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "陈志远")
    values = [f"r-{secrets.token_hex(4)}", one.id, BEGIN, END, one.did]
    await bureau.rig.connection.execute(ERASED, values)
    incident = await makes(bureau, NAMED, "来晚了", BEGIN, END, one.subject)
    await bureau.sign_in(page, await bureau.account("evidence"), f"/incidents/{incident}")
    erased = page.get_by_role("region", name="已按保存期限清除")
    await expect(erased).to_contain_text(f"{one.name} {one.did} 的服务器录像已于")


async def test_a_dry_run_names_the_incidents_that_hold_something_back(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李倩")
    title = f"冻结 {secrets.token_hex(3)}"
    incident = await makes(bureau, HELD, title, f"d{worn.did}")
    await bureau.rig.connection.execute(VIEWED, [f"v-{secrets.token_hex(4)}", worn.did])
    await bureau.rig.connection.execute("update retention_rule set keep_days = 365 where subject = 'viewing'")
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/retention")
    row = page.locator(".listing tbody tr").filter(has_text="观看记录")
    await row.get_by_role("button", name="试运行").click()
    await row.locator("summary").click()
    await expect(row.get_by_role("link", name=title)).to_have_attribute("href", f"/incidents/{incident}")
