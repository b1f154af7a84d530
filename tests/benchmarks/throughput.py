"""Positions stored a second, end to end, and how soon a desk sees them.

Broker over plain TCP, two workers, a database that survives a kill, the API process with a desk on its WebSocket, and
the load generator: all on this machine. Every position is one QoS 1 message in the agent's format.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
from websockets.asyncio.client import connect

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.registry import Bench, benchmark
from tests.processes import running_api
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.location import Location
from xunlu_protocol.topics import parse_up

DEVICES = int(os.environ.get("DEVICES", "5000"))
SECONDS = float(os.environ.get("SECONDS", "30"))
RATES = [float(rate) for rate in os.environ.get("RATES", "2500,5000,7500").split(",")]
WATCHED = 200
SETTLED_S = 3.0
PEER_SECONDS = 8.0
# More than anything takes here: the generator slows down to what the broker takes.
PEER_RATE = 20_000


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
