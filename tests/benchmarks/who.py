"""Who was here: a place and a time, asked of a district's day through `review/who`."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark, percentile, size
from tests.processes import running_api

INTERVAL_S = 10
DAY_POINTS = 86_400 // INTERVAL_S
RUNS = 20
DAY = datetime(2026, 10, 1, tzinfo=UTC)

# Beats of about 700 m, spread evenly over 12 by 12 km (R2 sequence); in order of arrival, as in life.
BEATS = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, hdop, fix, sat, late)
select d.id, %(day)s::timestamptz + s * interval '1 s', 1, s, %(day)s::timestamptz + s * interval '1 s',
  31.23 + 0.108 * ((d.id * 0.7548776662::numeric) %% 1 - 0.5)::float8 + 0.003 * sin(s / 900.0::float8 + d.id),
  121.48 + 0.126 * ((d.id * 0.5698402910::numeric) %% 1 - 0.5)::float8 + 0.0035 * cos(s / 1100.0::float8 + d.id),
  1.25, 3.0, 0.8, 1, 21, false
from generate_series(0, 86399, %(step)s) s cross join device d
"""
# What the job's roll-up writes of it, without the figures that nobody asks for here.
BOXES = """
insert into position_hour (device_id, hour, fixes, late_fixes, first_fix_at, last_fix_at, distance_m, moving_s,
  lat_min, lat_max, lon_min, lon_max)
select device_id, date_trunc('hour', fix_at), count(*), 0, min(fix_at), max(fix_at), 0, 0,
  min(lat), max(lat), min(lon), max(lon)
from position group by 1, 2
"""
# The peer: the same by the box around the shape alone, over every position of the time.
BOX_ONLY = """
select device_id, min(fix_at), max(fix_at) from position
where fix_at >= %(since)s and fix_at < %(until)s and lat between %(south)s and %(north)s
  and lon between %(west)s and %(east)s
group by device_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question: a circle in the middle of the district."""

    part: str
    radius_m: float
    hours: int

    def body(self, run: int) -> dict[str, Any]:
        """Another hour each time, where it is not the whole day."""
        since = DAY + timedelta(hours=run % (25 - self.hours))
        shape = {
            "type": "Feature",
            "properties": {"radius_m": self.radius_m},
            "geometry": {"type": "Point", "coordinates": [121.48, 31.23]},
        }
        return {"shape": shape, "from": since.isoformat(), "to": (since + timedelta(hours=self.hours)).isoformat()}

    def box(self, run: int) -> dict[str, Any]:
        """The same for the peer."""
        body = self.body(run)
        north, east = self.radius_m / 110_900, self.radius_m / 95_400
        return {
            "since": body["from"], "until": body["to"], "south": 31.23 - north, "north": 31.23 + north,
            "west": 121.48 - east, "east": 121.48 + east,
        }  # fmt: skip


QUESTIONS = (
    Asked(part="corner_hour", radius_m=100, hours=1),
    Asked(part="corner_day", radius_m=100, hours=24),
    Asked(part="quarter_hour", radius_m=1000, hours=1),
    Asked(part="quarter_day", radius_m=1000, hours=24),
)


@benchmark("who", unit="ms", limit_s=1800)
async def who(bench: Bench) -> None:
    """p50 and p95 of a street corner and of a quarter, in an hour and in a day."""
    devices = max(1, size("ROWS", 1_000_000) // DAY_POINTS)
    async with running_bureau(bench.folder, devices=devices) as bureau:
        await _store(bureau)
        headers = {"Authorization": f"Bearer {await bureau.login('bearer')}"}
        async with (
            running_api(bureau.database, bureau.broker) as api,
            httpx2.AsyncClient(base_url=api.url, headers=headers, timeout=60) as client,
        ):
            for asked in QUESTIONS:
                await _ask(bench, bureau, client, asked, rows=devices * DAY_POINTS)


async def _store(bureau: Bureau) -> None:
    async with await bureau.connect() as connection:
        await connection.execute(BEATS.encode(), {"day": DAY, "step": INTERVAL_S})
        await connection.execute(BOXES.encode())
        await connection.execute("update binding set bound_at = %s", [DAY])
        await connection.execute("vacuum analyze position")
        await connection.execute("vacuum analyze position_hour")


async def _ask(bench: Bench, bureau: Bureau, client: httpx2.AsyncClient, asked: Asked, *, rows: int) -> None:
    runs: list[float] = []
    peer_runs: list[float] = []
    subjects = stays = 0
    async with await bureau.connect() as connection:
        for run in range(RUNS):
            began_s = time.perf_counter()
            answer = await client.post("/api/v1/review/who", json=asked.body(run))
            runs.append((time.perf_counter() - began_s) * 1000)
            assert answer.status_code == 200, answer.text
            found = answer.json()["subjects"]
            subjects, stays = len(found), sum(len(one["stays"]) for one in found)
            began_s = time.perf_counter()
            await (await connection.execute(BOX_ONLY.encode(), asked.box(run))).fetchall()
            peer_runs.append((time.perf_counter() - began_s) * 1000)
    note = f"{rows:,} positions of one day, radius {asked.radius_m:g} m; last: {subjects} subjects, {stays} stays"
    for percent in (50, 95):
        bench.result(
            f"{asked.part}.p{percent}", runs, value=percentile(runs, percent), note=note,
            peer="the box alone over all positions", peer_value=percentile(peer_runs, percent),
        )  # fmt: skip
