"""`python -m tests.system.agents …`: real agents in a process that a test may kill, with a copy of all that they hold.

Each outbox gets a trigger that copies every entry, in the transaction that keeps it, into the table `kept`: what a
device ever held, whatever it has let go of since. SIGUSR1 silences the receivers, so that the outboxes can run empty.
"""

import argparse
import asyncio
import contextlib
import math
import random
import signal
from dataclasses import replace
from pathlib import Path

from xunlu_edge.agent import Agent
from xunlu_edge.database import open_database
from xunlu_edge.hardware import Gnss
from xunlu_edge.settings import AgentSettings
from xunlu_kit.clock import SystemClock
from xunlu_kit.logs import configure_logs
from xunlu_sim.hardware import Kit
from xunlu_sim.sky import Sky
from xunlu_sim.way import Place

KEEP = """
create table if not exists kept (sid integer, seq integer, kind text, payload blob, primary key (sid, seq));
create trigger if not exists keep after insert on entry begin
  insert into kept values (new.sid, new.seq, new.kind, new.payload);
end;
"""


class Circle:
    """A walk in a circle of 200 m, each by a phase of its own."""

    def __init__(self, phase: float) -> None:
        self._angle = phase

    def second(self) -> Place:
        self._angle += 0.01
        centre = Place(31.23, 121.48, 5.0, math.degrees(-self._angle) % 360)
        return centre.moved(200 * math.cos(self._angle), 200 * math.sin(self._angle))


class QuietReceiver:
    """A receiver that can be silenced."""

    def __init__(self, inner: Gnss, silence: asyncio.Event) -> None:
        self._inner = inner
        self._silence = silence

    async def read(self) -> bytes:
        if self._silence.is_set():
            await asyncio.Event().wait()
        return await self._inner.read()

    def close(self) -> None:
        self._inner.close()


async def run(arguments: argparse.Namespace) -> None:
    silence = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGUSR1, silence.set)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as tasks:
            for number, folder in enumerate(sorted(arguments.folder.iterdir())):
                tasks.create_task(run_agent(folder, number, arguments, silence), name=folder.name)
            await asyncio.sleep(0)
            arguments.ready.touch()


async def run_agent(folder: Path, number: int, arguments: argparse.Namespace, silence: asyncio.Event) -> None:
    with contextlib.closing(open_database(folder)) as database:
        database.executescript(KEEP)
    rng = random.Random(number)
    clock = SystemClock()
    sky = Sky(rng, breaks_per_hour=0)
    kit = Kit(Circle(rng.uniform(0, math.tau)), clock, rng, sky, period_s=arguments.period_s)
    hardware = replace(kit.hardware, gnss=QuietReceiver(kit.hardware.gnss, silence))
    settings = AgentSettings(
        state=folder,
        broker_host="127.0.0.1",
        broker_port=arguments.port,
        broker_ca_file=arguments.ca,
        serial=folder.name,
        resend_after_s=3,
        retry_cap_s=1,
        keepalive_s=5,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Agent(settings, hardware, clock).run())
        tasks.create_task(press_marks(kit, rng, silence))


async def press_marks(kit: Kit, rng: random.Random, silence: asyncio.Event) -> None:
    while not silence.is_set():
        await asyncio.sleep(rng.uniform(1, 4))
        if not silence.is_set():
            kit.keys.press("mark")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", type=Path, required=True)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--period-s", type=float, default=0.2)
    configure_logs("text", "WARNING")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
