"""Handing over an incident: an hour of ten officers with their recordings, from the order to the finished ZIP file."""

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark
from xunlu_platform.config import LEAFLET
from xunlu_platform.export.archive import Progress
from xunlu_platform.export.key import PRIVATE, ExportKey
from xunlu_platform.export.make import Made, Order, Workshop, make_export
from xunlu_platform.export.playing import Reader
from xunlu_platform.review.moments import Kind
from xunlu_platform.store.store import Scope, Store

OFFICERS = 10
RUNS = 3
HOUR = datetime(2026, 11, 22, 6, tzinfo=UTC)
# An hour at 500 kbit/s.
FILM_BYTES = 225_000_000
BURSTS = 30

WALKS = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, alt_m, speed_mps, course_deg, accuracy_m,
  hdop, fix, sat, bds, late)
select d.id, %(hour)s::timestamptz + s * interval '1 s', 1, s, %(hour)s::timestamptz + s * interval '1 s',
  31.23 + 0.01 * sin(s / 900.0::float8 + d.id), 121.48 + 0.01 * cos(s / 1100.0::float8 + d.id), 8, 1.25,
  s %% 360, 3, 0.8, 1, 21, 12, false
from generate_series(0, 3599) s cross join device d
"""
FILMS = """
insert into recording (id, device_id, why, file, started_at, ended_at, size_bytes, sha256, video, gaps, complete)
select 'film-' || id, id, 'always', 'film.mp4', %(hour)s, %(hour)s::timestamptz + interval '1 hour', %(size)s,
  %(sha256)s, 'H264', '[]', true from device
"""
SPEECH = """
insert into burst (id, gid, unit_id, talker, device_id, grant_number, urgency, file, started_at, ended_at, size_bytes,
  sha256, lost, complete)
select 'burst-' || d.id || '-' || n, 'unit-1', 1, d.did, d.id, n, 0, 'burst.opus',
  %(hour)s::timestamptz + n * interval '1 min',
  %(hour)s::timestamptz + n * interval '1 min' + interval '6 s', 24000, %(sha256)s, 0, true
from device d cross join generate_series(1, %(bursts)s) n
"""
INCIDENT = """
insert into incident (unit_id, title, began_at, ended_at, subjects)
select 1, 'bench', %(hour)s, %(hour)s::timestamptz + interval '1 hour', array_agg('o' || id) from officer returning id
"""


@benchmark("export", unit="s")
async def export(bench: Bench) -> None:
    """Every fix at one a second in four formats, ten recordings of an hour, 300 bursts; hashed twice and signed."""
    async with running_bureau(bench.folder, devices=OFFICERS) as bureau:
        recordings, exports = bench.folder / "recordings", bench.folder / "exports"
        for folder in (recordings, exports):
            folder.mkdir()
        incident = await _fill(bureau, recordings)
        async with Store(bureau.database.dsn("api"), connections_max=2) as store:
            key = ExportKey((bureau.database.secrets / PRIVATE).read_text("utf-8"))
            shop = Workshop(
                store=store, key=key, recordings=recordings, folder=exports, bytes_max=10**12, assets=LEAFLET, map=None
            )
            runs: list[float] = []
            processor_s: list[float] = []
            made = None
            for _ in range(RUNS):
                began_s, used_s = time.perf_counter(), time.process_time()
                made = await _make(shop, incident)
                runs.append(time.perf_counter() - began_s)
                processor_s.append(time.process_time() - used_s)
        assert made is not None
        note = f"{OFFICERS} officers, {OFFICERS * 3600:,} fixes, {made.size_bytes / 1e6:,.0f} MB"
        bench.result("hour_of_ten", runs, note=note)
        bench.result("hour_of_ten.cpu", processor_s, unit="CPU-s", note="of the same, without the database")


async def _make(shop: Workshop, incident: int) -> Made:
    reader = Reader(language="zh-CN", zone=ZoneInfo("Asia/Shanghai"), shown_by="bench", shown_at=datetime.now(UTC))
    kinds: tuple[Kind, ...] = ("recording", "burst", "alarm", "event", "zone", "command")
    order = Order(id="bench", incident_id=incident, scope=Scope("/1/"), kinds=kinds, reader=reader)
    return await make_export(shop, order, Progress())


async def _fill(bureau: Bureau, recordings: Path) -> int:
    """The hour in the database and on the disk; returns the incident."""
    film, burst = os.urandom(1_000_000) * (FILM_BYTES // 1_000_000), os.urandom(24_000)
    (recordings / "film.mp4").write_bytes(film)
    (recordings / "burst.opus").write_bytes(burst)
    async with await bureau.connect() as connection:
        await connection.execute("update binding set bound_at = %s", [HOUR - timedelta(hours=1)])
        await connection.execute(WALKS.encode(), {"hour": HOUR})
        values = {"hour": HOUR, "size": len(film), "sha256": hashlib.sha256(film).hexdigest()}
        await connection.execute(FILMS.encode(), values)
        said = {"hour": HOUR, "bursts": BURSTS, "sha256": hashlib.sha256(burst).hexdigest()}
        await connection.execute(SPEECH.encode(), said)
        return await _incident(connection)


async def _incident(connection: psycopg.AsyncConnection) -> int:
    row = await (await connection.execute(INCIDENT.encode(), {"hour": HOUR})).fetchone()
    assert row is not None
    return int(row[0])
