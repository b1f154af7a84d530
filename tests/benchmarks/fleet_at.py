"""The fleet as it was: `fleet/at` of a bureau that has worked for a month, a moment of it each time."""

import random
import time
from datetime import UTC, datetime, timedelta

import httpx2

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark, percentile, size
from tests.processes import running_api
from xunlu_protocol.shadow import RecorderConfig

DEVICES = 10_000
DAYS = 31
WORKED_S = 8 * 3600
RUNS = 30
LAST = datetime(2026, 10, 31, tzinfo=UTC)

# Every device worked on the last day, a third on any other, but every tenth only on the first: it is sought farthest.
WORKED = """
create temp table worked as
select d.id, %(last)s::timestamptz - n * interval '1 day' + interval '8 h' as since
from device d cross join generate_series(0, %(days)s - 1) n
where case when d.id %% 10 = 0 then n = %(days)s - 1 else n = 0 or (d.id + n) %% 3 = 0 end
"""
FIXES = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, course_deg, accuracy_m, fix,
  sat, bds, late)
select w.id, w.since + s * interval '1 s', 1, s, w.since + s * interval '1 s',
  31.23 + 0.1 * ((w.id * 0.7548776662::numeric) %% 1 - 0.5)::float8 + 0.003 * sin(s / 900.0::float8 + w.id),
  121.48 + 0.1 * ((w.id * 0.5698402910::numeric) %% 1 - 0.5)::float8 + 0.003 * cos(s / 900.0::float8 + w.id),
  1.25, 90, 3, 1, 21, 9, false
from worked w cross join generate_series(0, %(worked_s)s - 1, %(step_s)s) s
"""
TOLD = """
insert into telemetry (device_id, at, received_at, sid, payload)
select id, since + s * interval '1 s', since, 1, '{"batt": 80, "store": 40, "signal_dbm": -80, "rec": ""}'
from worked cross join generate_series(0, %(worked_s)s - 1, %(step_s)s * 2) s
"""
CAME = """
insert into availability (device_id, at, received_at, sid, availability, why)
select id, since + after, since, 1, state, why from worked
cross join (values (interval '0', 'online', null), (interval '8 h', 'offline', 'dock')) said (after, state, why)
"""
CONFIGURED = """
insert into device_shadow (device_id, reported)
select id, jsonb_build_object('version', 1, 'config', %(config)s::jsonb) from device
"""
# The newest of each, as ingest keeps it.
STATES = """
update device_state s set fix_at = p.fix_at, lat = p.lat, lon = p.lon, accuracy_m = p.accuracy_m,
  speed_mps = p.speed_mps, course_deg = p.course_deg, sat = p.sat, bds = p.bds
from (select distinct on (device_id) * from position order by device_id, fix_at desc) p where p.device_id = s.device_id
"""
TELEMETRY = """
update device_state s set telemetry = t.payload, telemetry_at = t.at
from (select distinct on (device_id) * from telemetry order by device_id, at desc) t where t.device_id = s.device_id
"""
THEN = ("update binding set bound_at = %(since)s", "update device set created_at = %(since)s")


@benchmark("fleet_at", unit="ms", limit_s=1800)
async def fleet_at(bench: Bench) -> None:
    """p50 and p95 of moments of a day at work, and of moments of a night in which nobody is."""
    async with running_bureau(bench.folder, devices=DEVICES) as bureau:
        rows = await _store(bureau)
        headers = {"Authorization": f"Bearer {await bureau.login('bearer')}"}
        async with (
            running_api(bureau.database, bureau.broker) as api,
            httpx2.AsyncClient(base_url=api.url, headers=headers, timeout=60) as client,
        ):
            for part, since in (("at_work", LAST + timedelta(hours=9)), ("at_night", LAST + timedelta(hours=17))):
                await _ask(bench, client, part, since, rows)


async def _store(bureau: Bureau) -> int:
    """A month, as the night leaves it; returns how many positions."""
    worked_days = 0.9 * (1 + (DAYS - 1) / 3) + 0.1
    step_s = max(1, round(WORKED_S * DEVICES * worked_days / size("ROWS", 2_000_000)))
    values = {"last": LAST, "days": DAYS, "worked_s": WORKED_S, "step_s": step_s}
    async with await bureau.connect() as connection:
        for statement in (WORKED, FIXES, TOLD, CAME, STATES, TELEMETRY):
            await connection.execute(statement.encode(), values)
        await connection.execute(CONFIGURED.encode(), {"config": RecorderConfig().model_dump_json()})
        for statement in THEN:
            await connection.execute(statement.encode(), {"since": LAST - timedelta(days=DAYS)})
        for table in ("position", "telemetry", "availability", "binding", "device", "device_state", "device_shadow"):
            await connection.execute(f"vacuum analyze {table}".encode())
        row = await (await connection.execute("select count(*) from position")).fetchone()
        return row[0] if row else 0


async def _ask(bench: Bench, client: httpx2.AsyncClient, part: str, since: datetime, rows: int) -> None:
    moments = random.Random(1)
    runs: list[float] = []
    for _ in range(RUNS):
        at = since + timedelta(seconds=moments.randrange(6 * 3600))
        began_s = time.perf_counter()
        answer = await client.get("/api/v1/fleet/at", params={"at": at.isoformat()})
        runs.append((time.perf_counter() - began_s) * 1000)
        assert answer.status_code == 200, answer.text
    note = f"{DEVICES:,} devices, {rows:,} positions of {DAYS} days"
    for percent in (50, 95):
        bench.result(f"{part}.p{percent}", runs, value=percentile(runs, percent), note=note)
