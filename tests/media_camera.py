"""A camera and its window: a publication of pictures that tell who they are, and somebody who checks each of them."""

import asyncio
import contextlib
import itertools
import secrets
import struct
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from tests.integration.ingest_rig import eventually
from tests.media import Relay
from tests.media_client import VP8_CAMERA, WINDOW, MediaClient, Wish
from xunlu_edge.media import rtp
from xunlu_edge.media.adapter import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    HeaderExtensionsMap,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    extensions_map,
)
from xunlu_edge.media.rtp import Outbound

FPS = 25
SOUNDS_PER_PICTURE = 2
PACKETS = 4
PAYLOAD_BYTES = 900
CNAME = "camera"

Picture = tuple[bytes, ...]


def picture(codec: str, number: int, *, keyframe: bool, packets: int, rid: str) -> Picture:
    """Payloads that no other picture has, as far from real ones as a relay that decodes nothing can bear."""
    marks = [struct.pack("!IB", number, place) + f"@{rid}@".encode() for place in range(packets)]
    if codec == "H264":
        head = b"\x65" if keyframe else b"\x41"
        return tuple((head + mark).ljust(PAYLOAD_BYTES, b"h") for mark in marks)
    # RFC 7741 §4.2 with a picture id of 15 bits; RFC 6386 §9.1.
    descriptor = struct.pack("!BH", 0x80, 0x8000 | number & 0x7FFF)
    tag = b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 160 * packets, 90 * packets) if keyframe else b"\x11\x00\x00"
    heads = [b"\x90" + descriptor + tag, *[b"\x80" + descriptor] * (packets - 1)]
    return tuple((head + mark).ljust(PAYLOAD_BYTES, b"v") for head, mark in zip(heads, marks, strict=True))


class Camera:
    """Publishes pictures and sounds at their times, repeats what is asked for, and begins anew on a PLI.

    Attributes:
        pictures: that were sent.
        sounds: that were sent.
        keyframes_asked: monotonic times of the PLIs that came.
        stamps: RTP time of each payload's packet as it was sent.
        reports: NTP and RTP time of the last sender report, by kind.
    """

    def __init__(self, client: MediaClient, codec: str, *, packets: int = PACKETS, rid: str = "") -> None:
        self.pictures: list[Picture] = []
        self.sounds: list[bytes] = []
        self.keyframes_asked: list[float] = []
        self.stamps: dict[bytes, int] = {}
        self.reports: dict[str, tuple[int, int]] = {}
        self.rid = rid
        self._client = client
        self._codec = codec
        self._packets = packets
        self._keyframe = True
        accepted = {media.kind: media for media in client.answer.media}
        video = accepted["video"].rtp.codecs
        repair = next((one.payloadType for one in video if "apt" in one.parameters), None)
        self._extensions: HeaderExtensionsMap = extensions_map(
            (one.id, one.uri) for one in accepted["video"].rtp.headerExtensions
        )
        self.video = Outbound(
            payload_type=int(video[0].payloadType or 0),
            clock_hz=90_000,
            mid=None,
            ssrc=secrets.randbits(32),
            rtx=(repair, secrets.randbits(32)) if repair is not None and not rid else None,
        )
        self.audio: Outbound | None = None
        if "audio" in accepted and not rid:
            audio_type = int(accepted["audio"].rtp.codecs[0].payloadType or 0)
            self.audio = Outbound(payload_type=audio_type, clock_hz=48_000, mid=None, ssrc=secrets.randbits(32))

    def shoot(self) -> None:
        """Send a picture and its sounds."""
        now_s = time.monotonic()
        one = picture(self._codec, len(self.pictures), keyframe=self._keyframe, packets=self._packets, rid=self.rid)
        self._keyframe = False
        self.pictures.append(one)
        self._send(self.video, one, now_s)
        for number in range(SOUNDS_PER_PICTURE if self.audio is not None else 0):
            assert self.audio is not None
            self.sounds.append(struct.pack("!BI", 0xFC, len(self.sounds)).ljust(60, b"s"))
            self._send(self.audio, [self.sounds[-1]], now_s + number / FPS / SOUNDS_PER_PICTURE)

    def _send(self, stream: Outbound, payloads: Sequence[bytes], captured_s: float) -> None:
        for packet in stream.packets(payloads, captured_s, time.monotonic()):
            packet.extensions.rtp_stream_id = self.rid or None
            self.stamps[packet.payload] = packet.timestamp
            self._client.send(rtp.serialize(packet, self._extensions, time.time() * 1000))
            stream.sent(packet)

    def tell(self) -> None:
        """Send sender reports."""
        now_s, utc_ms = time.monotonic(), time.time_ns() // 1_000_000
        for kind, stream in (("video", self.video), ("audio", self.audio)):
            if stream is not None:
                data = stream.report(CNAME, now_s, utc_ms)
                ntp, stamp = struct.unpack_from("!QI", data, 8)
                self.reports[kind] = ntp, stamp
                self._client.report(data)

    def hear(self, packet: AnyRtcpPacket) -> None:
        """What the relay asks for."""
        match packet:
            case RtcpPsfbPacket() if (packet.fmt, packet.media_ssrc) == (RTCP_PSFB_PLI, self.video.ssrc):
                self.keyframes_asked.append(time.monotonic())
                self._keyframe = True
            case RtcpRtpfbPacket() if (packet.fmt, packet.media_ssrc) == (RTCP_RTPFB_NACK, self.video.ssrc):
                for sequence in packet.lost:
                    if (repeat := self.video.retransmission(sequence, time.monotonic())) is not None:
                        repeat.extensions.rtp_stream_id = self.rid or None
                        self._client.send(rtp.serialize(repeat, self._extensions, time.time() * 1000))


