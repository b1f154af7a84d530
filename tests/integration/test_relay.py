"""A worker of the relay with stock aiortc at both ends."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import httpx2
import pytest
import pytest_asyncio
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError

from tests.integration.ingest_rig import eventually
from tests.media import Relay, running_relay
from tests.services import TestBroker
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.media import MediaAck, MediaEnd, MediaFrame
from xunlu_protocol.topics import media_ack, media_end, media_frame

pytestmark = pytest.mark.integration

TENANT = "main"
WAIT_S = 20.0
IDLE_GRACE_S = 3


class Grey(VideoStreamTrack):
    """A picture whose brightness counts its frames."""

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(320, 180, "yuv420p")
        shade = pts // 3000 % 200 + 20
        for plane, value in zip(frame.planes, (shade, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, Fraction(time_base)
        return frame


class Client:
    """A WHIP or WHEP client around a stock peer connection."""

    def __init__(self, relay: Relay, path: str) -> None:
        self.relay = relay
        self.path = path
        self.frames = {"video": 0, "audio": 0}
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self._url = self._location = ""
        self._headers: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, codec: str = "VP8") -> None:
        self.connection.addTransceiver(Grey(), "sendonly")
        self.connection.addTransceiver(AudioStreamTrack(), "sendonly")
        wanted = {f"video/{codec}", "video/rtx"}
        codecs = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType in wanted]
        self.connection.getTransceivers()[0].setCodecPreferences(codecs)
        await self._begin("whip", "publish")

    async def play(self, viewing: str | None = None) -> None:
        for kind in ("video", "audio"):
            self.connection.addTransceiver(kind, "recvonly")
        self.connection.on("track", self._take)
        await self._begin("whep", "play", viewing)

    def _take(self, track: MediaStreamTrack) -> None:
        async def count() -> None:
            with contextlib.suppress(MediaStreamError):
                while True:
                    await track.recv()
                    self.frames[track.kind] += 1

        self._tasks.add(asyncio.create_task(count()))

    async def _begin(self, protocol: str, action: str, jti: str | None = None) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self._headers = self.relay.headers(self.path, "publish" if action == "publish" else "play", jti)
        self._url = f"{self.relay.url}/{protocol}/{self.path}"
        async with httpx2.AsyncClient() as client:
            answer = await client.post(self._url, content=self.connection.localDescription.sdp, headers=self._headers)
        assert answer.status_code == 201, answer.text
        self._location = str(httpx2.URL(self._url).join(answer.headers["location"]))
        await self.connection.setRemoteDescription(RTCSessionDescription(self.read(answer.text), "answer"))

    def read(self, answer: str) -> str:
        """What of the answer is believed."""
        return answer

    async def again(self) -> int:
        """Offer once more with the same token; returns the relay's status."""
        async with httpx2.AsyncClient() as client:
            offer = self.connection.localDescription.sdp
            return (await client.post(self._url, content=offer, headers=self._headers)).status_code

    async def delete(self) -> int:
        async with httpx2.AsyncClient() as client:
            return (await client.delete(self._location, headers=self._headers)).status_code

    async def close(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ended(self) -> bool:
        """Whether the relay has said goodbye."""
        return self.connection.connectionState in {"closed", "failed"}

    async def sees(self, more: int = 5, *, kind: str = "video") -> None:
        """Wait for so many more pictures, or pieces of sound."""
        goal = self.frames[kind] + more

        async def there() -> bool:
            return self.frames[kind] >= goal

        await eventually(there, timeout_s=WAIT_S)


@pytest_asyncio.fixture
async def relay(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(broker, tmp_path, idle_grace_s=IDLE_GRACE_S) as one:
        yield one


@pytest_asyncio.fixture
async def clients(relay: Relay) -> AsyncIterator["Clients"]:
    async with Clients(relay) as made:
        yield made


class Clients:
    """Clients of one path, closed at the end."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.path = f"D{secrets.token_hex(4)}"
        self._made: list[Client] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._made:
            await one.close()

    def one(self) -> Client:
        self._made.append(Client(self.relay, self.path))
        return self._made[-1]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_viewers_before_and_after_the_publisher_see_and_hear_it(clients: Clients, codec: str) -> None:
    early, late, publisher = clients.one(), clients.one(), clients.one()
    await early.play()
    await publisher.publish(codec)
    await early.sees()
    await late.play()
    await late.sees()
    await early.sees(kind="audio")
    await late.sees(kind="audio")


async def test_a_publisher_that_comes_back_goes_on_in_the_viewers_pictures(clients: Clients) -> None:
    viewer, first, second = clients.one(), clients.one(), clients.one()
    await viewer.play()
    await first.publish()
    await viewer.sees()
    await first.close()
    await second.publish()
    await viewer.sees(30)


async def test_when_the_last_viewer_leaves_the_publication_ends_and_does_not_come_back(clients: Clients) -> None:
    viewer, publisher = clients.one(), clients.one()
    await viewer.play()
    await publisher.publish()
    await viewer.sees()
    assert await viewer.delete() == 200

    await eventually(publisher.ended, timeout_s=WAIT_S)
    assert await publisher.again() == 410


async def test_a_recorder_that_is_asked_again_is_waited_for_as_long_as_the_first_time(clients: Clients) -> None:
    viewer, first, second = clients.one(), clients.one(), clients.one()
    await viewer.play()
    await first.publish()
    await viewer.sees()
    assert await viewer.delete() == 200
    await eventually(first.ended, timeout_s=WAIT_S)
    asked_s = time.monotonic()
    await second.publish()
    await eventually(second.ended, timeout_s=WAIT_S)
    assert time.monotonic() - asked_s > IDLE_GRACE_S


async def test_viewings_are_told_until_they_are_confirmed(clients: Clients, broker: TestBroker) -> None:
    options = SessionOptions(
        client_id=secrets.token_hex(8), subscriptions=[Subscription(topic=media_frame(TENANT, "+"))]
    )
    viewing = secrets.token_hex(8)
    async with Session(broker.account("xunlu-jobs"), options) as session:
        messages = session.messages()

        async def frame() -> MediaFrame:
            message = await anext(messages)
            session.acknowledge(message)
            return MediaFrame.decode(message.payload)

        async def told(*, ended: bool) -> MediaFrame:
            async with asyncio.timeout(WAIT_S):
                while True:
                    heard = await frame()
                    if any(one.id == viewing and (one.to_ms is not None) == ended for one in heard.viewings):
                        return heard

        viewer, publisher = clients.one(), clients.one()
        await viewer.play(viewing)
        await publisher.publish()
        running = await told(ended=False)
        assert [path.live for path in running.paths if path.did == clients.path] == [True]
        await viewer.delete()
        await told(ended=True)
        ended = await told(ended=True)
        [one] = [one for one in ended.viewings if one.id == viewing]
        assert (one.did, one.why) == (clients.path, "left")
        assert one.sent_bytes > 0
        await session.publish(media_ack(TENANT, ended.worker), MediaAck(viewings=(viewing,)).encode())
        async with asyncio.timeout(WAIT_S):
            while any(one.id == viewing for one in (await frame()).viewings):
                pass


async def test_a_viewing_that_the_platform_withdraws_ends_alone_and_does_not_come_back(
    clients: Clients, broker: TestBroker
) -> None:
    dismissed, other, publisher = clients.one(), clients.one(), clients.one()
    begun, unbegun = secrets.token_hex(8), secrets.token_hex(8)
    await publisher.publish()
    await dismissed.play(begun)
    await other.play()
    await dismissed.sees()
    options = SessionOptions(
        client_id=secrets.token_hex(8), subscriptions=[Subscription(topic=media_frame(TENANT, "+"))]
    )
    async with Session(broker.account("xunlu-jobs"), options) as session:
        await session.wait_connected()
        await session.publish(media_end(TENANT, "relay-1"), b"not for us")
        end = MediaEnd(viewings=(begun, unbegun), paths=("somebody-else",))
        await session.publish(media_end(TENANT, "relay-1"), end.encode())
        await eventually(dismissed.ended, timeout_s=WAIT_S)
        async with asyncio.timeout(WAIT_S):
            async for message in session.messages():
                session.acknowledge(message)
                told = [one for one in MediaFrame.decode(message.payload).viewings if one.id == begun and one.to_ms]
                if told:
                    assert told[0].why == "withdrawn"
                    break
    assert await dismissed.again() == 403
    late = Client(clients.relay, clients.path)
    with pytest.raises(AssertionError, match="withdrawn"):
        await late.play(unbegun)
    await late.close()
    await other.sees()


async def test_a_publication_that_the_platform_withdraws_ends_and_does_not_come_back(
    clients: Clients, broker: TestBroker
) -> None:
    viewer, publisher = clients.one(), clients.one()
    await viewer.play()
    await publisher.publish()
    await viewer.sees()
    async with Session(broker.account("xunlu-jobs"), SessionOptions(client_id=secrets.token_hex(8))) as session:
        await session.wait_connected()
        await session.publish(media_end(TENANT, "relay-1"), MediaEnd(paths=(clients.path,)).encode())
    await eventually(publisher.ended, timeout_s=WAIT_S)
    assert await publisher.again() == 410
    assert not await viewer.ended()


async def test_a_tap_keeps_the_publication_and_gets_it_in_plain_text(clients: Clients) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as tap:
        tap.setblocking(False)
        await loop.sock_connect(tap, str(clients.relay.run / "relay-1.tap"))
        await loop.sock_sendall(tap, json.dumps({"take": clients.path}).encode())
        publisher = clients.one()
        await publisher.publish("H264")
        heard: dict[bytes, list[bytes]] = {}
        async with asyncio.timeout(WAIT_S):
            while len(heard.get(b"R", ())) < 100 or b"S" not in heard:
                data = await loop.sock_recv(tap, 4096)
                heard.setdefault(data[:1], []).append(data)
        [said] = heard[b"P"]
        publication = json.loads(said[1:])
        assert publication["did"] == clients.path
        assert {one["codec"] for one in publication["tracks"]} == {"H264", "opus"}
        assert publisher.connection.connectionState == "connected"
        await loop.sock_sendall(tap, json.dumps({"leave": clients.path}).encode())
        await eventually(publisher.ended, timeout_s=WAIT_S)


async def test_sigterm_says_goodbye_to_everybody(clients: Clients) -> None:
    viewer, publisher = clients.one(), clients.one()
    await viewer.play()
    await publisher.publish()
    await viewer.sees()
    os.kill(clients.relay.pid, signal.SIGTERM)

    async def gone() -> bool:
        return publisher.connection.connectionState == viewer.connection.connectionState == "closed"

    await eventually(gone)


async def test_garbage_on_the_port_of_media_disturbs_nobody(clients: Clients) -> None:
    viewer, publisher = clients.one(), clients.one()
    await viewer.play()
    await publisher.publish()
    await viewer.sees()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for first in range(256):
            for size in (0, 1, 11, 12, 20, 300, 1400):
                stranger.sendto(bytes([first]) + os.urandom(size), ("127.0.0.1", clients.relay.media_port))
    await viewer.sees()
    async with httpx2.AsyncClient() as client:
        metrics = (await client.get(f"{clients.relay.url}/metrics")).text
    figures = dict(line.split(" ") for line in metrics.splitlines() if line and line[0] != "#")
    assert float(figures["xunlu_streaming_datagrams_strange_total"]) > 0
    assert float(figures["xunlu_streaming_datagrams_malformed_total"]) > 0
