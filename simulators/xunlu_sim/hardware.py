"""Fake hardware under the real agent: it behaves like a recorder, and it can be pressed and broken by a script."""

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal

from xunlu_edge.hardware import Charge, Hardware, LampName, Reception, Signal, Space
from xunlu_edge.media.sources import GeneratedSound, GeneratedVideo
from xunlu_kit.clock import Clock
from xunlu_protocol.status import Lamps
from xunlu_sim import nmea
from xunlu_sim.sky import Sky
from xunlu_sim.way import Way

STORAGE_BYTES = 64_000_000_000
RECORDING_BYTES_PER_S = 500_000
BATTERY_HOURS = 11.0
PRESSED_MAX = 100
HEARD_MAX = 250
SOUND_BYTES_PER_S = 96_000


class Receiver:
    """A GNSS receiver that says at its rate where the way is, as the sky lets it; way and sky move by one step each."""

    def __init__(self, way: Way, sky: Sky, clock: Clock, *, period_s: float = 1.0) -> None:
        self._period_ms = round(period_s * 1000)
        self._way = way
        self._sky = sky
        self._clock = clock
        self._next_s = self._after(clock.time_ms())

    def _after(self, utc_ms: int) -> float:
        """When the next epoch is due: they lie on whole periods of UTC, as receivers keep them."""
        return self._clock.monotonic_s() + (self._period_ms - utc_ms % self._period_ms) / 1000

    async def read(self) -> bytes:
        """The sentences of the next step."""
        await self._clock.sleep(max(0.0, self._next_s - self._clock.monotonic_s()))
        # Whoever wakes a moment early means the epoch that is due; a loop that was held up does not catch up.
        awake_ms = self._clock.time_ms() + self._period_ms // 10
        self._next_s = self._after(awake_ms) + self._period_ms // 10 / 1000
        place, reception = self._way.second(), self._sky.second()
        if reception is not None:
            place = place.moved(reception.east_m, reception.north_m)
        return nmea.epoch(awake_ms // self._period_ms * self._period_ms, place, reception)

    def close(self) -> None:
        """There is nothing to let go of."""


class Battery:
    """A battery that empties over a long shift and is changed when it is empty."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._full_s = clock.monotonic_s() - rng.uniform(0, 0.6) * BATTERY_HOURS * 3600

    def read(self) -> Charge:
        """Charge now."""
        used = (self._clock.monotonic_s() - self._full_s) / (BATTERY_HOURS * 3600)
        if used >= 0.97:
            self._full_s = self._clock.monotonic_s()
        return Charge(percent=round(100 * (1 - min(used, 0.97)), 1), state=1)


class VideoRecorder:
    """Counts what a camera would write."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._used_bytes = rng.uniform(0.05, 0.5) * STORAGE_BYTES
        self._recording: str | None = None
        self._began_s = 0.0

    @property
    def recording(self) -> str | None:
        """Id of the running recording."""
        return self._recording

    @property
    def left_s(self) -> int:
        """How long the storage lasts."""
        return int(self.read().free_bytes / RECORDING_BYTES_PER_S)

    async def start(self, category: str | None) -> str:
        """Begin; a second start goes on with the first."""
        del category
        if self._recording is None:
            self._recording = f"R{self._clock.time_ms()}-{secrets.token_hex(2)}"
            self._began_s = self._clock.monotonic_s()
        return self._recording

    async def stop(self) -> str:
        """End."""
        ended, self._recording = self._recording or "none", None
        self._used_bytes += (self._clock.monotonic_s() - self._began_s) * RECORDING_BYTES_PER_S
        return ended

    def read(self) -> Space:
        """Evidence storage."""
        running_s = self._clock.monotonic_s() - self._began_s if self._recording else 0.0
        used = self._used_bytes + running_s * RECORDING_BYTES_PER_S
        return Space(free_bytes=max(0, int(STORAGE_BYTES - used)), total_bytes=STORAGE_BYTES)


class Cell:
    """A modem whose signal wanders."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._dbm = rng.uniform(-100, -75)

    def read(self) -> Reception:
        """Reception now."""
        self._dbm = min(-60.0, max(-118.0, self._dbm + self._rng.gauss(0, 2)))
        return Reception(signal_dbm=round(self._dbm), network="4G")


class Thermometer:
    """A case that is worn on the chest."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def read(self) -> float:
        """Degrees Celsius."""
        return round(self._rng.gauss(33, 0.5), 1)


class Keys:
    """Keys that a script presses.

    Attributes:
        unheard: pressed while nobody had listened for long.
    """

    def __init__(self) -> None:
        self.unheard = 0
        self._pressed: asyncio.Queue[Signal] = asyncio.Queue(PRESSED_MAX)

    def press(self, signal: Signal) -> None:
        """Press one."""
        try:
            self._pressed.put_nowait(signal)
        except asyncio.QueueFull:
            self.unheard += 1

    async def signals(self) -> AsyncIterator[Signal]:
        """What was pressed."""
        while True:
            yield await self._pressed.get()


class Loudspeaker:
    """Sounds as slowly as a loudspeaker, into nothing.

    Attributes:
        heard: the last pieces, PCM of 16 bits at 48 kHz, mono, with the monotonic second of each.
        count: of all pieces.
    """

    def __init__(self) -> None:
        self.heard: deque[tuple[float, bytes]] = deque(maxlen=HEARD_MAX)
        self.count = 0

    def open(self) -> "Loudspeaker":
        """Switch it on."""
        return self

    def write(self, pcm: bytes, /) -> None:
        """Sound a piece; it takes its time, as in a device."""
        self.heard.append((time.monotonic(), pcm))
        self.count += 1
        time.sleep(len(pcm) / SOUND_BYTES_PER_S)

    def close(self) -> None:
        """There is nothing to let go of."""


class WatchedSign:
    """A sign on the recorder's screen.

    Attributes:
        on: whether somebody watches.
    """

    def __init__(self) -> None:
        self.on = False

    def show(self, *, on: bool) -> None:
        """Light it, or put it out."""
        self.on = on


class Speaker:
    """Speaks as long as a voice would.

    Attributes:
        said: the last things it said.
    """

    def __init__(self, clock: Clock) -> None:
        self.said: deque[str] = deque(maxlen=PRESSED_MAX)
        self._clock = clock

    async def say(self, text: str, language: Literal["zh", "en"]) -> None:
        """About four characters a second in Chinese, fifteen in English."""
        self.said.append(text)
        await self._clock.sleep(0.5 + len(text) / (4 if language == "zh" else 15))


class LampSwitch:
    """Lights and voice."""

    names: frozenset[LampName] = frozenset({"white", "laser", "ir", "voice"})

    def __init__(self) -> None:
        self._on: dict[LampName, bool] = {"white": False, "laser": False, "ir": False, "voice": True}

    def read(self) -> Lamps:
        """What is on."""
        return Lamps.model_validate(self._on)

    async def switch(self, lamp: LampName, *, on: bool) -> None:
        """Switch one."""
        self._on[lamp] = on


class Lock:
    """The lock of the keys."""

    def __init__(self) -> None:
        self.locked = False

    async def lock(self) -> None:
        """Lock."""
        self.locked = True

    async def unlock(self) -> None:
        """Unlock."""
        self.locked = False


class System:
    """The machine: it can be told to restart, and says when it was."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self.can_reboot = True

    def uptime_s(self) -> int:
        """Seconds since it started."""
        return int(self._clock.monotonic_s() - self._began_s)

    async def reboot(self) -> None:
        """The agent stops by itself; whoever runs it starts it again."""


class Kit:
    """One recorder's hardware, with what a script needs to play on it.

    Attributes:
        sky: to block the reception.
        keys: to press.
        recorder: whether it records.
        speaker: what it said.
        loudspeaker: what it heard on the radio net.
        watched: whether the officer sees that somebody watches.
        hardware: for the agent.
    """

    def __init__(
        self, way: Way, clock: Clock, rng: random.Random, sky: Sky, *, name: str = "SIM", period_s: float = 1.0
    ) -> None:
        self.sky = sky
        self.keys = Keys()
        self.recorder = VideoRecorder(clock, rng)
        self.speaker = Speaker(clock)
        self.loudspeaker = Loudspeaker()
        self.watched = WatchedSign()
        self.hardware = Hardware(
            gnss=Receiver(way, sky, clock, period_s=period_s),
            battery=Battery(clock, rng),
            storage=self.recorder,
            cell=Cell(rng),
            thermometer=Thermometer(rng),
            keys=self.keys,
            recorder=self.recorder,
            video=GeneratedVideo(name=name, utc_ms=clock.time_ms),
            microphone=GeneratedSound(),
            loudspeaker=self.loudspeaker,
            watched=self.watched,
            speaker=self.speaker,
            lamps=LampSwitch(),
            lock=Lock(),
            system=System(clock),
        )
