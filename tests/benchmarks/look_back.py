"""Looking back through `review/tracks`: an officer's day and month, and a day of fifty officers."""

import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx2

from tests.benchmarks.bureau import Bureau
from tests.benchmarks.registry import Bench, percentile
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.store.store import Store

MONTHS = 5
FIFTY = 50
DAYS_ASKED = 50
RUNS = 10
BUDGET = "< 100 ms p95 with 100 M rows"

# The hours of a month of some, and of one day of fifty: the rest of the bureau's would take the better part of an hour.
DUE = """
insert into position_hour_due (device_id, hour)
select d.id, h from (select id, row_number() over (order by id) as n from device) d
  cross join generate_series(%(since)s::timestamptz,
    %(since)s::timestamptz + %(days)s * interval '1 day' - interval '1 hour', '1 hour') h
where d.n <= %(months)s or (d.n <= %(fifty)s and h < %(since)s::timestamptz + interval '1 day')
"""


async def look_back(bench: Bench, bureau: Bureau, client: httpx2.AsyncClient, since: datetime, days: int) -> None:
    """Shape some of the hours stored, then ask: milliseconds to the last byte, of different officers each time.

    Args:
        bench: to note the figures.
        bureau: with `days` days of fixes of every device.
        client: of the API, signed in.
        since: when the first day begins.
        days: how many are stored.
    """
    officers = await _shape(bench, bureau, since, days)
    rng = random.Random(2)
    every = [(one, day) for one in officers[:MONTHS] for day in range(days)]
    picked = rng.sample(every, min(DAYS_ASKED, len(every)))
    asked = [([one], since + timedelta(days=day), 1, 5) for one, day in picked]
    await _ask(bench, client, "review.day", asked, budget=BUDGET)
    months = [([one], since, days, 80) for one in officers[:MONTHS]] * (RUNS // MONTHS)
    await _ask(bench, client, "review.month", months)
    await _ask(bench, client, "review.fifty_days", [(officers[:FIFTY], since, 1, 20)] * RUNS)


async def _shape(bench: Bench, bureau: Bureau, since: datetime, days: int) -> list[int]:
    """As the jobs process does when an hour is over; who wears the devices."""
    values = {"since": since, "days": days, "months": MONTHS, "fifty": FIFTY}
    async with await bureau.connect() as connection:
        await connection.execute("truncate position_hour_due")
        await connection.execute(DUE.encode(), values)
        await connection.execute("update binding set bound_at = %s", [since])
        found = await (await connection.execute("select officer_id from binding order by device_id")).fetchall()
        began_s, hours = time.monotonic(), 0
        async with Store(bureau.database.dsn("jobs"), connections_max=2) as store:
            while written := await roll_up(store, hours_max=20):
                hours += written
        each_ms = (time.monotonic() - began_s) * 1000 / hours
        bench.result("shaping", [each_ms], note=f"of one device's hour on four levels; mean of {hours:,}")
        await connection.execute("vacuum analyze track_piece")
    return [int(row[0]) for row in found]


Asked = tuple[list[int], datetime, int, int]
"""Officers, begin, days, tolerance in metres."""


async def _ask(
    bench: Bench, client: httpx2.AsyncClient, part: str, every: Sequence[Asked], *, budget: str = ""
) -> None:
    runs: list[float] = []
    body_bytes = points = 0
    for officers, since, days, tolerance_m in every:
        period = {"from": since.isoformat(), "to": (since + timedelta(days=days)).isoformat()}
        subjects = [f"o{one}" for one in officers]
        began_s = time.perf_counter()
        answer = await client.get(
            "/api/v1/review/tracks", params={**period, "subject": subjects, "tolerance_m": tolerance_m}
        )
        runs.append((time.perf_counter() - began_s) * 1000)
        assert answer.status_code == 200, answer.text
        body_bytes = len(answer.content)
        points = sum(len(piece["t"]) for subject in answer.json()["subjects"] for piece in subject["pieces"])
    note = (
        f"officers: {len(every[0][0])}, tolerance {every[0][3]} m, {points:,} points, body {body_bytes / 1000:,.0f} kB"
    )
    bench.result(f"{part}.first", runs[:1], note=note)
    for percent in (50, 95):
        bench.result(
            f"{part}.p{percent}", runs, value=percentile(runs, percent), note=note,
            budget=budget if percent == 95 else "",
        )  # fmt: skip