async def film(cameras: Sequence[Camera]) -> None:
    """Let cameras run, for ever."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    for number in range(1 << 30):
        for camera in cameras:
            camera.shoot()
            if number % FPS == 1:
                camera.tell()
        due_s = max(due_s + 1 / FPS, loop.time())
        await asyncio.sleep(due_s - loop.time())


@contextlib.asynccontextmanager
async def filming(client: MediaClient, *cameras: Camera) -> AsyncIterator[None]:
    """Cameras of one publication run."""

    def hear(packet: AnyRtcpPacket) -> None:
        client.reports.append(packet)
        for camera in cameras:
            camera.hear(packet)

    client.on_report = hear
    task = asyncio.create_task(film(cameras), name="camera")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Pair:
    """A camera and a window that watches it.

    Attributes:
        path: of both.
        camera: that publishes.
        publisher: its client.
        viewer: client of the window.
    """

    def __init__(self, path: str, camera: Camera, publisher: MediaClient, viewer: MediaClient) -> None:
        self.path = path
        self.camera = camera
        self.publisher = publisher
        self.viewer = viewer

    async def sees(self, more: int = 10, *, timeout_s: float = 20) -> None:
        """Wait for so many pictures, and until all since the first one have come, each whole and in its order."""
        await self.goes_on(more, timeout_s=timeout_s)

        async def complete() -> bool:
            seen = self.viewer.tracks["video"].pictures()
            return seen == self.camera.pictures[self.camera.pictures.index(seen[0]) :][: len(seen)]

        # What was lost under way is still asked for.
        await eventually(complete, timeout_s=timeout_s)

    async def goes_on(self, more: int = 10, *, timeout_s: float = 20) -> None:
        """Wait until so many of the pictures that are yet to be sent have come."""
        sent = len(self.camera.pictures)
        wanted = sent + more

        async def there() -> bool:
            return len(self.camera.pictures) >= wanted and self.last_seen >= wanted - 1

        await eventually(there, timeout_s=timeout_s)

    @property
    def last_seen(self) -> int:
        """Number of the newest whole picture."""
        seen = self.viewer.tracks["video"].pictures()
        return self.camera.pictures.index(seen[-1]) if seen else -1


@contextlib.asynccontextmanager
async def pair(relay: Relay, wish: Wish = VP8_CAMERA, window: Wish = WINDOW) -> AsyncIterator[Pair]:
    """A publication that is watched."""
    path = new_path()
    async with MediaClient(relay, path, "publish", wish) as publisher:
        camera = Camera(publisher, wish.video[0].name)
        async with filming(publisher, camera), MediaClient(relay, path, "play", window) as viewer:
            yield Pair(path, camera, publisher, viewer)


@contextlib.asynccontextmanager
async def undisturbed(one: Pair) -> AsyncIterator[None]:
    """Whatever happens elsewhere, this pair loses no picture, and keeps its session."""
    await one.sees(3)
    yield
    await one.sees(10)
    assert not one.publisher.is_over
    assert not one.viewer.is_over


def new_path() -> str:
    """Nobody else's."""
    return f"D{secrets.token_hex(6)}"


def distances(numbers: Sequence[int], bits: int) -> Iterator[int]:
    """From each to the next, on a circle."""
    half = 1 << bits - 1
    return ((b - a + half) % (1 << bits) - half for a, b in itertools.pairwise(numbers))
