"""Frames a second of the console with a moving crowd, in Chromium without a GPU, against Leaflet's markers."""

import asyncio
import contextlib
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.async_api import BrowserContext, Page

from tests.benchmarks.browser import WAIT_S, WINDOW, chromium, desk
from tests.benchmarks.bureau import running_bureau
from tests.benchmarks.crowds import framed, reporting
from tests.benchmarks.registry import Bench, benchmark, percentile
from tests.processes import Api, running_api
from xunlu_gis.map.prepare import prepare
from xunlu_sim.bulk import CENTRE

SCRIPT = Path(__file__).with_suffix(".js")
RUNS = 3
RUN_S = 5.0
SETTLE_S = 5.0
PAN_PX = 200
PAN_TURN_S = 2.0
HOLD_S = 0.2
# At 14 all are in view and the console clusters; at 17 it draws each by itself.
ZOOMS = (14, 17)
# The crowd that goes the whole way through broker, ingest and database beside the browser; more would measure those.
WHOLE_WAY_MAX = 1000
FRAMES_BUDGET = "≥ 30"
BYTES_BUDGET = "< 200"
PEER = "Leaflet circleMarker on canvas, no basemap, no glide"


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """How smoothly a page moved.

    Attributes:
        rates: frames a second that the browser granted, by run.
        p95_ms: 95 of 100 frames came within this time after the last.
        redraws: redraws of the movers a second, all runs together.
    """

    rates: list[float]
    p95_ms: float
    redraws: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the console's stream brought.

    Attributes:
        kilobytes_per_s: while the map was still, and while it was panned.
        ages_s: age of every position that the map showed at the end.
    """

    kilobytes_per_s: list[float]
    ages_s: list[float]


@benchmark("console_frames_01000", unit="frames/s")
async def thousand(bench: Bench) -> None:
    """A thousand recorders at 1 Hz, the whole way."""
    await _console_frames(bench, 1000)


@benchmark("console_frames_10000", unit="frames/s")
async def ten_thousand(bench: Bench) -> None:
    """Ten thousand at 1 Hz, from the frames that workers send."""
    await _console_frames(bench, 10_000)


async def _console_frames(bench: Bench, movers: int) -> None:
    whole_way = movers <= WHOLE_WAY_MAX
    way = "through broker, ingest and database" if whole_way else "from fleet frames, as ingest sends them"
    bundle = bench.folder / "map"
    prepare(None, bundle)
    async with contextlib.AsyncExitStack() as stack:
        bureau = await stack.enter_async_context(running_bureau(bench.folder, devices=movers))
        api = await stack.enter_async_context(running_api(bureau.database, bureau.broker, map=bundle))
        await stack.enter_async_context(reporting(bureau) if whole_way else framed(bureau))
        browser = await stack.enter_async_context(chromium())
        context = await desk(browser, bureau, api)
        await context.add_init_script(path=SCRIPT)
        for zoom in ZOOMS:
            own, told = await _watch_console(bench, context, api, movers, zoom)
            peer = await _watch_leaflet(bench, context, api, movers, zoom)
            for part, seen in own.items():
                bench.result(
                    f"zoom_{zoom}.{part}", seen.rates, peer=PEER,
                    peer_value=sorted(peer[part].rates)[RUNS // 2], budget=FRAMES_BUDGET,
                    note=f"1 Hz {way}; 95 of 100 frames within {seen.p95_ms:.0f} ms, peer {peer[part].p95_ms:.0f} ms; "
                    f"movers redrawn {seen.redraws:.0f}/s, peer {peer[part].redraws:.0f}/s",
                )  # fmt: skip
            bench.result(
                f"zoom_{zoom}.stream", told.kilobytes_per_s, unit="kB/s", budget=BYTES_BUDGET, note=f"1 Hz {way}"
            )
            bench.result(
                f"zoom_{zoom}.age_p95", told.ages_s, value=percentile(told.ages_s, 95), unit="s",
                note=f"of the {len(told.ages_s):,} positions on the map; the stream of one desk is bounded in bytes",
            )  # fmt: skip


async def _watch_console(
    bench: Bench, context: BrowserContext, api: Api, movers: int, zoom: int
) -> tuple[dict[str, Watched], Told]:
    """Frames of the console, still and panned, and what its stream brought meanwhile."""
    page = await context.new_page()
    place = {"lat": CENTRE[0], "lon": CENTRE[1], "zoom": zoom}
    await page.add_init_script(f"localStorage.setItem('xunlu.place', '{json.dumps(place)}')")
    await page.goto(api.url)
    await page.wait_for_selector("canvas.officers", state="attached")
    bench.say(f"the console at zoom {zoom}")
    await _everybody(page, movers)
    watched, kilobytes = {}, []
    loop = asyncio.get_running_loop()
    for part in ("still", "panning"):
        began_s, before = loop.time(), await page.evaluate("bench.bytes()")
        watched[part] = await _watch(page, part == "panning")
        received = await page.evaluate("bench.bytes()") - before
        kilobytes.append(received / (loop.time() - began_s) / 1000)
    told = Told(kilobytes_per_s=kilobytes, ages_s=await page.evaluate("bench.ages_s()"))
    await page.close()
    return watched, told


async def _watch_leaflet(bench: Bench, context: BrowserContext, api: Api, movers: int, zoom: int) -> dict[str, Watched]:
    """The same with Leaflet alone, on a page of the same origin."""
    page = await context.new_page()
    await page.goto(api.url)
    leaflet = await page.evaluate("document.querySelector('script[src*=leaflet-1]').src")
    await page.goto(f"{api.url}/healthz")
    await page.add_script_tag(url=leaflet)
    await page.add_style_tag(url=leaflet.replace(".js", ".css"))
    await page.evaluate("([place, zoom]) => bench.leaflet(place, zoom)", [CENTRE, zoom])
    bench.say(f"Leaflet's markers at zoom {zoom}")
    await _everybody(page, movers)
    watched = {"still": await _watch(page, panning=False), "panning": await _watch(page, panning=True)}
    await page.close()
    return watched


async def _everybody(page: Page, movers: int) -> None:
    """Wait until every mover has a place, and then until the page has come to rest."""
    async with asyncio.timeout(WAIT_S):
        while await page.evaluate("bench.movers()") < movers:  # noqa: ASYNC110  the page has no event for it
            await asyncio.sleep(0.5)
    await asyncio.sleep(SETTLE_S)


async def _watch(page: Page, panning: bool) -> Watched:
    seen = []
    for _ in range(RUNS):
        async with asyncio.TaskGroup() as tasks:
            frames = tasks.create_task(page.evaluate("duration_ms => bench.watch(duration_ms)", RUN_S * 1000))
            if panning:
                tasks.create_task(_pan(page, frames))
        seen.append(frames.result())
    gaps_ms = [after - before for run in seen for before, after in pairwise(run["times"])]
    return Watched(
        rates=[(len(run["times"]) - 1) / (run["times"][-1] - run["times"][0]) * 1000 for run in seen],
        p95_ms=percentile(gaps_ms, 95),
        redraws=sum(run["redraws"] for run in seen) / sum(gaps_ms) * 1000,
    )


async def _pan(page: Page, until: asyncio.Task[object]) -> None:
    """Drag the map in circles with the mouse, as a person does, until a task ends."""
    x, y = WINDOW["width"] / 2, WINDOW["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while not until.done():
        angle = (loop.time() - began_s) / PAN_TURN_S * math.tau
        await page.mouse.move(x + PAN_PX * math.sin(angle), y + PAN_PX * (1 - math.cos(angle)))
        await asyncio.sleep(1 / 60)
    # Leaflet ignores moves within 3 px of where a drag began, and throws a map that is let go while it moves.
    await page.mouse.move(x + 4, y)
    await asyncio.sleep(HOLD_S)
    await page.mouse.up()
