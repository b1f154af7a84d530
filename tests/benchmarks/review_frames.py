"""Playback of fifty officers' day: how soon the first picture stands, what it costs, frames a second at 16 times."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page

from tests.benchmarks.browser import WAIT_S, chromium, desk
from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark, percentile
from tests.processes import Api, running_api
from xunlu_gis.map.prepare import prepare
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.store.store import Store

SCRIPT = Path(__file__).with_suffix(".js")
OFFICERS = 50
INTERVAL_S = 5
FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
HOURS_AT_ONCE = 60
OPENED = 3
RUNS = 3
RUN_S = 5.0
RATE = 16
NOON_S = 12 * 3600
FRAMES_BUDGET = "≥ 30"

# Everybody walks streets of their own: legs of a few minutes, with the scatter of a receiver between houses.
ONE_DAY = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, course_deg, accuracy_m, fix, sat,
  bds, late)
select d.id, %(day)s::timestamptz + s * interval '1 s', 1, s, %(day)s::timestamptz + s * interval '1 s',
  31.23 + 0.006 * sin(d.id * 7.0::float8) + 0.004 * sin(s / 1500.0::float8 + d.id)
    + 0.0006 * sin(s / 130.0::float8 + d.id) + 0.00002 * sin(s * 12.9898::float8 + d.id),
  121.48 + 0.006 * cos(d.id * 5.0::float8) + 0.004 * cos(s / 1700.0::float8 + d.id) + 0.0006 * cos(s / 170.0::float8)
    + 0.00002 * sin(s * 78.233::float8 + d.id),
  1.25 + 0.4 * sin(s / 30.0::float8), s %% 360, 4.0, 1, 21, 12, false
from generate_series(0, 86399, %(step)s) s cross join device d
"""
BOUND = "update binding set bound_at = %(day)s::timestamptz - interval '1 day'"
DUE = """
insert into position_hour_due (device_id, hour) select d.id, h from device d,
  generate_series(%(day)s::timestamptz, %(day)s::timestamptz + interval '23 hours', interval '1 hour') h
on conflict do nothing
"""


@benchmark("review_frames", unit="frames/s")
async def review_frames(bench: Bench) -> None:
    """Fifty officers and 864,000 fixes, through API and Chromium without a GPU."""
    bundle = bench.folder / "map"
    prepare(None, bundle)
    async with contextlib.AsyncExitStack() as stack:
        bureau = await stack.enter_async_context(running_bureau(bench.folder, devices=OFFICERS))
        subjects = await _store(bench, bureau)
        api = await stack.enter_async_context(running_api(bureau.database, bureau.broker, map=bundle))
        context = await desk(await stack.enter_async_context(chromium()), bureau, api)
        await context.add_init_script(path=SCRIPT)
        await _measure(bench, context, api, subjects)


async def _store(bench: Bench, bureau: Bureau) -> list[str]:
    """Put the day into the database, shaped hour by hour as the jobs process does it; returns the subjects."""
    values: dict[str, Any] = {"day": FIRST_DAY, "step": INTERVAL_S}
    async with await bureau.connect() as connection:
        for statement in (ONE_DAY, BOUND, DUE):
            await connection.execute(statement.encode(), values)
        rows = await (await connection.execute("select id from officer order by id")).fetchall()
    bench.say("shaping the hours")
    async with Store(bureau.database.dsn("jobs")) as store:
        while await roll_up(store, hours_max=HOURS_AT_ONCE):
            pass
    return [f"o{row[0]}" for row in rows]


async def _measure(bench: Bench, context: BrowserContext, api: Api, subjects: list[str]) -> None:
    first, last, noon = ((FIRST_DAY + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (0, 86_400, NOON_S))
    address = f"{api.url}/review?s={','.join(subjects)}&from={first}&to={last}&t={noon}&rate={RATE}"
    shown = [await _open(context, address) for _ in range(OPENED)]
    page, _, told = shown[-1]
    note = f"{OFFICERS} officers, {86_400 // INTERVAL_S * OFFICERS:,} fixes stored"
    bench.result(
        "first_picture", [ms for _, ms, _ in shown], unit="ms", note=f"from the address to all ways drawn; {note}"
    )
    bench.result(
        "wire", [told["wire"] / 1e6], unit="MB", note=f"of tracks and moments; {told['json'] / 1e6:.1f} MB as JSON"
    )
    await page.keyboard.press("Space")
    seen = [await page.evaluate("duration_ms => bench.watch(duration_ms)", RUN_S * 1000) for _ in range(RUNS)]
    gaps_ms = [after - before for run in seen for before, after in pairwise(run["times"])]
    bench.result(
        "at_16", [(len(run["times"]) - 1) / (run["times"][-1] - run["times"][0]) * 1000 for run in seen],
        budget=FRAMES_BUDGET,
        note=f"95 of 100 frames within {percentile(gaps_ms, 95):.0f} ms; officers redrawn "
        f"{sum(run['redraws'] for run in seen) / sum(gaps_ms) * 1000:.0f}/s",
    )  # fmt: skip


async def _open(context: BrowserContext, address: str) -> tuple[Page, float, dict[str, float]]:
    """A page with the view, after so many milliseconds, for so many bytes; the page before is closed."""
    for page in context.pages:
        await page.close()
    page = await context.new_page()
    await page.goto(address)
    async with asyncio.timeout(WAIT_S):
        while (ms := await page.evaluate("bench.first_ms()")) is None:  # noqa: ASYNC110  the page has no event for it
            await asyncio.sleep(0.1)
    return page, float(ms), await page.evaluate("bench.bytes()")
