"""Sheets: an officer's day and the week of a squad of fifty, in every format, over streets and zones."""

import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import shapely.geometry

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark, percentile, size
from tests.processes import running_api
from xunlu_gis.areas import read_areas
from xunlu_gis.map.prepare import prepare
from xunlu_gis.streets import StreetGraph
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.store.store import Store

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)
WEEK = "2026-W41"
DAYS = 7
SHIFT_S = 8 * 3600
INTERVAL_S = 10
SPEED_MPS = 1.2
REST_S = 900
RUNS = 10
BUDGET = "< 10 s"
FORMATS = ("json", "html", "pdf", "xlsx")

Asked = dict[str, str | int]

COPY = (
    "copy position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, fix, sat, late)"
    " from stdin"
)
DUE = """
insert into position_hour_due (device_id, hour)
select distinct device_id, date_trunc('hour', fix_at) from position
"""


@benchmark("reports", unit="s", limit_s=1800)
async def reports(bench: Bench) -> None:
    """Seconds to the last byte, with hours that have their shape; the first ask also reads the streets."""
    folder = bench.folder / "map"
    prepare(None, folder)
    async with running_bureau(bench.folder, devices=size("OFFICERS", 50)) as bureau:
        await _store(bench, bureau, folder)
        await _shape(bureau)
        headers = {"Authorization": f"Bearer {await bureau.login('bearer')}"}
        async with (
            running_api(bureau.database, bureau.broker, map=folder) as api,
            httpx2.AsyncClient(base_url=f"{api.url}/api/v1/reports", headers=headers, timeout=300) as client,
        ):
            day = {"date": f"{MONDAY:%Y-%m-%d}"}
            for form in FORMATS:
                days: list[Asked] = [{**day, "officer": 1 + run, "format": form} for run in range(RUNS)]
                await _ask(bench, client, "officer-day", form, days)
            for form in FORMATS:
                weeks: list[Asked] = [{"unit": 1, "week": WEEK, "format": form}] * 3
                await _ask(bench, client, "squad-week", form, weeks, budget=BUDGET)


async def _store(bench: Bench, bureau: Bureau, folder: Path) -> None:
    """A zone for each sub-district, and for everybody a way over the streets of every day."""
    streets, areas = StreetGraph.load(folder), read_areas(folder)
    async with await bureau.connect() as connection:
        await connection.execute("update binding set bound_at = %s", [MONDAY - timedelta(days=1)])
        for area in areas:
            shape = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(area.polygon)}
            await connection.execute(
                "with made as (insert into zone (unit_id, kind, name) values (1, 'responsibility', %s) returning id)"
                " insert into zone_version (zone_id, shape, valid_from) select id, %s, %s from made",
                [area.name, json.dumps(shape), MONDAY - timedelta(days=1)],
            )
        async with connection.cursor() as cursor, cursor.copy(COPY.encode()) as copy:
            for device in range(1, len(bureau.dids) + 1):
                for day in range(DAYS):
                    for row in _way(streets, device, day):
                        await copy.write_row(row)
        await connection.execute("truncate position_hour_due")
        await connection.execute(DUE.encode())
        await connection.execute("vacuum analyze position")
    bench.say(f"{len(bureau.dids) * DAYS * SHIFT_S // INTERVAL_S:,} rows, {len(areas)} zones")


def _way(streets: StreetGraph, device: int, day: int) -> list[tuple[Any, ...]]:
    """A patrol from corner to corner, with a rest at each."""
    routes = streets.walk(random.Random(f"{device} {day}"))
    rows: list[tuple[Any, ...]] = []
    while len(rows) * INTERVAL_S < SHIFT_S:
        route = next(routes)
        steps = np.arange(0, route.length_m, SPEED_MPS * INTERVAL_S).tolist()
        for along in [*steps, *[route.length_m] * (REST_S // INTERVAL_S)]:
            lat, lon, _ = route.at(along)
            at = MONDAY + timedelta(days=day, seconds=len(rows) * INTERVAL_S)
            speed = 0.0 if along == route.length_m else SPEED_MPS
            rows.append((device, at, day + 1, len(rows), at + timedelta(seconds=1), lat, lon, speed, 4, 1, 18, False))
    return rows[: SHIFT_S // INTERVAL_S]


async def _shape(bureau: Bureau) -> None:
    """As the jobs process does when an hour is over."""
    async with Store(bureau.database.dsn("jobs"), connections_max=2) as store:
        while await roll_up(store, hours_max=50):
            pass
    async with await bureau.connect() as connection:
        await connection.execute("vacuum analyze track_piece")


async def _ask(
    bench: Bench, client: httpx2.AsyncClient, kind: str, form: str, every: Sequence[Asked], budget: str = ""
) -> None:
    runs: list[float] = []
    body_bytes = 0
    for asked in every:
        began_s = time.perf_counter()
        answer = await client.get(f"/{kind}", params=asked)
        runs.append(time.perf_counter() - began_s)
        assert answer.status_code == 200, answer.text
        body_bytes = len(answer.content)
    note = f"first {runs[0]:.2f} s; {body_bytes / 1000:,.0f} kB"
    bench.result(f"{kind}.{form}", runs, value=percentile(runs, 95), budget=budget, note=note)
