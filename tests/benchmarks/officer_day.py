"""An officer's day, as a supervisor asks for it: 17,280 positions of one device out of millions, through the API."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.look_back import look_back
from tests.benchmarks.registry import Bench, benchmark, percentile, size
from tests.processes import running_api
from xunlu_platform.store.queries import query

DAYS = 30
DAY_POINTS = 17_280
INTERVAL_S = 86_400 // DAY_POINTS
CALLS = 50
# The peer's own copy of everything costs as much again as the first.
PLAIN_ROWS_MAX = 20_000_000
FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
BUDGET = "< 100 ms p95 with 100 M rows"

# In order of arrival, so that the day of one officer lies scattered among everybody's, as in life.
ONE_DAY = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, alt_m, speed_mps, course_deg, accuracy_m,
  hdop, battery_percent, fix, sat, bds, late)
select d.id, %(day)s::timestamptz + s * interval '1 s', %(sid)s, s, %(day)s::timestamptz + s * interval '1 s',
  31.23 + 0.01 * sin(s / 900.0::float8 + d.id) + 0.00001 * sin(s * 12.9898::float8 + d.id),
  121.48 + 0.01 * cos(s / 1100.0::float8 + d.id) + 0.00001 * sin(s * 78.233::float8 + d.id),
  8 + 2 * sin(s / 70.0::float8), 1.25, s %% 360, 3.0, 0.8, 80, 1, 21, 12, false
from generate_series(0, 86399, %(step)s) s cross join device d
"""
PLAIN = """
create table plain_position (like position);
insert into plain_position select * from position;
create unique index on plain_position (device_id, fix_at, sid, seq);
grant select on plain_position to xunlu_api;
analyze plain_position
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficerDay:
    """What is asked for."""

    did: str
    device_id: int
    since: datetime

    @property
    def until(self) -> datetime:
        return self.since + timedelta(days=1)


@benchmark("officer_day", unit="ms", limit_s=7200)
async def officer_day(bench: Bench) -> None:
    """p50 and p95 of the day in each format; the peer is the same SELECT without our API."""
    devices = max(1, -(-size("ROWS", 10_000_000) // (DAYS * DAY_POINTS)))
    rows = devices * DAYS * DAY_POINTS
    async with running_bureau(bench.folder, devices=devices) as bureau:
        await _store(bench, bureau, rows)
        plain = rows <= PLAIN_ROWS_MAX
        if plain:
            await _make_plain(bench, bureau)
        await _sort(bench, bureau)
        days = await _days(bureau, devices)
        note = f"{rows:,} rows stored, {len(days)} different officer-days of {DAY_POINTS:,} points"
        select = await _direct(bureau, days, "position")
        _report(bench, "select", select, peer="plain PostgreSQL table", note=f"psycopg by itself; {note}",
                peer_runs=await _direct(bureau, days, "plain_position") if plain else None)  # fmt: skip
        headers = {"Authorization": f"Bearer {await bureau.login('bearer')}"}
        async with (
            running_api(bureau.database, bureau.broker) as api,
            httpx2.AsyncClient(base_url=api.url, headers=headers, timeout=60) as client,
        ):
            forms: dict[str, dict[str, Any]] = {
                "geojson": {"format": "geojson"},
                "geojson_5m": {"format": "geojson", "tolerance_m": 5},
                "csv": {"format": "csv"},
            }
            for part, options in forms.items():
                runs, body_bytes = await _through_api(client, days, options)
                said = f"body {body_bytes / 1000:,.0f} kB; {note}"
                _report(bench, part, runs, peer="the same SELECT", peer_runs=select, budget=BUDGET, note=said)
            await look_back(bench, bureau, client, FIRST_DAY, DAYS)


async def _store(bench: Bench, bureau: Bureau, rows: int) -> None:
    began_s = time.monotonic()
    async with await bureau.connect() as connection:
        for day in range(DAYS):
            await connection.execute(ONE_DAY.encode(), _values(day))
            if day % 5 == 4:
                bench.say(f"{rows * (day + 1) // DAYS:,} rows after {time.monotonic() - began_s:.0f} s")
        await connection.execute("vacuum analyze position")


async def _sort(bench: Bench, bureau: Bureau) -> None:
    """As the jobs process does every night with the days that are over."""
    bench.say("sorting the days that are over")
    async with await bureau.connect() as connection:
        while (await (await connection.execute("select sort_position_chunk()")).fetchone()) != (None,):
            pass


def _values(day: int) -> dict[str, Any]:
    return {"day": FIRST_DAY + timedelta(days=day), "sid": day + 1, "step": INTERVAL_S}


async def _make_plain(bench: Bench, bureau: Bureau) -> None:
    bench.say("copying them into a plain table for comparison")
    async with await bureau.connect() as connection:
        for statement in PLAIN.split(";\n"):
            await connection.execute(statement.encode())
        await connection.execute("vacuum plain_position")


async def _days(bureau: Bureau, devices: int) -> list[OfficerDay]:
    """Seeded and different, so that no call finds the last one's pages in the cache on purpose."""
    rng = random.Random(1)
    every = [(number, day) for number in range(devices) for day in range(DAYS)]
    async with await bureau.connect() as connection:
        found = await (await connection.execute("select did, id from device order by id")).fetchall()
    picked = rng.sample(every, min(CALLS, len(every)))
    return [
        OfficerDay(did=found[number][0], device_id=found[number][1], since=FIRST_DAY + timedelta(days=day))
        for number, day in picked
    ]


async def _timed(step: Callable[[], Awaitable[object]]) -> float:
    began_s = time.perf_counter()
    await step()
    return (time.perf_counter() - began_s) * 1000


async def _direct(bureau: Bureau, days: list[OfficerDay], relation: str) -> list[float]:
    """The platform's own statement as the owner, whom no row-level security slows down."""
    statement = query("history", "track").replace(b"from position", b"from " + relation.encode())

    async with await bureau.connect() as connection:

        async def ask(day: OfficerDay) -> None:
            values = {"device_id": day.device_id, "from": day.since, "to": day.until,
                      "after_sid": -1, "after_seq": -1, "limit": 20_000}  # fmt: skip
            fetched = await (await connection.execute(statement, values)).fetchall()
            assert len(fetched) == DAY_POINTS

        await ask(days[0])
        return [await _timed(lambda day=day: ask(day)) for day in days]  # type: ignore[misc]


async def _through_api(
    client: httpx2.AsyncClient, days: list[OfficerDay], options: dict[str, Any]
) -> tuple[list[float], int]:
    """Milliseconds until the last byte of each day, and the bytes of the last one."""
    body_bytes = 0

    async def ask(day: OfficerDay) -> None:
        nonlocal body_bytes
        period = {"from": day.since.isoformat(), "to": day.until.isoformat()}
        answer = await client.get(f"/api/v1/devices/{day.did}/track", params={**period, **options})
        assert answer.status_code == 200, answer.text
        body_bytes = len(answer.content)

    await ask(days[0])
    return [await _timed(lambda day=day: ask(day)) for day in days], body_bytes  # type: ignore[misc]


def _report(
    bench: Bench, part: str, runs: list[float], *, peer: str, peer_runs: list[float] | None, **more: Any
) -> None:
    budget = more.pop("budget", "")
    for percent in (50, 95):
        bench.result(
            f"{part}.p{percent}", runs, value=percentile(runs, percent),
            peer=peer if peer_runs else "", peer_value=percentile(peer_runs, percent) if peer_runs else None,
            budget=budget if percent == 95 else "", **more,
        )  # fmt: skip
