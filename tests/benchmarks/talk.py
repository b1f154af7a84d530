"""Push-to-talk: from the request to the grant, the cost of a listener, and what people at real ends hear and when."""

import asyncio
import contextlib
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

from pylibsrtp import Policy, Session

from tests.benchmarks.registry import Bench, benchmark
from tests.services import TestBroker, running_services
from tests.talk import Participant as End
from tests.talk import running_talk, until
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_kit.mqtt import SessionOptions
from xunlu_protocol.talk import FloorRelease, FloorRequest, Granted, Idle, Taken, TalkClaims, TalkGroup, from_client
from xunlu_protocol.topics import talk_group
from xunlu_streaming.adapter import new_certificate
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.peer import Peer
from xunlu_streaming.peers import Peers
from xunlu_streaming.talk.calls import Outlets
from xunlu_streaming.talk.floor_log import FloorLog
from xunlu_streaming.talk.floor_states import FloorStates
from xunlu_streaming.talk.net import Limits, RadioNet
from xunlu_streaming.talk.participant import Participant
from xunlu_streaming.talk.spool import Spool
from xunlu_streaming.talk.tap import BurstTap
from xunlu_streaming.talk.voice import Downlink, Sound, VoiceStage
from xunlu_streaming.tap_messages import TapBurst

GROUPS, MEMBERS = 200, 20
OPERATIONS, RATE_PER_S = 1000, 100
LISTENERS, PACKETS = 200, 500
SPEECH_BYTES = 80
"""20 ms of Opus at 32 kbit/s."""
TRIES = 20
HOST = "127.0.0.1"


