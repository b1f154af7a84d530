"""What the agent costs a recorder: memory and processor of a real process that reports to a real platform."""

import asyncio
import contextlib
import sys
import time

from tests.benchmarks.bureau import Bureau, running_bureau
from tests.benchmarks.recorders import EXPECTED, agent_environment, walking_receiver
from tests.benchmarks.registry import Bench, benchmark
from tests.benchmarks.usage import cpu_s, status_mb
from tests.processes import running, running_api

AGENTS = 3
WARM_UP_S = 5
MEASURED_S = 60
STORED = """
select d.serial, count(*) from position p join device d on d.id = p.device_id where d.model = 'agent' group by d.serial
"""
# What any MQTT client in Python has in memory before it does anything.
BARE = """
import json, sqlite3, ssl, sys, paho.mqtt.client
ssl.create_default_context()
print(flush=True)
sys.stdin.read()
"""


@benchmark("agent_memory", unit="MB")
async def agent_memory(bench: Bench) -> None:
    """RSS after a minute of walking, and the share of one core over that minute."""
    serials = [f"AGENT-{number}" for number in range(1, AGENTS + 1)]
    async with contextlib.AsyncExitStack() as stack:
        bureau = await stack.enter_async_context(running_bureau(bench.folder, devices=1))
        async with await bureau.connect() as connection:
            for serial in serials:
                await connection.execute(EXPECTED, [serial])
        await stack.enter_async_context(bureau.ingesting())
        await stack.enter_async_context(running_api(bureau.database, bureau.broker))
        port = await stack.enter_async_context(walking_receiver())
        agents = [
            await stack.enter_async_context(
                running("xunlu_edge", environment=agent_environment(bureau, bench.folder / serial, serial, port))
            )
            for serial in serials
        ]
        bench.say(f"{AGENTS} agents report for {MEASURED_S + WARM_UP_S} s")
        await asyncio.sleep(WARM_UP_S)
        began_s, used_s = time.monotonic(), [cpu_s(agent.pid) for agent in agents]
        await asyncio.sleep(MEASURED_S)
        passed_s = time.monotonic() - began_s
        stored = await _stored(bureau)
        assert set(stored) == set(serials), "an agent reported nothing"
        note = f"GNSS at 1 Hz, TLS, {sum(stored.values())} positions of {AGENTS} agents stored"
        shares = [(cpu_s(agent.pid) - before) / passed_s * 100 for agent, before in zip(agents, used_s, strict=True)]
        rss = [status_mb(agent.pid, "VmRSS") for agent in agents]
        bench.result(
            "rss", rss, budget="< 60 MB", peer="Python with paho, ssl, sqlite3", peer_value=await _bare_mb(), note=note
        )
        peaks = [status_mb(agent.pid, "VmHWM") for agent in agents]
        bench.result("rss_peak", peaks, budget="< 60 MB", note=note)
        bench.result("cpu", shares, unit="% of a core", budget="< 3 %", note=note)


async def _stored(bureau: Bureau) -> dict[str, int]:
    async with await bureau.connect() as connection:
        return dict(await (await connection.execute(STORED)).fetchall())


async def _bare_mb() -> float:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", BARE, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    try:
        await asyncio.wait_for(process.stdout.readline(), 30)
        return status_mb(process.pid, "VmRSS")
    finally:
        await process.communicate(b"")
