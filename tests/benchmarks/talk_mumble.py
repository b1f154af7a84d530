"""What a listener costs, and when it hears: the talk server beside Debian's mumble-server.

Compared is what both do: one talker, the same packets of Opus, the same number of listeners by UDP, each with keys of
its own. The floor, groups, the log and the tap are ours alone, and in our figure. Mumble encrypts with OCB2-AES128,
ours with AES-256-GCM.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, Self

from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.media.mumble import MumbleClient, running_mumble
from tests.benchmarks.media.peers import HOST, running_on_core
from tests.benchmarks.registry import Bench, UnavailableError, benchmark
from tests.benchmarks.talk import SPEECH_BYTES
from tests.benchmarks.usage import cpu_s
from tests.processes import answers
from tests.services import running_services
from tests.talk import sign, talk_environment, talk_settings
from xunlu_edge.media.adapter import RTCCertificate
from xunlu_edge.media.ice import LiteWays
from xunlu_edge.media.opus import EncodedSound
from xunlu_edge.talk.ear import Ear
from xunlu_edge.talk.voice import Voice
from xunlu_kit.mqtt import Session, SessionOptions
from xunlu_protocol.talk import FloorRequest, Granted, Hello, TalkGroup, Welcome, from_server
from xunlu_protocol.topics import talk_group

LISTENERS, FEW = 100, 5
RUNS, RUN_S, DELAY_S = 3, 8.0, 10.0
PIECE_S = 0.02
SETTLE_S = 1.0
GRANT_TIMEOUT_S = 10.0
GID = "g"


class Client(Protocol):
    """A participant that counts."""

    packets: int
    arrivals_s: list[float]

    async def press(self) -> None:
        """Take the floor, where there is one."""

    def speak(self, opus: bytes, /) -> None:
        """Send 20 ms."""

    def forget(self) -> None:
        """Count from now on."""

    async def close(self) -> None:
        """Leave."""


Join = Callable[[str], Awaitable[Client]]


class Figures:
    """What was measured of one server: µs for each packet to a listener by run, and delays in milliseconds."""

    def __init__(self, costs_us: Sequence[float], delays_ms: Sequence[float], lost: int) -> None:
        self.costs_us = costs_us
        self.delays_ms = sorted(delays_ms)
        self.lost = lost


@benchmark("talk_mumble", unit="µs", limit_s=300)
async def talk_mumble(bench: Bench) -> None:
    """The same load for both, one after the other."""
    ours, theirs, name = await _ours(bench.folder), None, ""
    try:
        async with running_mumble(bench.folder / "mumble") as server:
            name = server.name

            async def join(who: str) -> Client:
                return await MumbleClient().join(server.port, who)

            theirs = await _measured(server.pid, join)
    except UnavailableError as reason:
        bench.say(f"no peer: {reason}")
    note = f"{LISTENERS} listeners, {SPEECH_BYTES} bytes every 20 ms; lost: ours {ours.lost}"
    note += f", peer {theirs.lost}" if theirs else ""
    costs = sorted(theirs.costs_us)[RUNS // 2] if theirs else None
    bench.result("per_listener_packet", ours.costs_us, peer=name, peer_value=costs, note=note)
    for part, share in (("delay_p50", 50), ("delay_p99", 99)):
        peer = theirs.delays_ms[len(theirs.delays_ms) * share // 100] if theirs else None
        value = ours.delays_ms[len(ours.delays_ms) * share // 100]
        note = f"from the talker's socket to the listeners', {FEW} listeners, all in one process"
        bench.result(part, ours.delays_ms, value=value, unit="ms", peer=name, peer_value=peer, note=note)


async def _measured(pid: int, join: Join) -> Figures:
    """Speak to a few, then to many."""
    clients = [await join(f"p{number}") for number in range(FEW + 1)]
    delays_ms = await _delays_ms(clients[0], clients[1:])
    clients += [await join(f"p{number}") for number in range(FEW + 1, LISTENERS + 1)]
    costs, lost = [], 0
    await clients[0].press()
    await _speak(clients[0], SETTLE_S)
    await asyncio.sleep(SETTLE_S / 4)
    for _ in range(RUNS):
        for one in clients:
            one.forget()
        before_s = cpu_s(pid)
        sent = await _speak(clients[0], RUN_S)
        await asyncio.sleep(SETTLE_S / 4)
        came = sum(one.packets for one in clients[1:])
        lost += len(sent) * LISTENERS - came
        costs.append((cpu_s(pid) - before_s) * 1e6 / came)
    await asyncio.gather(*(one.close() for one in clients))
    return Figures(costs, delays_ms, lost)


async def _delays_ms(talker: Client, listeners: Sequence[Client]) -> list[float]:
    """Of each packet to each listener; in order, since nothing overtakes on loopback."""
    await talker.press()
    await _speak(talker, SETTLE_S)
    await asyncio.sleep(SETTLE_S / 4)
    for one in listeners:
        one.forget()
    sent = await _speak(talker, DELAY_S)
    await asyncio.sleep(SETTLE_S / 4)
    assert all(len(one.arrivals_s) == len(sent) for one in listeners), "a packet was lost on loopback"
    return [
        (arrival_s - sent_s) * 1000 for one in listeners for sent_s, arrival_s in zip(sent, one.arrivals_s, strict=True)
    ]


async def _speak(talker: Client, seconds: float) -> list[float]:
    """At the pace of speech; returns when each packet went out."""
    sent: list[float] = []
    began_s = time.monotonic()
    for number in range(round(seconds / PIECE_S)):
        await asyncio.sleep(max(0.0, began_s + number * PIECE_S - time.monotonic()))
        sent.append(time.monotonic())
        talker.speak(secrets.token_bytes(SPEECH_BYTES))
    return sent


class OurClient(Ear):
    """A recorder's session of media that counts in place of hearing.

    Attributes:
        packets: that came.
        arrivals_s: monotonic seconds of each.
    """

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(lambda _: None)
        self.packets = 0
        self.arrivals_s: list[float] = []
        self._voice = Voice(LiteWays(), certificate, self)
        self._socket: ClientConnection
        self._granted = asyncio.Event()
        self._listening: asyncio.Task[None]

    def hear(self, sequence: int, payload: bytes) -> None:
        """A packet came."""
        del sequence, payload
        self.packets += 1
        self.arrivals_s.append(time.monotonic())

    async def join(self, url: str, token: str) -> Self:
        """Say hello and shake hands."""
        self._socket = await connect(url, compression=None, proxy=None)
        await self._socket.send(Hello(token=token, sdp=await self._voice.offer(), main=GID, scan=()).encode().decode())
        welcome = from_server(str(await self._socket.recv()).encode())
        assert isinstance(welcome, Welcome)
        await self._voice.connect(welcome.sdp)
        self._listening = asyncio.create_task(self._listen(), name="talk-control")
        return self

    async def press(self) -> None:
        """Ask for the floor until it is there."""
        self._granted.clear()
        await self._socket.send(FloorRequest(gid=GID).encode().decode())
        async with asyncio.timeout(GRANT_TIMEOUT_S):
            await self._granted.wait()

    def speak(self, opus: bytes) -> None:
        """Send 20 ms."""
        self._voice.say(EncodedSound(data=opus, captured_s=time.monotonic()), first=False)

    def forget(self) -> None:
        """Count from now on."""
        self.packets = 0
        self.arrivals_s.clear()

    async def close(self) -> None:
        """Leave."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._voice.close()
        await self._socket.close()

    async def _listen(self) -> None:
        async for text in self._socket:
            if isinstance(from_server(str(text).encode()), Granted):
                self._granted.set()


async def _ours(folder: Path) -> Figures:
    async with running_services(folder, durable=False) as services:
        broker = services.test_broker
        settings = talk_settings(broker, folder, talk_longest_s=3600)
        key = (broker.secrets / "media-key").read_text("utf-8")
        certificate = RTCCertificate.generateCertificate()
        async with Session(broker.account("xunlu-api"), SessionOptions(client_id=secrets.token_hex(8))) as session:
            await session.wait_connected()
            members = tuple(f"p{number}" for number in range(LISTENERS + 1))
            group = TalkGroup(gid=GID, name=GID, kind="squad", path="/1/", members=members)
            await session.publish(talk_group("main", GID), group.encode(), retain=True)
        environment = dict(os.environ) | talk_environment(settings)
        async with running_on_core(sys.executable, "-m", "xunlu_streaming", "ptt", environment=environment) as process:
            await answers(f"http://{HOST}:{settings['talk_port']}/readyz", process)

            async def join(who: str) -> Client:
                url = f"ws://{HOST}:{settings['talk_port']}/ptt"
                return await OurClient(certificate).join(url, sign(key, who))

            return await _measured(process.pid, join)
