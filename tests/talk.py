"""The talk server as operators run it, and participants with stock aiortc and real Opus at their end."""

import array
import asyncio
import contextlib
import itertools
import math
import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, TypeVar

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from joserfc import jwt
from joserfc.jwk import OKPKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.media import HOSTS, free_udp_port
from tests.processes import answers, running
from tests.services import TestBroker, free_ports
from xunlu_protocol.base import Wire
from xunlu_protocol.media import ALGORITHM
from xunlu_protocol.talk import (
    FloorRelease,
    FloorRequest,
    Hello,
    ServerMessage,
    TakeDown,
    TalkClaims,
    Tune,
    Welcome,
    from_server,
)
from xunlu_streaming.talk.config import TalkSettings

SAMPLE_HZ = 48_000
FRAME_SAMPLES = 960
WAIT_S = 15.0
M = TypeVar("M", bound=Wire)


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """A running talk server.

    Attributes:
        url: of the WebSocket.
        port: of it.
        media_port: of UDP.
        run: folder of its tap.
        key: the platform's, PEM.
        process: of it.
    """

    url: str
    port: int
    media_port: int
    run: Path
    key: str
    process: asyncio.subprocess.Process

    def token(self, who: str, **more: Any) -> str:
        """A token as the platform gives it."""
        return sign(self.key, who, **more)


def sign(key: str, who: str, **more: Any) -> str:
    """A token for the radio net."""
    now_s = int(time.time())
    claims = {"sub": who, "jti": secrets.token_hex(4), "name": f"name of {who}", "iat": now_s, "exp": now_s + 3600}
    said = TalkClaims.parse(claims | more).model_dump(exclude_none=True)
    return jwt.encode({"alg": ALGORITHM}, said, OKPKey.import_key(key), algorithms=[ALGORITHM])


def talk_settings(broker: TestBroker, folder: Path, **settings: Any) -> dict[str, Any]:
    """Settings of a talk server on free ports.

    Args:
        broker: of the test.
        folder: for its socket and its floor log.
        settings: others than the defaults.
    """
    [port] = free_ports(1)
    own = {"talk_port": port, "talk_media_port": free_udp_port(), "media_hosts": HOSTS, "run": folder}
    values = {"secrets": broker.secrets, "broker_port": broker.port, **own, **settings}
    assert values.keys() <= TalkSettings.model_fields.keys()
    return values


