"""A recorder on the bench: a clock set by hand, a receiver that says what it is told, a broker that remembers."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from xunlu_edge.database import open_database
from xunlu_edge.gnss.sentences import checksum
from xunlu_edge.hardware import Charge, Hardware, Signal, Space
from xunlu_kit.errors import TransportError
from xunlu_protocol.topics import Channel

START_MS = 1_790_000_000_000


def bench_database(folder: Path) -> sqlite3.Connection:
    """A database that does not wait for the disk: on the bench the power is cut by rolling back."""
    database = open_database(folder)
    database.execute("pragma synchronous = off")
    return database


async def settle() -> None:
    """Let every task do what it can do without waiting."""
    for _ in range(200):
        await asyncio.sleep(0)


class HandClock:
    """Time stands still until somebody moves it."""

    def __init__(self) -> None:
        self.wall_ms = START_MS
        self.steady_s = 100.0

    def time_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.steady_s

    async def sleep(self, seconds: float) -> None:
        self.pass_s(seconds)
        await asyncio.sleep(0)

    def pass_s(self, seconds: float) -> None:
        self.steady_s += seconds
        self.wall_ms += round(seconds * 1000)


def sentence(body: str) -> bytes:
    return b"$%s*%02X\r\n" % (body.encode(), checksum(body.encode()))


def degrees(value: float, width: int) -> str:
    whole = int(value)
    return f"{whole:0{width}d}{(value - whole) * 60:08.5f}"


def epoch_bytes(
    utc_ms: int, lat: float = 31.23, lon: float = 121.47, *, quality: int = 1, knots: float = 2.0, course: float = 90.0
) -> bytes:
    """RMC, GGA and two GSA as a combined receiver in Shanghai says them."""
    at = datetime.fromtimestamp(utc_ms / 1000, UTC)
    hms = at.strftime("%H%M%S") + f".{at.microsecond // 10_000:02d}"
    place = f"{degrees(lat, 2)},N,{degrees(lon, 3)},E"
    status = "A" if quality else "V"
    return (
        sentence(f"GNRMC,{hms},{status},{place},{knots:.2f},{course:.1f},{at:%d%m%y},,,A,V")
        + sentence(f"GNGGA,{hms},{place},{quality},12,0.8,10.1,M,8.0,M,,")
        + sentence("GNGSA,A,3,05,09,12,25,,,,,,,,,1.5,0.8,1.2,1")
        + sentence("GNGSA,A,3,01,02,19,,,,,,,,,,1.5,0.8,1.2,4")
    )


class Receiver:
    """A receiver that says what is put into it."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes:
        return await self.said.get()

    def close(self) -> None:
        """Nothing is held."""


class Battery:
    def __init__(self) -> None:
        self.charge = Charge(percent=80, state=1)

    def read(self) -> Charge:
        return self.charge


class Card:
    def __init__(self) -> None:
        self.space = Space(free_bytes=20_000_000_000, total_bytes=64_000_000_000)

    def read(self) -> Space:
        return self.space


class Keyboard:
    def __init__(self) -> None:
        self.pressed: asyncio.Queue[Signal] = asyncio.Queue()

    async def signals(self) -> AsyncIterator[Signal]:
        while True:
            yield await self.pressed.get()


class VideoRecorder:
    """Counts recordings in place of making them."""

    def __init__(self) -> None:
        self.recording: str | None = None
        self.left_s: int | None = 36_000
        self.count = 0
        self.categories: list[str | None] = []

    async def start(self, category: str | None) -> str:
        self.categories.append(category)
        self.count += 1
        self.recording = f"R{self.count}"
        return self.recording

    async def stop(self) -> str:
        assert self.recording is not None
        ended, self.recording = self.recording, None
        return ended


class Machine:
    def __init__(self) -> None:
        self.reboots = 0
        self.can_reboot = True

    def uptime_s(self) -> int | None:
        return 42

    async def reboot(self) -> None:
        self.reboots += 1


def bench_hardware() -> Hardware:
    return Hardware(
        gnss=Receiver(),
        battery=Battery(),
        storage=Card(),
        keys=Keyboard(),
        recorder=VideoRecorder(),
        system=Machine(),
    )


@dataclass
class Mailbox:
    """A publisher that remembers, and can be out of reach."""

    reachable: bool = True
    sent: list[tuple[Channel, str, bytes]] = field(default_factory=list)
    retained: dict[Channel, bytes] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(
        self, channel: Channel, payload: bytes, tail: str = "", *, qos: int = 1, retain: bool = False
    ) -> None:
        del qos
        await asyncio.sleep(0)
        if not self.reachable:
            raise TransportError("out of reach")
        self.sent.append((channel, tail, payload))
        if retain:
            self.retained[channel] = payload
        self.arrived.set()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                self.arrived.clear()
                await self.arrived.wait()
