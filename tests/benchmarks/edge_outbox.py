"""How fast a recorder puts fixes on its disk, each one durable before the next, against SQLite by itself."""

import asyncio
import contextlib
import itertools
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.registry import Bench, benchmark
from xunlu_edge.database import open_database
from xunlu_edge.outbox import Outbox
from xunlu_kit.clock import SystemClock
from xunlu_sim.bulk import crowd

RUNS = 5
RUN_S = 3.0


@benchmark("edge_outbox", unit="fixes/s")
async def edge_outbox(bench: Bench) -> None:
    """Appends a second; ours and the peer take turns, so that a busy disk meets both."""
    with (
        contextlib.closing(open_database(bench.folder / "ours")) as ours,
        contextlib.closing(_plain_database(bench.folder / "plain.db")) as plain,
    ):
        outbox = Outbox(ours, SystemClock(), bytes_max=1 << 32)
        [device] = crowd(["REC-1"])
        payload = device.next_fix(0).encode()
        numbers = itertools.count()

        def append() -> None:
            outbox.append("loc", device.next_fix(time.time_ns() // 1_000_000))

        def insert() -> None:
            with plain:
                plain.execute("insert into entry values (?, ?)", (next(numbers), payload))

        rates = [(await _rate(append), await _rate(insert)) for _ in range(RUNS)]
    own, peer = zip(*rates, strict=True)
    bench.result(
        "", own, peer="SQLite insert + commit of the same bytes", peer_value=sorted(peer)[RUNS // 2],
        note=f"WAL, synchronous=FULL on both sides; {RUN_S:g} s a run; ours also numbers and encodes the fix and keeps "
        "an index",
    )  # fmt: skip


def _plain_database(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level="IMMEDIATE")
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = full")
    database.execute("create table entry (number integer primary key, payload blob not null)")
    return database


async def _rate(step: Callable[[], None]) -> float:
    """Steps a second over `RUN_S`; yields to the loop now and then, so that it can be interrupted."""
    began_s = time.perf_counter()
    steps = 0
    while (passed_s := time.perf_counter() - began_s) < RUN_S:
        for _ in range(50):
            step()
        steps += 50
        await asyncio.sleep(0)
    return steps / passed_s