@benchmark("talk_floor", unit="ms", limit_s=120)
async def talk_floor(bench: Bench) -> None:
    """Requests and releases as messages of the WebSocket, at the net itself."""
    async with _net(bench.folder) as (net, people):
        timers = asyncio.create_task(net.run())
        chance, taken = random.Random(4), []
        began_s = time.monotonic()
        for number in range(OPERATIONS):
            gid = f"g{chance.randrange(GROUPS)}"
            who = people[gid][chance.randrange(MEMBERS)]
            message = FloorRequest(gid=gid, wait=False).encode()
            release = FloorRelease(gid=gid).encode()
            await asyncio.sleep(max(0.0, began_s + number / RATE_PER_S - time.monotonic()))
            at_s = time.perf_counter()
            request = from_client(message)
            assert isinstance(request, FloorRequest)
            net.calls.request(net.groups[request.gid], who, request.urgency, may_wait=request.wait)
            taken.append((time.perf_counter() - at_s) * 1000)
            from_client(release)
            net.calls.release(net.groups[gid], who)
            for one in people[gid]:
                await one.outbox.take()
        timers.cancel()
        taken.sort()
        note = f"{GROUPS} groups of {MEMBERS}, {RATE_PER_S} requests a second, each with its release"
        bench.result("grant_p99", taken, value=taken[len(taken) * 99 // 100], budget="≤ 10 ms", note=note)
        bench.result("grant_p50", taken, note=note)


@contextlib.asynccontextmanager
async def _net(folder: Path) -> AsyncIterator[tuple[RadioNet, dict[str, list[Participant]]]]:
    """The net with everybody in their groups; their sessions of media are never opened."""
    certificate = new_certificate()
    limits = Limits(participants_max=GROUPS * MEMBERS + 1)
    with Spool(folder / "log.db") as spool:
        floor_log = FloorLog(10_000, spool)
        async with UdpMux(0, (HOST,)) as mux, asyncio.TaskGroup() as tasks, BurstTap(folder / "ptt.tap") as tap:
            outlets = Outlets(floor_log, FloorStates(), tap)
            net = RadioNet(Peers(mux, (HOST,), lite=True), tasks, limits, outlets)
            saving = tasks.create_task(floor_log.save())
            people: dict[str, list[Participant]] = {}
            for number in range(GROUPS):
                gid = f"g{number}"
                names = tuple(f"p{number}-{one}" for one in range(MEMBERS))
                net.put_group(TalkGroup(gid=gid, name=gid, kind="squad", path="/1/", members=names), 1)
                for name in names:
                    peer = Peer(mux, certificate, "server", ())
                    claims = TalkClaims(sub=name, jti="bench", name=name, iat=0, exp=1)
                    who = Participant(claims, peer, Downlink(secrets.randbits(32), 111, peer), net)
                    net.participants[name] = who
                    net.tune(who, gid, ())
                    people.setdefault(gid, []).append(who)
            yield net, people
            saving.cancel()


@benchmark("talk_fanout", unit="µs", limit_s=120)
async def talk_fanout(bench: Bench) -> None:
    """Processor time of one packet to one listener: header, AES-GCM, one datagram over loopback."""
    with contextlib.ExitStack() as stack:
        sock, sink = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
        sink.bind((HOST, 0))
        audience = [Downlink(1, 111, _Receiver(sock, sink.getsockname())) for _ in range(LISTENERS)]  # type: ignore[arg-type]
        stage, payload, costs = VoiceStage(), bytes(SPEECH_BYTES), []
        for number in range(PACKETS):
            before_s = time.process_time()
            stage.send(Sound(number, 960 * number, payload), audience, 1.0)
            costs.append((time.process_time() - before_s) * 1e6 / LISTENERS)
            await asyncio.sleep(0)
        assert not stage.failed
        note = f"{LISTENERS} listeners, {SPEECH_BYTES} bytes; a core carries 10⁶ ÷ value ÷ 50 listeners of speech"
        bench.result("per_listener_packet", costs, note=note)


class _Receiver:
    """A listener with real keys; what it is sent is not read."""

    def __init__(self, sock: socket.socket, address: tuple[str, int]) -> None:
        policy = Policy(
            key=secrets.token_bytes(44),
            ssrc_type=Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
        )
        self._session = Session(policy)
        self.send = self._session._srtp[0]
        self.tag_bytes = 16
        self.keys = self
        self.sock, self.address, self.unsent = sock, address, 0


@contextlib.asynccontextmanager
async def services_of_talk(folder: Path) -> AsyncIterator[TestBroker]:
    """A broker that knows the group `g` of a, b and c."""
    async with running_services(folder, durable=False) as services:
        broker = services.test_broker
        options = SessionOptions(client_id=secrets.token_hex(8))
        async with MqttSession(broker.account("xunlu-api"), options) as session:
            await session.wait_connected()
            group = TalkGroup(gid="g", name="g", kind="squad", path="/1/", members=("a", "b", "c"))
            await session.publish(talk_group("main", "g"), group.encode(), retain=True)
        yield broker


@benchmark("talk_ends", unit="ms", limit_s=300)
async def talk_ends(bench: Bench) -> None:
    """Stock aiortc at both ends of the real process: access, preemption, late entry, mouth to ear."""
    async with services_of_talk(bench.folder) as broker, running_talk(broker, bench.folder) as talk:
        ends = [End(talk, who, hz) for who, hz in (("a", 440), ("b", 900), ("c", 1500))]
        try:
            await asyncio.gather(*(one.join("g") for one in ends))
            async with _gate(bench.folder) as passed:
                await _measure(bench, passed, *ends)
        finally:
            await asyncio.gather(*(one.close() for one in ends))


@contextlib.asynccontextmanager
async def _gate(folder: Path) -> AsyncIterator[dict[str, float]]:
    """When the first packet of each talker's last burst passed the gate, as the tap tells it; monotonic seconds."""
    passed: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as tap:
        tap.setblocking(False)
        await loop.sock_connect(tap, str(folder / "ptt.tap"))
        await loop.sock_sendall(tap, b'{"take": "*"}')

        async def read() -> None:
            while data := await loop.sock_recv(tap, 4096):
                if data[:1] == b"B":
                    passed[TapBurst.decode(data[1:]).talker] = time.monotonic()

        reading = asyncio.create_task(read())
        try:
            yield passed
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _measure(bench: Bench, passed: dict[str, float], a: End, b: End, c: End) -> None:
    access, ear, emergency, cut_in, late = [], [], [], [], []
    for _ in range(TRIES):
        began_s = time.monotonic()
        await a.press("g")
        await a.told(Granted, gid="g")
        access.append((time.monotonic() - began_s) * 1000)
        ear.append((await _first(c, a, began_s) - began_s) * 1000)
        began_s = time.monotonic()
        await b.press("g", urgency=2)
        await c.told(Taken, gid="g", urgency=2)
        emergency.append((await _first(c, b, began_s) - began_s) * 1000)
        cut_in.append((passed["b"] - began_s) * 1000)
        await c.tune(None)
        began_s = time.monotonic()
        await c.tune("g")
        late.append((await _first(c, b, began_s) - began_s) * 1000)
        a.microphone.pressed.clear()
        await b.let_go("g")
        await c.told(Idle, gid="g")
    note = "p95; stock aiortc with its jitter buffer of four packets at both ends, in one process, over loopback"
    figures = (
        ("access", access, "< 300 ms (KPI1)"),
        ("mouth_to_ear_from_the_press", ear, "≤ 200 ms"),
        ("emergency_press_to_ear", emergency, "< 300 ms (KPI3)"),
        ("emergency_press_to_first_packet_out", cut_in, "≤ 50 ms"),
        ("late_entry_to_ear", late, "< 350 ms (KPI4)"),
    )
    for part, runs, budget in figures:
        bench.result(part, runs, value=sorted(runs)[len(runs) * 95 // 100], budget=budget, note=note)


async def _first(listener: End, talker: End, since_s: float) -> float:
    """When the talker's pitch was first heard."""

    def times() -> list[float]:
        return [at_s for at_s, hz in listener.heard if at_s >= since_s and abs(hz - talker.hz) < 60]

    await until(lambda: bool(times()), f"{talker.who} was not heard")
    return times()[0]
