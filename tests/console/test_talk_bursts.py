"""What was said on the radio net: found by group, officer and day, played with its floor log."""

import re
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Bureau, Worn

pytestmark = [pytest.mark.console, pytest.mark.integration]

RATE_HZ = 48_000


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


async def said(bureau: Bureau, worn: Worn, gid: str | None = None) -> str:
    """An officer said something of two seconds, in the group of the squad unless told, and the platform keeps it."""
    burst = f"burst-{worn.did}"
    await bureau.rig.connection.execute(
        "update binding set bound_at = now() - '1 h'::interval where released_at is null"
    )
    write_tone(bureau.recordings / "ptt" / f"{burst}.opus", 2)
    await bureau.rig.connection.execute(
        "insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at,"
        " ended_at, size_bytes, sha256, lost, complete) select %s, coalesce(%s, 'unit-' || d.unit_id), d.unit_id,"
        " d.did, d.id, o.id, 7, 0, %s, now() - interval '9 s', now() - interval '7 s', 4000, repeat('a', 64), 3, true"
        " from device d, officer o where did = %s and o.number = %s",
        [burst, gid, f"ptt/{burst}.opus", worn.did, worn.number],
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
    await page.wait_for_function("() => document.querySelector('dialog audio').currentTime > 0.2")


async def test_all_bursts_are_found_by_group_and_officer(page: Page, bureau: Bureau) -> None:
    one, other = await bureau.worn("王磊"), await bureau.worn("李倩")
    for worn in (one, other):
        await said(bureau, worn)
    await bureau.sign_in(page, await bureau.account("supervisor"), "/talk")
    rows = page.locator(".listing tbody tr")
    await expect(rows.filter(has_text=one.number)).to_have_count(1)
    await expect(rows.filter(has_text=other.number)).to_have_count(1)
    await page.get_by_label("讲话人", exact=True).select_option(label=f"王磊 {one.number}")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(one.number)


async def test_a_burst_of_the_list_is_played_and_shows_where_it_was_said(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("韩雪")
    await said(bureau, worn)
    await bureau.sign_in(page, await bureau.account("supervisor"), "/talk")
    row = page.locator(".listing tbody tr", has_text=worn.number)
    await expect(row).to_contain_text(SQUAD)
    await row.get_by_role("button").click()
    dialog = page.get_by_role("dialog", name=worn.number)
    await expect(dialog.get_by_role("row", name="得到话权 韩雪")).to_be_visible()
    await expect(dialog).to_contain_text("讲话时没有位置")
    await page.wait_for_function("() => document.querySelector('dialog audio').currentTime > 0.2")
    await expect(dialog.locator("time.num").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_bursts_of_another_group_or_day_are_left_out_and_groups_that_are_over_are_found(
    page: Page, bureau: Bureau
) -> None:
    worn, other = await bureau.worn("罗军"), await bureau.worn("冯洁")
    await bureau.rig.connection.execute(
        "insert into talk_group (gid, unit_id, kind, name, closed_at)"
        " select 'temporary-over', id, 'temporary', '专项行动', now() from unit where name = %s",
        [SQUAD],
    )
    await said(bureau, worn)
    await said(bureau, other, "temporary-over")
    await bureau.sign_in(page, await bureau.account("supervisor"), "/talk")
    row = page.locator(".listing tbody tr", has_text=worn.number)
    await expect(row).to_have_count(1)
    await page.get_by_label("群组", exact=True).select_option(label="专项行动（已结束）")
    await expect(row).to_have_count(0)
    await expect(page.locator(".listing tbody tr", has_text=other.number)).to_have_count(1)
    await page.get_by_label("群组", exact=True).select_option(label=SQUAD)
    await expect(row).to_have_count(1)
    await page.get_by_label("到", exact=True).fill("2026-01-01")
    await page.get_by_label("从", exact=True).fill("2026-01-01")
    await expect(row).to_have_count(0)
    await expect(page.locator(".listing")).to_contain_text("没有对讲录音")