def talk_environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings as the process finds them."""
    return {f"XUNLU_STREAMING_{name.upper()}": str(value) for name, value in settings.items()}


@contextlib.asynccontextmanager
async def running_talk(broker: TestBroker, folder: Path, **settings: Any) -> AsyncIterator[Talk]:
    """`xunlu-streaming ptt`, ready to answer; see `talk_settings`."""
    values = talk_settings(broker, folder, **settings)
    environment = dict(os.environ) | talk_environment(values)
    async with running("xunlu_streaming", "ptt", environment=environment, log=folder / "talk.log") as process:
        await answers(f"http://127.0.0.1:{values['talk_port']}/readyz", process)
        yield Talk(
            url=f"ws://127.0.0.1:{values['talk_port']}/ptt",
            port=int(values["talk_port"]),
            media_port=int(values["talk_media_port"]),
            run=folder,
            key=(broker.secrets / "media-key").read_text("utf-8"),
            process=process,
        )


class Microphone(MediaStreamTrack):
    """A tone while the key is pressed, and nothing at all otherwise."""

    kind = "audio"

    def __init__(self, hz: int) -> None:
        super().__init__()
        self.pressed = asyncio.Event()
        wave = (int(12_000 * math.sin(2 * math.pi * hz * n / SAMPLE_HZ)) for n in range(SAMPLE_HZ))
        self._wave = array.array("h", wave).tobytes()
        self._began_s: float | None = None
        self._frames = 0

    async def recv(self) -> av.AudioFrame:
        if not self.pressed.is_set():
            await self.pressed.wait()
            self._began_s = None
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s - self._frames * FRAME_SAMPLES / SAMPLE_HZ
        await asyncio.sleep(max(0.0, self._began_s + self._frames * FRAME_SAMPLES / SAMPLE_HZ - now_s))
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        at = self._frames % 50 * FRAME_SAMPLES * 2
        frame.planes[0].update(self._wave[at : at + FRAME_SAMPLES * 2])
        frame.sample_rate, frame.pts = SAMPLE_HZ, self._frames * FRAME_SAMPLES
        frame.time_base = Fraction(1, SAMPLE_HZ)
        self._frames += 1
        return frame


def pitch_hz(frame: av.AudioFrame) -> int:
    """What tone a frame holds, by the zero crossings of its first channel; 0 is silence."""
    samples = array.array("h", bytes(frame.planes[0])[: frame.samples * 2 * len(frame.layout.channels)])
    left = samples[:: len(frame.layout.channels)]
    if max(map(abs, left)) < 1000:
        return 0
    crossings = sum((a < 0) != (b < 0) for a, b in itertools.pairwise(left))
    return round(crossings / 2 * frame.sample_rate / len(left))


@dataclass
class Participant:
    """Somebody with a radio.

    Attributes:
        who: name on the net.
        hz: of the tone that is its voice.
        heard: monotonic seconds and pitch of each decoded frame.
        said: everything that the server said.
    """

    talk: Talk
    who: str
    hz: int = 440
    claims: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[float, int]] = field(default_factory=list)
    said: list[ServerMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.microphone = Microphone(self.hz)
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.socket: ClientConnection
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, main: str | None = None, scan: Sequence[str] = (), *, port: int | None = None) -> Self:
        """Say hello and shake hands.

        Args:
            main: group.
            scan: groups.
            port: of an impaired way to the media; the server's own when absent.
        """
        self.connection.addTransceiver(self.microphone, "sendrecv")
        self.connection.on("track", lambda track: self._tasks.append(asyncio.create_task(self._hear(track))))
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.socket = await connect(self.talk.url)
        token = self.talk.token(self.who, **self.claims)
        sdp = self.connection.localDescription.sdp
        await self.send(Hello(token=token, sdp=sdp, main=main, scan=tuple(scan)))
        self._tasks.append(asyncio.create_task(self._read()))
        welcome = await self.told(Welcome)
        answer = welcome.sdp if port is None else welcome.sdp.replace(f" {self.talk.media_port} typ", f" {port} typ")
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda: self.connection.connectionState == "connected")
        return self

    async def _hear(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                self.heard.append((time.monotonic(), pitch_hz(frame)))

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                assert isinstance(text, str)
                self.said.append(from_server(text.encode()))

    async def send(self, message: Wire) -> None:
        await self.socket.send(message.encode().decode())

    async def press(self, gid: str, urgency: int = 0, *, wait: bool = True) -> None:
        """Ask for the floor and begin to talk at once, granted or not: the gate is the server's."""
        await self.send(FloorRequest(gid=gid, urgency=urgency, wait=wait))
        self.microphone.pressed.set()

    async def let_go(self, gid: str) -> None:
        self.microphone.pressed.clear()
        await self.send(FloorRelease(gid=gid))

    async def take_down(self, gid: str) -> None:
        await self.send(TakeDown(gid=gid))

    async def tune(self, main: str | None, scan: Sequence[str] = ()) -> None:
        await self.send(Tune(main=main, scan=tuple(scan)))

    async def told(self, kind: type[M], **fields: Any) -> M:
        """Wait until the server has said this; what it said up to then is forgotten."""

        def found() -> int | None:
            matching = (
                place
                for place, one in enumerate(self.said)
                if isinstance(one, kind) and all(getattr(one, name) == value for name, value in fields.items())
            )
            return next(matching, None)

        await until(lambda: found() is not None, f"{self.who} was told no {kind.__name__} {fields}: {self.said}")
        place = found()
        assert place is not None
        message = self.said[place]
        del self.said[: place + 1]
        assert isinstance(message, kind)
        return message

    async def hears(self, other: "Participant", frames: int = 10) -> None:
        """Wait until the other one's voice is heard from now on."""
        first = len(self.heard)
        await until(
            lambda: sum(abs(hz - other.hz) < 60 for _, hz in self.heard[first:]) >= frames,
            f"{self.who} did not hear {other.who}",
        )

    async def close(self) -> None:
        """An orderly farewell."""
        if hasattr(self, "socket"):
            await self.socket.close()
        await self.vanish()

    async def vanish(self) -> None:
        """Gone, without a word on the WebSocket."""
        if hasattr(self, "socket"):
            self.socket.transport.abort()
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def until(condition: Any, why: str = "", *, timeout_s: float = WAIT_S) -> None:
    """Wait until something is true."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, why
        await asyncio.sleep(0.01)
