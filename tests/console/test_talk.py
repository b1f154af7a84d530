"""The radio net at the desk and on a telephone: the key, the groups, who speaks, what was said and ordered."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.console.bureau import Bureau, Worn
from tests.integration.ingest_rig import now_s
from tests.talk import Participant, until
from xunlu_protocol.command import Reply
from xunlu_protocol.talk import Granted, Idle, Revoke, Taken

pytestmark = [pytest.mark.console, pytest.mark.integration]

RATE_HZ = 48_000
JOINS_MS = 20_000
# What the browser has heard so far, over all its sessions.
KEEP_PEERS = """
  window.peers = [];
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer { constructor(...given) { super(...given); peers.push(this); } };
"""
HEARD = """async () => {
  let energy = 0;
  for (const peer of peers)
    for (const row of (await peer.getStats()).values())
      if (row.type === "inbound-rtp") energy += row.totalAudioEnergy ?? 0;
  return energy;
}"""


def write_tone(path: Path, seconds: int) -> None:
    """A second or more of 440 Hz as Ogg Opus."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        times = np.arange(RATE_HZ * seconds) / RATE_HZ
        samples = (np.sin(2 * np.pi * 440 * times) * 8000).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


async def said(bureau: Bureau, worn: Worn) -> str:
    """An officer said something of two seconds in the group of the squad, and the platform keeps it."""
    burst = f"burst-{worn.did}"
    write_tone(bureau.recordings / "ptt" / f"{burst}.opus", 2)
    await bureau.rig.connection.execute(
        "insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at,"
        " ended_at, size_bytes, sha256, lost, complete) select %s, 'unit-' || d.unit_id, d.unit_id, d.did, d.id,"
        " o.id, 7, 0, %s, now() - interval '9 s', now() - interval '7 s', 4000, repeat('a', 64), 3, true"
        " from device d, officer o where did = %s and o.number = %s",
        [burst, f"ptt/{burst}.opus", worn.did, worn.number],
    )
    await bureau.rig.connection.execute(
        "insert into floor_entry (id, gid, unit_id, at, what, who, grant_number, urgency, priority)"
        " select %s, b.gid, b.unit_id, b.started_at, 'granted', b.talker, 7, 0, 100 from burst b where id = %s",
        [f"entry-{worn.did}", burst],
    )
    return burst


async def test_what_an_officer_said_is_played_in_the_drawer_with_its_floor_log(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("周敏")
    await said(bureau, worn)
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    line = page.locator(".bursts li")
    await expect(line).to_contain_text("2 秒 · 东街中队")
    await expect(line).to_contain_text("丢包 3")
    async with page.expect_response(lambda response: response.url.endswith("/audio")) as heard:
        await line.get_by_role("button").click()
    assert (await heard.value).status in (200, 206)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("得到话权")
    await expect(dialog.locator("audio")).to_have_js_property("paused", value=False)


async def test_all_bursts_are_found_by_group_and_officer(page: Page, bureau: Bureau) -> None:
    one, other = await bureau.worn("王磊"), await bureau.worn("李倩")
    for worn in (one, other):
        await said(bureau, worn)
    await bureau.sign_in(page, await bureau.account("supervisor"), "/talk")
    rows = page.locator(".listing tbody tr")
    await expect(rows.filter(has_text=one.number)).to_have_count(1)
    await expect(rows.filter(has_text=other.number)).to_have_count(1)
    await page.get_by_label("队员", exact=True).select_option(one.did)
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(one.number)


async def test_an_order_says_whether_it_was_delivered_and_read_aloud(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("陈志远")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="发指令").click()
    await page.get_by_label("内容").fill("请到南京东路增援")
    await page.get_by_role("button", name="发送").click()
    await expect(page.locator(".toast")).to_contain_text("指令已发出")
    rid = await bureau.command(worn, "say_text")
    await page.goto(f"{bureau.api.url}/talk/orders")
    row = page.locator(".listing tbody tr", has_text="请到南京东路增援")
    await expect(row).to_contain_text("陈志远")
    await bureau.answers(worn, rid, Reply(st="done", tst=now_s()))
    await expect(row).to_contain_text("已读", timeout=15_000)


async def test_the_page_of_a_telephone_can_be_installed_and_keeps_only_static_files(page: Page, bureau: Bureau) -> None:
    number = await bureau.officer("赵婷")
    await bureau.sign_in(page, await bureau.account("officer", number=number), "/phone")
    await expect(page.locator(".phone-key")).to_be_visible()
    await expect(page.locator(".top")).to_have_count(0)
    address = await page.locator('link[rel="manifest"]').get_attribute("href")
    manifest = json.loads(await (await page.request.get(f"{bureau.api.url}{address}")).text())
    assert (manifest["start_url"], manifest["display"]) == ("/phone", "standalone")
    await page.evaluate("navigator.serviceWorker.ready")
    await page.reload()
    await expect(page.locator(".phone-key")).to_be_visible()
    kept = await page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async name =>"
        " (await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname)))).flat()"
    )
    assert "/phone" in kept
    assert all(path == "/phone" or path.startswith("/static/") for path in kept)


