"""The camera of a recorder, as far as the relay can tell: a moving picture, published by WHIP, that can stand still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction

import av
import httpx2
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack

from tests.media import Relay

WIDTH, HEIGHT = 320, 180


class Scene(VideoStreamTrack):
    """A picture whose brightness counts its frames.

    Attributes:
        running: cleared, no further frame comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.running = asyncio.Event()
        self.running.set()

    async def recv(self) -> av.VideoFrame:
        """The next frame, in its time."""
        await self.running.wait()
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        shade = pts // 3000 % 200 + 20
        for plane, value in zip(frame.planes, (shade, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, Fraction(time_base)
        return frame


@asynccontextmanager
async def publishing(relay: Relay, did: str, codec: str = "VP8") -> AsyncIterator[Scene]:
    """A recorder that publishes until the end."""
    scene = Scene()
    connection = RTCPeerConnection(RTCConfiguration([]))
    try:
        wanted = {f"video/{codec}", "video/rtx"}
        codecs = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType in wanted]
        connection.addTransceiver(scene, "sendonly").setCodecPreferences(codecs)
        await connection.setLocalDescription(await connection.createOffer())
        async with httpx2.AsyncClient() as client:
            offer = connection.localDescription.sdp
            answer = await client.post(f"{relay.url}/whip/{did}", content=offer, headers=relay.headers(did, "publish"))
        assert answer.status_code == 201, answer.text
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        yield scene
    finally:
        await connection.close()
