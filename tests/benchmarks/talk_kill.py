"""A killed talk server: how long until the officer who was talking has the floor again.

Everything that waits is in it: the supervisor's back-off, the start of Python, the recorders' back-off, their new
session of media, and the request.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.benchmarks.registry import Bench, benchmark
from tests.benchmarks.talk import services_of_talk
from tests.services import TestBroker
from tests.talk import sign, talk_environment, talk_settings, until
from tests.unit.xunlu_edge.rig import bench_hardware
from xunlu_deploy.health import http_ready
from xunlu_deploy.process import Process
from xunlu_deploy.supervisor import Supervisor
from xunlu_edge.hardware import Hardware
from xunlu_edge.media.sources import GeneratedSound
from xunlu_edge.settings import AgentSettings
from xunlu_edge.talk.participant import Participant
from xunlu_protocol.talk import TalkInvitation
from xunlu_sim.hardware import Loudspeaker

KILLS = 10
HOST = "127.0.0.1"


@benchmark("talk_kill", unit="s", limit_s=180)
async def talk_kill(bench: Bench) -> None:
    """SIGKILL under a held key, with the product's own supervisor and recorders."""
    async with services_of_talk(bench.folder) as broker:
        # Each time the first kill: how a supervisor waits after several is another question.
        back = [await _killed_once(broker, bench.folder, random.Random(number)) for number in range(KILLS)]
    note = "from the kill to the new grant, under the supervisor, with two recorders; back-offs by chance"
    bench.result("floor_back", back, value=max(back), budget="≤ 2 s", note=f"the slowest; {note}")
    bench.result("floor_back_median", back, note=note)


async def _killed_once(broker: TestBroker, folder: Path, rng: random.Random) -> float:
    settings = talk_settings(broker, folder)
    process = Process(
        name="ptt",
        argv=[sys.executable, "-m", "xunlu_streaming", "ptt"],
        environment=talk_environment(settings),
        ready=http_ready(HOST, settings["talk_port"]),
    )
    async with Supervisor(folder / "logs", rng=rng) as supervisor:
        await supervisor.start(process)
        async with (
            _recorder(broker, settings["talk_port"], "a") as talker,
            _recorder(broker, settings["talk_port"], "b"),
        ):
            talker.press(0)
            await until(lambda: talker.key.is_talking)
            pid = supervisor.keeper("ptt").pid
            assert pid is not None
            began_s = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            await until(lambda: not talker.key.is_talking)
            await until(lambda: talker.key.is_talking)
            return time.monotonic() - began_s


@contextlib.asynccontextmanager
async def _recorder(broker: TestBroker, port: int, who: str) -> AsyncIterator[Participant]:
    """A recorder on the net, without the rest of its agent."""
    token = sign((broker.secrets / "media-key").read_text("utf-8"), who)
    invitation = TalkInvitation(url=f"ws://{HOST}:{port}/ptt", token=token, main="g")
    hardware = Hardware(gnss=bench_hardware().gnss, microphone=GeneratedSound(), loudspeaker=Loudspeaker())
    participant = Participant(invitation, hardware, AgentSettings())
    task = asyncio.create_task(participant.run())
    try:
        await until(lambda: participant.is_joined)
        yield participant
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
