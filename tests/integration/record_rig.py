"""The recorder process as it runs, between a broker and a socket that speaks as a relay worker does."""

import asyncio
import contextlib
import json
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import av
import httpx2

from tests.processes import answers, running
from tests.rtp_media import FPS, SOUNDS_PER_S, VideoCodec, audio_stream, pictures, sounds, video_stream
from tests.services import TestBroker, free_ports
from xunlu_kit.mqtt import Message, Session, SessionOptions, Subscription
from xunlu_protocol.media import MediaAck, RecordingOrder, RecordingReport
from xunlu_protocol.topics import media_ack, media_order, media_recording, talk_burst
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.tap_messages import PACKET, REPORT, TALK_TRACK

TIMEOUT_S = 20.0
VIDEO, AUDIO = 0, 1
NTP_EPOCH_S = 2_208_988_800


async def until(condition: Callable[[], object], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until something is true that tells nobody."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  a file has no event to wait for
            await asyncio.sleep(0.02)


class Relay:
    """One worker's end of the tap: what the recorder process says to it is kept, what it shall hear is sent."""

    def __init__(self, file: Path) -> None:
        self.said: list[dict[str, str]] = []
        self._file = file
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._peer: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        # asyncio lets one task at a time wait for room in a socket.
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._file.parent.mkdir(exist_ok=True)
        self._file.unlink(missing_ok=True)
        self._listener.bind(str(self._file))
        self._listener.listen()
        self._listener.setblocking(False)
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._listener.close()
        self._file.unlink(missing_ok=True)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            peer, _ = await loop.sock_accept(self._listener)
            with peer:
                peer.setblocking(False)
                self._peer = peer
                while data := await loop.sock_recv(peer, 4096):
                    self.said.append(json.loads(data))
                self._peer = None

    async def heard(self, verb: str, did: str) -> None:
        """Wait until the recorder process has said this."""
        await until(lambda: {verb: did} in self.said)

    async def send(self, data: bytes) -> None:
        assert self._peer is not None, "nobody is connected"
        async with self._turn:
            await asyncio.get_running_loop().sock_sendall(self._peer, data)


@dataclass(slots=True)
class Show:
    """A publication that the test makes up; its time passes as fast as it is sent.

    Attributes:
        relay: that carries it.
        did: its path.
        number: of the publication.
        codec: of its pictures.
        group: pictures from keyframe to keyframe.
        width: of its pictures.
        bitrate_bps: of its pictures, about.
        late_s: how much later than the picture its sound arrives.
        reports: whether the publisher says how its tracks lie to each other.
        length_s: of all that it can send.
        at: pictures sent so far.
        began_us: UTC microseconds of the first.
    """

    relay: Relay
    did: str
    number: int = 1
    codec: VideoCodec = "H264"
    group: int = FPS
    width: int = 192
    bitrate_bps: int = 800_000
    late_s: float = 0.0
    reports: bool = False
    length_s: int = 6
    at: int = 0
    began_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    video: Any = field(default_factory=video_stream)
    audio: Any = field(default_factory=audio_stream)

    async def begin(self) -> None:
        tracks = [
            {"track": VIDEO, "kind": "video", "codec": self.codec, "clock_hz": 90_000, "fmtp": "", "pt": 96},
            {"track": AUDIO, "kind": "audio", "codec": "opus", "clock_hz": 48_000, "fmtp": "", "pt": 111},
        ]
        told = {"did": self.did, "path": self.number, "began_ms": self.began_us // 1000, "tracks": tracks}
        await self.relay.send(b"P" + json.dumps(told).encode())

    async def play(self, seconds: float, lost: Sequence[int] = ()) -> None:
        """Send pictures and the sound that belongs to them, from the start again at the end of what there is.

        Of the pictures in `lost` nothing arrives.
        """
        count, height = self.length_s * FPS, self.width * 9 // 16 & ~1
        shown = pictures(
            self.codec, count, group=self.group, width=self.width, height=height, bitrate_bps=self.bitrate_bps
        )
        heard = sounds(self.length_s * SOUNDS_PER_S)
        for at in range(self.at, self.at + round(seconds * FPS)):
            if self.reports and at % FPS == 0:
                await self._report(at / FPS)
            for packet in self.video.packets(shown[at % count].payloads, at / FPS):
                if at not in lost:
                    await self._send(VIDEO, at / FPS, packet)
            for place in range(at * SOUNDS_PER_S // FPS, (at + 1) * SOUNDS_PER_S // FPS):
                [packet] = self.audio.packets([heard[place % len(heard)]], place / SOUNDS_PER_S)
                await self._send(AUDIO, place / SOUNDS_PER_S + self.late_s, packet)
        self.at += round(seconds * FPS)

    async def _send(self, track: int, arrives_s: float, packet: bytes) -> None:
        arrival_us = self.began_us + round(arrives_s * 1_000_000)
        await self.relay.send(PACKET.pack(b"R", self.number, track, arrival_us) + packet)

    async def _report(self, at_s: float) -> None:
        # The publisher's clock is a year off, as clocks without a network are.
        ntp = round((NTP_EPOCH_S + 31_536_000 + at_s) * 2**32)
        for track, stream in ((VIDEO, self.video), (AUDIO, self.audio)):
            await self.relay.send(REPORT.pack(b"S", self.number, track, ntp, stream.stamp(at_s)))

    async def end(self) -> None:
        await self.relay.send(b"E" + json.dumps({"path": self.number, "why": "left"}).encode())


@dataclass(slots=True)
class Speech:
    """A burst of push-to-talk that the test makes up; its time passes as fast as it is sent.

    Attributes:
        server: the talk server's end of its tap.
        id: of the burst.
        number: of it in messages.
        at: packets' worth of time so far, 20 ms each.
        began_us: UTC microseconds of the first.
    """

    server: Relay
    id: str
    number: int = 1
    at: int = 0
    began_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    audio: Any = field(default_factory=audio_stream)

    async def begin(self) -> None:
        told = {"burst": self.number, "id": self.id, "gid": "squad-1", "talker": "REC-1", "did": "REC-1"}
        told |= {"name": "李雷", "grant": 42, "urgency": 2, "began_ms": self.began_us // 1000}
        await self.server.send(b"B" + json.dumps(told).encode())

    async def say(self, seconds: float, lost: Sequence[int] = (), late: Sequence[int] = ()) -> None:
        """Send sound. Of the packets in `lost` nothing arrives; those in `late` arrive 200 ms late, behind others."""
        heard, end = sounds(6 * SOUNDS_PER_S), self.at + round(seconds * SOUNDS_PER_S)
        waiting: dict[int, bytes] = {}
        for at in range(self.at, end):
            [packet] = self.audio.packets([heard[at % len(heard)]], at / SOUNDS_PER_S)
            if at in late:
                waiting[at + SOUNDS_PER_S // 5] = packet
            elif at not in lost:
                await self._send(at, packet)
            if at in waiting:
                await self._send(at, waiting.pop(at))
        self.at = end

    def pause(self, seconds: float) -> None:
        """Nothing is sent, as in a pause of discontinuous transmission."""
        self.at += round(seconds * SOUNDS_PER_S)

    async def _send(self, at: int, packet: bytes) -> None:
        arrival_us = self.began_us + at * 1_000_000 // SOUNDS_PER_S
        await self.server.send(PACKET.pack(b"R", self.number, TALK_TRACK, arrival_us) + packet)

    async def end(self) -> None:
        ended_ms = self.began_us // 1000 + self.at * 1000 // SOUNDS_PER_S
        await self.server.send(
            b"E" + json.dumps({"burst": self.number, "why": "released", "ended_ms": ended_ms}).encode()
        )


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Everything around one recorder process.

    Attributes:
        folder: of the recordings.
        tenant: of this test alone.
        relay: the worker's end of the tap.
        session: at the broker, which hears reports.
        environment: of the recorder process.
        port: of its health page.
    """

    folder: Path
    tenant: str
    relay: Relay
    session: Session
    environment: dict[str, str]
    port: int

    @contextlib.asynccontextmanager
    async def recorder(self, page: str = "/readyz") -> AsyncIterator[asyncio.subprocess.Process]:
        """The process, once this page of it answers with 200."""
        log = self.folder.parent / "record.log"
        async with running("xunlu_streaming", "record", environment=self.environment, log=log) as process:
            await answers(f"http://127.0.0.1:{self.port}{page}", process)
            yield process

    async def page(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")

    async def healthy(self, check: str) -> bool:
        """Whether one dependency answers."""
        return bool((await self.page("/healthz")).json()["checks"][check]["ok"])

    async def measure(self, name: str) -> float:
        """A figure of `/metrics`, its labels included in the name."""
        match = re.search(rf"^{re.escape(name)} (\S+)$", (await self.page("/metrics")).text, re.MULTILINE)
        return float(match.group(1)) if match else 0.0

    async def counted(self, name: str, least: float) -> bool:
        """Whether a figure has come so far."""
        return await self.measure(name) >= least

    async def order(self, did: str, **values: Any) -> None:
        order = RecordingOrder(id=f"order-{did}", why="hand", by="li", **values)
        await self.session.publish(media_order(self.tenant, did), order.encode(), retain=True)

    async def withdraw(self, did: str) -> None:
        await self.session.publish(media_order(self.tenant, did), b"", retain=True)

    async def report(self, seconds: float = TIMEOUT_S) -> RecordingReport:
        """The next report of a recording, wherever it comes from."""
        return RecordingReport.decode((await self.reported(seconds)).payload)

    async def reported(self, seconds: float = TIMEOUT_S) -> Message:
        async with asyncio.timeout(seconds):
            async for message in self.session.messages():
                self.session.acknowledge(message)
                return message
        raise AssertionError

    async def confirm(self, topic: str, report: RecordingReport) -> None:
        ack = MediaAck(recordings=(report.id,))
        await self.session.publish(media_ack(self.tenant, topic.rpartition("/")[2]), ack.encode())


@contextlib.asynccontextmanager
async def record_rig(broker: TestBroker, folder: Path, tenant: str, **settings: Any) -> AsyncIterator[Rig]:
    """A relay's socket, a listener at the broker, and the environment of a recorder process."""
    [port] = free_ports(1)
    recordings = folder / "recordings"
    values = {
        "tenant": tenant,
        "secrets": broker.secrets,
        "broker_port": broker.port,
        "run": folder / "run",
        "recordings": recordings,
        "record_free_bytes_min": 0,
        "record_health_port": port,
        **settings,
    }
    assert values.keys() <= RecordSettings.model_fields.keys()
    environment = dict(os.environ) | {f"XUNLU_STREAMING_{name.upper()}": str(value) for name, value in values.items()}
    subscriptions = [Subscription(topic=topic(tenant, "+")) for topic in (media_recording, talk_burst)]
    options = SessionOptions(client_id=f"rig-{tenant}", subscriptions=subscriptions)
    async with (
        Relay(folder / "run" / "relay-1.tap") as relay,
        Session(broker.account("xunlu-streaming"), options) as session,
    ):
        await session.wait_connected()
        yield Rig(folder=recordings, tenant=tenant, relay=relay, session=session, environment=environment, port=port)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a player finds in a file.

    Attributes:
        pictures: decoded.
        picture_s: when each is shown, seconds.
        flashes_s: when white begins.
        beeps_s: when sound begins.
        sound_s: length of the sound.
        ends_s: when the last picture appears or the sound is over, whatever comes later.
        metadata: of the container.
        size: of the last picture.
    """

    pictures: int
    picture_s: list[float]
    flashes_s: list[float]
    beeps_s: list[float]
    sound_s: float
    ends_s: float
    metadata: dict[str, str]
    size: tuple[int, int]


def play(file: Path) -> Played:
    """Decode all of a file."""
    shown, light, loud, size = [], [], [], (0, 0)
    with av.open(str(file)) as container:
        metadata = dict(container.metadata)
        for frame in container.decode(video=0):
            assert frame.time is not None
            shown.append(frame.time)
            ends_s = frame.time
            light.append(bytes(frame.planes[0])[:16] > b"\xb0")
            size = (frame.width, frame.height)
    sound_s = ends_s = 0.0
    with av.open(str(file)) as container:
        for sound in container.decode(audio=0):
            assert sound.time is not None
            samples = memoryview(sound.planes[0]).cast("B").cast("f").tolist()
            lasts_s = sound.samples / sound.sample_rate
            sound_s, ends_s = sound_s + lasts_s, max(ends_s, sound.time + lasts_s)
            loud.append((sound.time, max(samples) > 0.1))
    return Played(
        pictures=len(shown),
        picture_s=shown,
        flashes_s=_onsets(list(zip(shown, light, strict=True))),
        beeps_s=_onsets(loud),
        sound_s=sound_s,
        ends_s=ends_s,
        metadata=metadata,
        size=size,
    )


def _onsets(states: list[tuple[float, bool]]) -> list[float]:
    """When something begins that was not before."""
    before = [False, *(state for _, state in states)]
    return [at_s for (at_s, state), was in zip(states, before, strict=False) if state and not was]
