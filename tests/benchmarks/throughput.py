"""Positions stored a second, end to end, and how soon a desk sees them.

`throughput_zones`: what it adds to ingest that a thousand zones are watched.

Broker over plain TCP, two workers, a database that survives a kill, the API process with a desk on its WebSocket, and
the load generator: all on this machine. Every position is one QoS 1 message in the agent's format.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import cos, pi, radians, sin, sqrt
from typing import Any

import psycopg
from websockets.asyncio.client import connect

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark
from tests.benchmarks.usage import cpu_s
from tests.processes import running_api
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.location import Location
from xunlu_protocol.topics import parse_up
from xunlu_sim.bulk import CENTRE, DEGREE_M

DEVICES = int(os.environ.get("DEVICES", "5000"))
SECONDS = float(os.environ.get("SECONDS", "30"))
RATES = [float(rate) for rate in os.environ.get("RATES", "2500,5000,7500").split(",")]
WATCHED = 200
SETTLED_S = 3.0
PEER_SECONDS = 8.0
# More than anything takes here: the generator slows down to what the broker takes.
PEER_RATE = 20_000
ZONES = 1000
ZONES_RATE = 1000.0
ZONES_SECONDS = 10.0
ZONES_RUNS = 5
CITY_M = 20_000.0
"""Side of a square on which the zones lie: a fix is in one of them on the average."""


@dataclass(slots=True)
class Load:
    """One run of the generator.

    Attributes:
        sent: positions that the broker took.
        stored: positions in the database when nothing more came.
        seconds: from the first position sent to the last one stored.
        behind_s: from the last one sent to the last one stored.
        latency_s: device → WebSocket, of the watched devices.
    """

    sent: int
    stored: int
    seconds: float
    behind_s: float
    latency_s: list[float] = field(default_factory=list)


@benchmark("throughput", unit="positions/s", limit_s=900)
async def throughput(bench: Bench) -> None:
    """The peer first, then rising rates."""
    async with running_bureau(bench.folder, devices=DEVICES) as bureau:
        peer = await _peer(bureau)
        async with (
            bureau.ingesting("ingest-1"),
            bureau.ingesting("ingest-2"),
            running_api(bureau.database, bureau.broker) as api,
        ):
            token = await bureau.login("bearer")
            await _run(bureau, RATES[0], 5)
            for rate in RATES:
                async with _desk(api.stream_url, token, bureau.dids[:WATCHED]) as latency_s:
                    load = await _run(bureau, rate, SECONDS)
                load.latency_s = latency_s
                _note(bench, rate, load, peer)


@benchmark("throughput_zones", unit="µs/position")
async def throughput_zones(bench: Bench) -> None:
    """Processor time of a worker and its database sessions for each position; with zones and without take turns."""
    async with running_bureau(bench.folder, devices=DEVICES) as bureau, bureau.ingesting() as worker:
        await _draw_zones(bureau)
        costs: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(ZONES_RUNS):
            for watched, runs in costs.items():
                await _watch_zones(bureau, watched)
                await _run(bureau, ZONES_RATE, 5)
                runs.append(await _cost(bureau, worker.pid))
        assert await _standing(bureau) > DEVICES / 2, "ingest did not look at the zones"
    bench.result("ingest without zones", costs[False])
    note = f"polygons of 60 corners and circles on 20 × 20 km, which concern all {DEVICES:,} devices"
    bench.result(
        f"ingest with {ZONES:,} zones", costs[True], peer="the same without zones",
        peer_value=statistics.median(costs[False]), note=note,
    )  # fmt: skip


async def _draw_zones(bureau: Bureau) -> None:
    rng = random.Random(7)
    shapes = [json.dumps(_zone(rng, round_=number % 10 > 6)) for number in range(ZONES)]
    async with await bureau.connect() as connection:
        await connection.execute(
            "with drawn as (select shape, row_number() over () as n from unnest(%s::jsonb[]) shape), made as ("
            " insert into zone (unit_id, kind, name) select (select id from unit where parent_id is null),"
            " 'patrol', 'zone ' || n from drawn returning id, name)"
            " insert into zone_version (zone_id, shape, valid_from) select made.id, shape, now() - interval '2 days'"
            " from made join drawn on made.name = 'zone ' || n",
            [shapes],
        )


def _zone(rng: random.Random, *, round_: bool) -> dict[str, Any]:
    """A shape of 200 to 500 m around a place of the city."""
    lat, lon = CENTRE
    north, east = rng.uniform(-CITY_M / 2, CITY_M / 2), rng.uniform(-CITY_M / 2, CITY_M / 2)
    size_m = rng.uniform(200, 500)

    def place(bearing: float, far_m: float) -> list[float]:
        across = DEGREE_M * cos(radians(lat))
        return [lon + (east + far_m * sin(bearing)) / across, lat + (north + far_m * cos(bearing)) / DEGREE_M]

    if round_:
        point = {"type": "Point", "coordinates": place(0, 0)}
        return {"type": "Feature", "properties": {"radius_m": size_m}, "geometry": point}
    ring = [place(2 * pi * corner / 60, size_m * sqrt(rng.uniform(0.5, 1.2))) for corner in range(60)]
    polygon = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return {"type": "Feature", "properties": {}, "geometry": polygon}


async def _watch_zones(bureau: Bureau, watched: bool) -> None:
    """Put all zones into force, or out of it since yesterday."""
    async with await bureau.connect() as connection:
        ended = "null" if watched else "now() - interval '1 day'"
        await connection.execute(f"update zone_version set valid_to = {ended}".encode())


async def _standing(bureau: Bureau) -> int:
    """How many devices ingest knows to stand somewhere."""
    async with await bureau.connect() as connection:
        cursor = await connection.execute("select count(*) from zone_watch")
        row = await cursor.fetchone()
        return int(row[0]) if row else 0


async def _cost(bureau: Bureau, worker: int) -> float:
    """Microseconds of processor time for each position."""
    async with await bureau.connect() as connection:
        cursor = await connection.execute("select pid from pg_stat_activity where usename = 'xunlu_ingest'")
        sessions = [int(row[0]) for row in await cursor.fetchall()]
    before_s = sum(map(cpu_s, (worker, *sessions)))
    load = await _run(bureau, ZONES_RATE, ZONES_SECONDS)
    return (sum(map(cpu_s, (worker, *sessions))) - before_s) / load.stored * 1e6


def _note(bench: Bench, rate: float, load: Load, peer: float) -> None:
    share = f"{load.stored:,} of {load.sent:,} sent; the last was stored {load.behind_s:.1f} s after it was sent"
    bench.result(
        f"at_{rate:.0f}", [load.stored / load.seconds], budget="5,000/s sustained", note=share,
        peer="a consumer that inserts and commits each message by itself, the way of most examples", peer_value=peer,
    )  # fmt: skip
    cuts = statistics.quantiles(load.latency_s, n=100) if len(load.latency_s) > 100 else [float("nan")] * 99
    bench.result(
        f"latency_p99_at_{rate:.0f}", [cuts[98]], unit="s", budget="< 1 s",
        note=f"device → WebSocket, {len(load.latency_s):,} positions of {WATCHED} devices; median {cuts[49]:.2f} s",
    )  # fmt: skip


async def _run(bureau: Bureau, rate: float, seconds: float) -> Load:
    before = await _stored(bureau)
    password = bureau.services.state.secrets / "mqtt-api"
    arguments = {
        "--broker": f"127.0.0.1:{bureau.broker.port}",
        "--username": "xunlu-api",
        "--password-file": password,
        "--devices": len(bureau.dids),
        "--per-s": rate,
        "--seconds": seconds,
        "--sid": int(time.time()),
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xunlu_sim", "bulk", *words, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await generator.communicate()
    finally:
        if generator.returncode is None:
            generator.kill()
    ended_s = time.monotonic()
    stored, stored_s = await _settle(bureau)
    # The generator's own start is not the platform's time.
    return Load(
        int(output.split()[0]),
        stored - before,
        max(seconds, stored_s - (ended_s - seconds)),
        max(0.0, stored_s - ended_s),
    )


async def _settle(bureau: Bureau) -> tuple[int, float]:
    """Wait until nothing more is stored; returns the count and when it was reached."""
    count, changed_s = await _stored(bureau), time.monotonic()
    while time.monotonic() - changed_s < SETTLED_S:
        await asyncio.sleep(0.1)
        if (now := await _stored(bureau)) != count:
            count, changed_s = now, time.monotonic()
    return count, changed_s


async def _stored(bureau: Bureau) -> int:
    """By the sequences held: counting rows would load the database that is measured."""
    async with await bureau.connect() as connection:
        cursor = await connection.execute(
            "select coalesce(sum(upper(part) - lower(part)), 0) from device_session, unnest(held) part"
        )
        row = await cursor.fetchone()
        return int(row[0]) if row else 0


@asynccontextmanager
async def _desk(url: str, token: str, watched: list[str]) -> AsyncIterator[list[float]]:
    """A desk that has some devices selected; collects how old their fixes are when it hears of them."""
    latency_s: list[float] = []

    async def listen() -> None:
        async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, max_size=None) as socket:
            await socket.recv()
            view = {"type": "view", "bbox": [0, 0, 0.001, 0.001], "zoom": 15, "selected": watched}
            await socket.send(json.dumps(view))
            async for text in socket:
                now_ms = time.time() * 1000
                devices = json.loads(text).get("devices", ())
                fresh = (one["tms"] for one in devices if "tms" in one and one["did"] in known)
                latency_s.extend((now_ms - tms) / 1000 for tms in fresh)

    known = set(watched)
    task = asyncio.create_task(listen())
    try:
        yield latency_s
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _peer(bureau: Bureau) -> float:
    """Messages that a plain consumer stores in a second, while the generator sends as fast as it can."""
    options = SessionOptions(
        client_id="peer", subscriptions=[Subscription(topic="xunlu/v1/+/d/+/up/loc")], receive_maximum=1000
    )
    stored, passed_s = 0, 0.0
    async with (
        Session(bureau.broker.account("xunlu-ingest"), options) as session,
        await psycopg.AsyncConnection.connect(bureau.database.dsn(), autocommit=True) as connection,
    ):
        await session.wait_connected()
        await connection.execute("create table peer (did text, seq bigint, at timestamptz, lat float8, lon float8)")
        sending = asyncio.create_task(_run(bureau, PEER_RATE, PEER_SECONDS))
        first = await anext(session.messages())
        session.acknowledge(first)
        began_s = time.monotonic()
        async for message in session.messages():
            fix = Location.decode(message.payload)
            did = parse_up(message.topic).did
            await connection.execute(
                "insert into peer values (%s, %s, to_timestamp(%s), %s, %s)", [did, fix.seq, fix.tst, fix.lat, fix.lon]
            )
            session.acknowledge(message)
            stored += 1
            if (passed_s := time.monotonic() - began_s) > PEER_SECONDS / 2:
                break
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return stored / passed_s