@asynccontextmanager
async def radio(bureau: Bureau, worn: Worn) -> AsyncIterator[Participant]:
    """The recorder of an officer, tuned to the group of the squad."""
    who = Participant(bureau.talk, worn.did, claims={"name": worn.name, "number": worn.number, "did": worn.did})
    try:
        yield await who.join(await bureau.squad_group())
    finally:
        await who.close()


async def at_the_radio(page: Page, bureau: Bureau, view: str = "/", role: str = "dispatcher") -> None:
    """Sign in, and tune to the group of the squad."""
    await page.add_init_script(KEEP_PEERS)
    await bureau.sign_in(page, await bureau.account(role), view)
    await expect(page.locator(".ptt")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    await page.locator(".ptt-group").click()
    await page.get_by_role("dialog").locator("li", has_text="东街中队").get_by_role("radio").check()
    await page.keyboard.press("Escape")
    await expect(page.locator(".ptt")).to_contain_text("东街中队")


async def test_whoever_holds_the_space_bar_is_heard_until_it_is_let_go(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("周敏")
    bar = page.locator(".ptt")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await expect(bar).to_contain_text("2 人")
        await page.locator("body").click(position={"x": 700, "y": 450})
        await page.keyboard.down("Space")
        await expect(bar).to_have_attribute("data-phase", "talking")
        await expect(bar).to_contain_text("剩余")
        await officer.told(Taken)
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.keyboard.up("Space")
        await expect(bar).to_have_attribute("data-phase", "ready")
        await officer.told(Idle)


async def test_an_emergency_goes_before_a_talker_of_any_priority(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("吴杰")
    gid = await bureau.squad_group()
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await officer.press(gid)
        await officer.told(Granted)
        await page.keyboard.down("Shift")
        await page.keyboard.down("Space")
        await officer.told(Revoke, cause="preempted")
        await officer.told(Taken, urgency=2)
        await page.keyboard.up("Space")
        await page.keyboard.up("Shift")
        await officer.told(Idle)


async def test_who_speaks_is_seen_in_the_bar_and_in_the_table_and_heard(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("陈志远")
    gid = await bureau.squad_group()
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        before = await page.evaluate(HEARD)
        await officer.press(gid)
        await officer.told(Granted)
        await expect(page.locator(".ptt-who")).to_contain_text(f"陈志远 {worn.number} 正在讲话")
        await expect(page.locator(".top .radio")).to_have_text("陈志远")
        await expect(page.locator(".officer", has_text=worn.number)).to_contain_text("讲话")
        await page.wait_for_function(f"async () => await ({HEARD})() > {before} + 0.001")
        await officer.let_go(gid)
        await expect(page.locator(".ptt-who")).to_be_empty()
        await expect(page.locator(".officer", has_text=worn.number)).not_to_contain_text("讲话")


async def test_a_dispatcher_barges_in_and_takes_down(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("王磊")
    gid = await bureau.squad_group()
    key = page.locator(".ptt-key")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await officer.press(gid)
        await officer.told(Granted)
        await expect(key).to_contain_text("按住强插")
        await key.hover()
        await page.mouse.down()
        await officer.told(Revoke, cause="preempted")
        await expect(page.locator(".ptt")).to_have_attribute("data-phase", "talking")
        await page.mouse.up()
        await officer.told(Idle)
        await officer.let_go(gid)
        other = Participant(bureau.talk, (await bureau.worn("李倩")).did, claims={"path": "/"})
        await other.join(gid)
        await other.press(gid)
        await other.told(Granted)
        await page.get_by_role("button", name="强拆").click()
        await other.told(Revoke, cause="taken_down")
        await other.close()


async def test_the_space_bar_writes_in_a_text_field_and_a_page_that_loses_the_keyboard_lets_go(
    page: Page, bureau: Bureau
) -> None:
    bar = page.locator(".ptt")
    async with radio(bureau, await bureau.worn("沈岩")):
        await at_the_radio(page, bureau)
        await page.get_by_role("searchbox").or_(page.locator(".search input")).first.click()
        await page.keyboard.type("a b")
        await expect(bar).to_have_attribute("data-phase", "ready")
        await expect(page.locator(".search input")).to_have_value("a b")
        await page.locator(".ptt-told").evaluate("() => document.activeElement.blur()")
        await page.keyboard.down("Space")
        await expect(bar).to_have_attribute("data-phase", "talking")
        await page.evaluate("window.dispatchEvent(new Event('blur'))")
        await expect(bar).to_have_attribute("data-phase", "ready")
        await page.keyboard.up("Space")


async def test_an_officer_is_called_from_the_drawer_and_the_desk_is_tuned_as_before_afterwards(
    page: Page, bureau: Bureau
) -> None:
    worn = await bureau.films("赵婷")
    await at_the_radio(page, bureau, f"/?device={worn.did}")
    await page.locator(".right").get_by_role("button", name="呼叫对讲").click()
    await expect(page.locator(".ptt")).to_contain_text("– 赵婷", timeout=JOINS_MS)
    await page.get_by_role("button", name="结束群组", exact=True).click()
    await expect(page.locator(".ptt")).to_contain_text("东街中队")


async def test_those_nearest_to_a_place_become_a_group(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("胡斌")
    await bureau.stands(worn, 31.2304, 121.4737)
    await at_the_radio(page, bureau)
    await expect(page.locator(".officer", has_text=worn.number)).to_contain_text("在岗")
    await page.locator(".map").click(button="right", position={"x": 700, "y": 400})
    await page.get_by_role("button", name="建临时组").click()
    await page.get_by_label("群组名称").fill("增援一组")
    await page.get_by_role("button", name="新建").click()
    await expect(page.locator(".ptt-group")).to_contain_text("增援一组", timeout=JOINS_MS)
    assert await bureau.rig.rows(
        "select 1 from talk_group g join talk_group_member m using (gid) where name = '增援一组' and person = %s",
        worn.did,
    )


async def test_a_desk_whose_line_is_cut_comes_back_by_itself_tuned_as_before(page: Page, bureau: Bureau) -> None:
    lines: list[WebSocketRoute] = []

    def carry(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    await page.route_web_socket(re.compile("/ptt$"), carry)
    await at_the_radio(page, bureau)
    await lines[-1].close()
    await until(lambda: len(lines) == 2, "it did not come back")
    await expect(page.locator(".ptt")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    await expect(page.locator(".ptt-group")).to_have_text("群组东街中队1 人")


async def test_a_telephone_talks_with_its_large_key(page: Page, bureau: Bureau) -> None:
    worn, number = await bureau.worn("何雪"), await bureau.officer("孙浩")
    async with radio(bureau, worn) as officer:
        await bureau.sign_in(page, await bureau.account("officer", number=number), "/phone")
        phone = page.locator(".phone")
        await expect(phone).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
        await expect(phone).to_contain_text("东街中队")
        await page.locator(".phone-key").hover()
        await page.mouse.down()
        await expect(phone).to_have_attribute("data-phase", "talking")
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.mouse.up()
        await officer.told(Idle)
