"""Clients that nobody here wrote publish and watch: FFmpeg, libwebrtc and GStreamer."""

import asyncio
import contextlib
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx2
import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
import webrtc

from tests.integration.ingest_rig import eventually
from tests.media import Relay, running_relay
from tests.services import Services
from xunlu_protocol.media import Action

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WAIT_S = 60.0
SYSTEM_PYTHON = "/usr/bin/python3"
GSTREAMER_PARTS = ("webrtcbin", "x264enc", "opusenc", "rtph264depay", "nicesrc")

webrtc.allow_loopback()


@pytest_asyncio.fixture(scope="module")
async def relay(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relay]:
    folder, hosts = tmp_path_factory.mktemp("relay"), ",".join(["127.0.0.1", *own_address()])
    async with running_relay(services.test_broker, folder, second_publisher="refuse", media_hosts=hosts) as one:
        yield one


def own_address() -> list[str]:
    """An address of this machine that is not loopback, if there is one; nothing leaves the machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        address: str = probe.getsockname()[0]
    return [] if address.startswith("127.") else [address]


@pytest.fixture
def path() -> str:
    return f"D{secrets.token_hex(6)}"


class Sessions:
    """The HTTP of a client, and what the relay says of its path."""

    def __init__(self, relay: Relay, path: str, action: Action) -> None:
        self._relay = relay
        self._path = path
        self._headers = relay.headers(path, action)
        self._protocol = "whip" if action == "publish" else "whep"

    async def begin(self, offer: str) -> str:
        """The answer."""
        async with httpx2.AsyncClient() as client:
            url = f"{self._relay.url}/{self._protocol}/{self._path}"
            answer = await client.post(url, content=offer, headers=self._headers)
        assert answer.status_code == 201, answer.text
        return answer.text


async def stream_of(relay: Relay, path: str) -> dict[str, Any]:
    """What `/api/streams` says of a path; empty when it does not name it."""
    async with httpx2.AsyncClient() as client:
        listed = (await client.get(f"{relay.url}/api/streams")).json()
    return next((stream for stream in listed if stream["did"] == path), {})


async def runs(relay: Relay, path: str) -> dict[str, Any]:
    """Wait until pictures arrive at the relay."""

    async def running() -> dict[str, Any]:
        stream = await stream_of(relay, path)
        return stream if stream.get("live") and stream["fps"] > 0 and stream["width"] else {}

    found: dict[str, Any] = await eventually(running, timeout_s=WAIT_S)
    return found


# -- FFmpeg -----------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def ffmpeg(
    relay: Relay, path: str, *options: str, seconds: int = 60
) -> AsyncIterator[asyncio.subprocess.Process]:
    """FFmpeg's WHIP muxer publishes a test picture and a tone in real time."""
    picture, tone = "testsrc=size=320x180:rate=10", "sine=sample_rate=48000"
    process = await asyncio.create_subprocess_exec(
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-re", "-f", "lavfi", "-i", picture),
        *("-f", "lavfi", "-i", tone, "-t", str(seconds), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "0"),
        *("-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-c:a", "libopus", "-ac", "2"),
        *("-authorization", relay.token(path, "publish"), *options, "-f", "whip", f"{relay.url}/whip/{path}"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("flags", [(), ("-whip_flags", "dtls_active")], ids=["passive", "active"])
async def test_ffmpeg_publishes_whichever_end_shakes_hands(relay: Relay, path: str, flags: tuple[str, ...]) -> None:
    async with ffmpeg(relay, path, *flags):
        stream = await runs(relay, path)
    assert (stream["video"], stream["audio"]) == ("H264", "opus")
    assert (stream["width"], stream["height"]) == (320, 180)


async def test_ffmpeg_ends_its_session_with_delete(relay: Relay, path: str) -> None:
    async with ffmpeg(relay, path, "-whip_flags", "dtls_active", seconds=4) as process:
        await runs(relay, path)
        assert await process.wait() == 0

    async def ended() -> bool:
        return not (await stream_of(relay, path)).get("live")

    await eventually(ended, timeout_s=5)


async def test_a_second_publisher_is_refused_where_the_policy_says_so(relay: Relay, path: str) -> None:
    async with ffmpeg(relay, path, "-whip_flags", "dtls_active"):
        await runs(relay, path)
        async with ffmpeg(relay, path, "-whip_flags", "dtls_active") as second:
            _, complaints = await second.communicate()
            assert second.returncode
            assert b"409" in complaints or b"4XX" in complaints
        assert (await stream_of(relay, path))["live"]


# -- libwebrtc --------------------------------------------------------------------------------------------------------


class Browser:
    """libwebrtc, the engine of Chromium, with its synthetic camera."""

    def __init__(self, relay: Relay, path: str, action: Action) -> None:
        self._sessions = Sessions(relay, path, action)
        self.connection = webrtc.RTCPeerConnection()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.connection.close()

    async def publish(self, *layers: float) -> None:
        """Send camera and microphone; each layer is a factor that the picture is made smaller by."""
        constraints = webrtc.MediaTrackConstraints(width=640, height=360, frame_rate=10)
        stream = await webrtc.mediaDevices.get_user_media(webrtc.MediaStreamConstraints(video=constraints, audio=True))
        encodings = [
            webrtc.RTCRtpEncodingParameters(rid=f"r{number}", scale_resolution_down_by=factor)
            for number, factor in enumerate(layers)
        ]
        for track in stream.get_tracks():
            own = encodings if track.kind == "video" and encodings else None
            init = webrtc.RTCRtpTransceiverInit(direction="sendonly", send_encodings=own or [], streams=[stream])
            self.connection.add_transceiver(track, init)
        await self._negotiate()

    async def play(self) -> None:
        for kind in ("video", "audio"):
            self.connection.add_transceiver(kind, webrtc.RTCRtpTransceiverInit(direction="recvonly"))
        await self._negotiate()

    async def _negotiate(self) -> None:
        await self.connection.set_local_description(await self.connection.create_offer())
        offer = self.connection.local_description
        assert offer is not None
        answer = await self._sessions.begin(offer.sdp)
        await self.connection.set_remote_description(webrtc.RTCSessionDescription("answer", answer))

    async def statistics(self, kind: str) -> list[Any]:
        """Of the streams that come in or go out."""
        report = await self.connection.get_stats()
        return [one for one in report.values() if one.type == kind]

    async def decodes(self, frames: int = 10) -> None:
        """Wait for so many decoded pictures, and some sound."""

        async def seen() -> bool:
            inbound = {one.kind: one for one in await self.statistics("inbound-rtp")}
            return (
                inbound.keys() == {"video", "audio"}
                and (inbound["video"].frames_decoded or 0) >= frames
                and (inbound["audio"].total_samples_received or 0) > 0
            )

        await eventually(seen, timeout_s=WAIT_S)


async def test_libwebrtc_watches_libwebrtc(relay: Relay, path: str) -> None:
    async with Browser(relay, path, "publish") as publisher, Browser(relay, path, "play") as viewer:
        await viewer.play()
        await publisher.publish()
        await viewer.decodes()
        stream = await runs(relay, path)
    assert (stream["video"], stream["audio"], stream["viewers"]) == ("VP8", "opus", 1)


async def test_libwebrtc_watches_a_simulcast_of_libwebrtc(relay: Relay, path: str) -> None:
    async with Browser(relay, path, "publish") as publisher, Browser(relay, path, "play") as viewer:
        await viewer.play()
        await publisher.publish(1, 2)
        await viewer.decodes(30)
        layers = {one.rid for one in await publisher.statistics("outbound-rtp") if one.kind == "video"}
    assert layers == {"r0", "r1"}


# -- GStreamer --------------------------------------------------------------------------------------------------------


def without_gstreamer() -> str:
    """Why GStreamer cannot take part; empty when it can."""
    if not own_address():
        return "libnice uses no loopback, and this machine has no other address"
    if shutil.which("gst-inspect-1.0") is None:
        return "GStreamer is not installed"
    missing = [part for part in GSTREAMER_PARTS if not succeeds("gst-inspect-1.0", part)]
    if missing:
        return f"GStreamer lacks {', '.join(missing)}"
    modules = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import GstWebRTC"
    return "" if succeeds(SYSTEM_PYTHON, "-c", modules) else "The system's Python knows no GStreamer"


def succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=WAIT_S).returncode == 0


@contextlib.asynccontextmanager
async def gstreamer(relay: Relay, path: str, action: Action) -> AsyncIterator[asyncio.StreamReader]:
    """webrtcbin in a process of its own; what is read are the kinds of what it received."""
    if reason := without_gstreamer():
        pytest.skip(reason)
    process = await asyncio.create_subprocess_exec(
        *(SYSTEM_PYTHON, str(Path(__file__).with_name("gstreamer_peer.py")), action),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_S):
            offer = (await process.stdout.readuntil(b"END\n")).removesuffix(b"END\n").decode()
        answer = await Sessions(relay, path, action).begin(offer)
        process.stdin.write(f"{answer}END\n".encode())
        yield process.stdout
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_gstreamer_watches_gstreamer(relay: Relay, path: str) -> None:
    received = {b"video\n": 0, b"audio\n": 0}
    async with gstreamer(relay, path, "play") as viewer, gstreamer(relay, path, "publish"):
        async with asyncio.timeout(WAIT_S):
            while min(received.values()) < 20:
                received[await viewer.readline()] += 1
        stream = await runs(relay, path)
    assert (stream["video"], stream["audio"], stream["viewers"]) == ("H264", "opus", 1)


async def test_gstreamer_watches_ffmpeg(relay: Relay, path: str) -> None:
    received = {b"video\n": 0, b"audio\n": 0}
    async with ffmpeg(relay, path, "-whip_flags", "dtls_active"):
        await runs(relay, path)
        async with gstreamer(relay, path, "play") as viewer, asyncio.timeout(WAIT_S):
            while min(received.values()) < 20:
                received[await viewer.readline()] += 1
