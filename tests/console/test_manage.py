"""Management: a recorder from its first call to its officer; accounts; the log of it all."""

import secrets

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Account, Bureau
from tests.integration.ingest_rig import eventually
from xunlu_protocol.shadow import RecorderConfig, Shadow

pytestmark = [pytest.mark.console, pytest.mark.integration]


async def test_a_recorder_that_called_is_approved_and_bound_with_history(page: Page, bureau: Bureau) -> None:
    serial = f"T{secrets.token_hex(5)}"
    did = await bureau.claims(serial)
    number = await bureau.officer("王磊")
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/devices")
    waiting = page.locator(".waiting")
    await expect(waiting).to_contain_text(serial)
    await waiting.get_by_role("row", name=serial).get_by_role("button", name="批准").click()
    await expect(waiting).to_be_hidden()
    await page.get_by_role("link", name=did).click()
    panel = page.get_by_role("complementary", name="详情")
    await expect(panel).to_contain_text("已批准")
    await panel.get_by_role("button", name="绑定队员").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("searchbox").fill(number)
    await dialog.get_by_role("button", name="绑定队员").click()
    await expect(panel.locator(".history")).to_contain_text("王磊")
    await expect(panel.locator(".history")).to_contain_text("至今")
    await panel.get_by_role("button", name="解除绑定").click()
    await dialog.get_by_role("button", name="解除绑定").click()
    await expect(panel.locator(".history")).not_to_contain_text("至今")
    await page.goto(f"{bureau.api.url}/manage/audit")
    for action in ("批准设备", "绑定设备", "解除绑定"):
        await expect(page.get_by_role("row", name=did).filter(has_text=action)).to_be_visible()


async def test_a_new_account_gets_a_password_that_is_shown_once(page: Page, bureau: Bureau) -> None:
    username = f"new-{secrets.token_hex(3)}"
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/users")
    await page.get_by_role("button", name="新建用户").click()
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("显示名").fill("新同事")
    await page.get_by_role("button", name="新建", exact=True).click()
    password = await page.locator(".secret").nth(1).inner_text()
    await page.get_by_role("button", name="已记下").click()
    await expect(page.get_by_role("row", name=username)).to_contain_text("调度员")
    assert password not in await page.content()
    await page.context.clear_cookies()
    await bureau.sign_in(page, Account(username=username, password=password))
    await expect(page.get_by_label("当前密码")).to_be_visible()


async def test_an_account_is_given_to_an_officer_and_a_report_is_taken_away(page: Page, bureau: Bureau) -> None:
    account, worn = await bureau.account("dispatcher"), await bureau.worn("秦岚")
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/users")
    await page.get_by_role("row", name=account.username).get_by_role("button", name="编辑").click()
    await page.get_by_label("角色").select_option("officer")
    await page.get_by_label("编号、姓名、拼音").fill(worn.number)
    await page.get_by_role("dialog").locator("select[name=officer]").select_option(index=1)
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("row", name=account.username)).to_contain_text("队员")
    belongs = "select number from account a join officer o on o.id = a.officer_id where username = %s"
    assert await bureau.rig.rows(belongs, account.username) == [{"number": worn.number}]
    await page.goto(f"{bureau.api.url}/manage/devices?device={worn.did}")
    for report in ("报告-7", ""):
        await page.get_by_role("button", name="编辑", exact=True).click()
        await page.get_by_label("检测报告").fill(report)
        await page.get_by_role("button", name="保存").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_text("报告-7")).to_have_count(1 if report else 0)


async def test_who_reads_chinese_is_told_in_chinese_which_field_is_wrong_and_why(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/users")
    await page.get_by_role("button", name="新建用户").click()
    await page.get_by_label("用户名").fill("xunlu-desk")
    await page.get_by_label("显示名").fill("新同事")
    await page.get_by_role("button", name="新建", exact=True).click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(
        "内容不符合要求: 用户名: “xunlu”开头的名称和“claim”由平台保留"
    )


async def test_a_unit_is_added_below_another_and_renamed(page: Page, bureau: Bureau) -> None:
    name = f"分队 {secrets.token_hex(2)}"
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/organisation")
    await page.get_by_role("row", name=SQUAD).get_by_role("button", name="下级单位").click()
    await page.get_by_label("名称").fill(name)
    await page.get_by_role("button", name="新建", exact=True).click()
    await page.get_by_role("row", name=name).get_by_role("button", name="编辑").click()
    await page.get_by_label("名称").fill(f"{name} 甲")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("row", name=f"{name} 甲")).to_be_visible()


async def test_an_officer_is_added_and_leaves(page: Page, bureau: Bureau) -> None:
    number = f"Q{secrets.token_hex(3)}"
    await bureau.sign_in(page, await bureau.account("clerk"), "/manage/officers")
    await page.get_by_role("button", name="新建队员").click()
    await page.get_by_label("编号", exact=True).fill(number)
    await page.get_by_label("姓名", exact=True).fill("郭靖")
    await page.get_by_role("button", name="新建", exact=True).click()
    await page.get_by_role("row", name=number).get_by_role("button", name="编辑").click()
    await page.get_by_label("状态").select_option("false")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("row", name=number)).to_contain_text("离职")


async def test_a_list_with_a_mistake_says_which_row(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("administrator"), "/manage/expected")
    head = "serial,vendor,model,unit,officer_number,inspection_report\n"
    chooser = page.locator("input[type=file]")
    wrong = {"name": "list.csv", "mimeType": "text/csv", "buffer": f"{head}S1,Xunlu,M,没有的中队,,\n".encode()}
    await chooser.set_input_files(wrong)  # type: ignore[arg-type]  # a FilePayload
    await expect(page.locator(".toast.bad")).to_contain_text("第 2 行")
    right = {"name": "list.csv", "mimeType": "text/csv", "buffer": f"{head}S1,Xunlu,M,{SQUAD},,R-1\n".encode()}
    await chooser.set_input_files(right)  # type: ignore[arg-type]  # a FilePayload
    await expect(page.get_by_role("row", name="S1")).to_contain_text(SQUAD)


async def test_the_health_page_speaks_of_what_works(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("administrator"), "/health")
    await expect(page.locator(".verdict")).to_contain_text("一切正常")
    await expect(page.locator(".cards")).to_contain_text("TimescaleDB")


async def test_health_names_the_process_that_is_gone(page: Page, bureau: Bureau) -> None:
    said = "insert into server_state (host, at, online) values ('ptt@gone', now() + interval '1 min', false)"
    await bureau.rig.connection.execute(said)
    try:
        await bureau.sign_in(page, await bureau.account("administrator"), "/health")
        await expect(page.locator(".verdict")).to_contain_text("有问题：对讲")
        await expect(page.get_by_role("row", name="对讲 异常")).to_contain_text("log/ptt.log")
    finally:
        await bureau.rig.connection.execute("delete from server_state where host = 'ptt@gone'")


async def test_a_device_shows_the_configuration_that_it_runs(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("孙立")
    running = Shadow(version=0, config=RecorderConfig(moving_s=7, low_storage_mb=1234))
    await bureau.rig.publish(worn.did, "shadow", running.encode())
    reported = (
        "select reported from device_shadow join device d on d.id = device_id where did = %s and reported is not null"
    )
    await eventually(lambda: bureau.rig.rows(reported, worn.did))
    await bureau.sign_in(page, await bureau.account("administrator"), f"/manage/devices?device={worn.did}")
    await expect(page.get_by_role("row", name="移动间隔")).to_contain_text("7")
    await page.get_by_role("button", name="修改配置").click()
    await expect(page.get_by_label("存储不足（MB）")).to_have_value("1234")
