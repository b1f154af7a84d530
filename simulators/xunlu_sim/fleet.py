"""A fleet on patrol: real agents in one process, and a script that presses their keys and sets their clocks."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xunlu_edge.agent import Agent
from xunlu_edge.settings import AgentSettings
from xunlu_kit.clock import Clock, SystemClock
from xunlu_sim.clock import DriftingClock
from xunlu_sim.hardware import Kit
from xunlu_sim.sky import BREAKS_PER_HOUR, Sky
from xunlu_sim.way import Way

log = logging.getLogger(__name__)

START_SPREAD_S = 5.0
RESTART_S = 3.0
# The real tracks hold hours at desks; an officer on the beat goes under a bridge or into a shop.
LONGEST_BREAK_S = 150.0
FIRST_SOS_S = (60.0, 100.0)
SOS_EVERY_S = (600.0, 1200.0)
SOS_LASTS_S = (40.0, 120.0)
RECORD_EVERY_S = (60.0, 600.0)
RECORD_CHANCE = 0.4
RECORD_LASTS_S = (60.0, 400.0)
TALK_EVERY_S = (300.0, 1800.0)
TALK_LASTS_S = (2.0, 8.0)
DRIFT_PPM = 40.0
WRONG_CLOCK_CHANCE = 0.15
WRONG_CLOCK_S = 90.0
CLOCK_SET_AFTER_S = (60.0, 240.0)

WayOf = Callable[[int, random.Random], Way]


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetOptions:
    """What a fleet is told.

    Attributes:
        recorders: how many.
        broker_host, broker_port, ca_file: the public listener.
        claim_file: password of the claim account.
        state: a folder for each recorder below it.
        seed: of everything that is left to chance.
        calm: no broken reception, no keys, no recordings: for measurements.
    """

    recorders: int
    broker_host: str
    broker_port: int
    ca_file: Path | None
    claim_file: Path
    state: Path
    seed: int = 1
    calm: bool = False


class SimulatedRecorder:
    """One recorder: its agent is started again when it ends, as the machine's supervisor would do.

    Attributes:
        serial: of the manufacturer.
        clock: the agent's wall clock, right or wrong.
        kit: its hardware, for a script to play on.
    """

    def __init__(self, number: int, options: FleetOptions, way: Way) -> None:
        self.serial = f"SIM{number:04d}"
        self._options = options
        self._keys = self._chance("keys")
        self.clocks = self._chance("clock")
        true = SystemClock()
        self.clock = DriftingClock(true) if options.calm else _wrong_clock(true, self.clocks)
        breaks_per_hour = 0.0 if options.calm else BREAKS_PER_HOUR
        sky = Sky(self._chance("sky"), breaks_per_hour=breaks_per_hour, longest_break_s=LONGEST_BREAK_S)
        # The hardware lives in true time: above all, the receiver's UTC is that of the satellites.
        self.kit = Kit(way, true, self._chance("hardware"), sky, name=self.serial)

    def _chance(self, what: str) -> random.Random:
        """A source for each thing: how often one is asked changes nothing for the others."""
        return random.Random(f"{self._options.seed}.{self.serial}.{what}")

    async def run(self) -> None:
        """Live, for ever."""
        await asyncio.sleep(self._chance("start").uniform(0, START_SPREAD_S))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_agent(), name=f"{self.serial}.agent")
            if not self._options.calm:
                tasks.create_task(self._record_now_and_then(), name=f"{self.serial}.recordings")
                tasks.create_task(self._talk_now_and_then(), name=f"{self.serial}.talk")
                tasks.create_task(self._set_clock(), name=f"{self.serial}.clock")

    async def _run_agent(self) -> None:
        options = self._options
        settings = AgentSettings(
            state=options.state / self.serial,
            broker_host=options.broker_host,
            broker_port=options.broker_port,
            broker_ca_file=options.ca_file,
            claim_password_file=options.claim_file,
            serial=self.serial,
            vendor="Xunlu",
            model="SIM-4G",
            firmware="simulated",
        )
        while True:
            await Agent(settings, self.kit.hardware, self.clock).run()
            await asyncio.sleep(RESTART_S)

    async def _set_clock(self) -> None:
        """The mobile network tells the time, and the wall clock jumps to it."""
        await asyncio.sleep(self.clocks.uniform(*CLOCK_SET_AFTER_S))
        self.clock.set_right()

    async def _record_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._keys.uniform(*RECORD_EVERY_S))
            if self._keys.random() < RECORD_CHANCE:
                self.kit.keys.press("record")
                await asyncio.sleep(self._keys.uniform(*RECORD_LASTS_S))
                if self.kit.recorder.recording:
                    self.kit.keys.press("record")

    async def _talk_now_and_then(self) -> None:
        chance = self._chance("talk")
        while True:
            await asyncio.sleep(chance.uniform(*TALK_EVERY_S))
            self.kit.keys.press("ptt")
            await asyncio.sleep(chance.uniform(*TALK_LASTS_S))
            self.kit.keys.press("ptt_release")


def _wrong_clock(true: Clock, chance: random.Random) -> DriftingClock:
    """All drift; some were switched on with an empty clock battery."""
    wrong_s = chance.gauss(0, WRONG_CLOCK_S) if chance.random() < WRONG_CLOCK_CHANCE else 0.0
    return DriftingClock(true, chance.gauss(0, DRIFT_PPM), round(wrong_s * 1000))


async def run_fleet(options: FleetOptions, way_of: WayOf) -> None:
    """Run recorders until cancelled.

    Args:
        options: of the fleet.
        way_of: the way of recorder n (from 1), by its own source of chance.
    """
    numbers = range(1, options.recorders + 1)
    recorders = [SimulatedRecorder(n, options, way_of(n, random.Random(f"way.{options.seed}.{n}"))) for n in numbers]
    log.info("fleet starts", extra={"recorders": len(recorders), "seed": options.seed})
    async with asyncio.TaskGroup() as tasks:
        for recorder in recorders:
            tasks.create_task(recorder.run(), name=recorder.serial)
        if not options.calm and recorders:
            tasks.create_task(_press_sos(recorders, random.Random(options.seed)), name="sos")


async def _press_sos(recorders: list[SimulatedRecorder], rng: random.Random) -> None:
    """Somebody needs help within two minutes, and again every quarter of an hour or so."""
    wait_s = rng.uniform(*FIRST_SOS_S)
    while True:
        await asyncio.sleep(wait_s)
        recorder = rng.choice(recorders)
        log.info("SOS is pressed", extra={"serial": recorder.serial})
        recorder.kit.keys.press("sos")
        await asyncio.sleep(rng.uniform(*SOS_LASTS_S))
        recorder.kit.keys.press("sos_cancel")
        wait_s = rng.uniform(*SOS_EVERY_S)
