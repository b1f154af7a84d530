"""A WHIP server that nobody here wrote the media part of: stock aiortc behind a few lines of HTTP."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

import aioice.ice
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from xunlu_edge.media import strip
from xunlu_sim.udp_impairment import UdpLink, UdpOptions, impaired_udp

CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host.*\r\n")


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """An answer without a session."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Seen:
    """A decoded picture: when it came (loop time), the time in it, and its size."""

    at_s: float
    utc_ms: int | None
    size: tuple[int, int]


class Relay:
    """Takes offers, decodes what comes, and can be told to refuse.

    Attributes:
        url: of the endpoint.
        scripted: answers for the next offers, in order; after them, sessions.
        always: the answer to every further offer.
        headers: more of them in the answers of sessions.
        requests: method, path and authorisation of every request.
        offers: SDP of every offer.
        seen: pictures.
        heard: samples of sound.
        link: the impaired way of the newest session.
    """

    def __init__(self, options: UdpOptions | None = None) -> None:
        self.url = ""
        self.scripted: list[Scripted] = []
        self.always: Scripted | None = None
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.offers: list[str] = []
        self.seen: list[Seen] = []
        self.heard = 0
        self.arrived = asyncio.Event()
        self.links: list[UdpLink] = []
        self.sessions: list[RTCPeerConnection] = []
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def link(self) -> UdpLink:
        return self.links[-1]

    @property
    def counts(self) -> Counter[str]:
        return Counter(method for method, _, _ in self.requests)

    async def __aenter__(self) -> Self:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        await self._stack.enter_async_context(server)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/whip/SIM0001"
        return self

    async def __aexit__(self, *_: object) -> None:
        # Whoever closes a session that is still being made leaves its sockets open.
        await asyncio.gather(*self._answering, return_exceptions=True)
        for session in self.sessions:
            await session.close()
        await self._stack.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until_seen(self, count: int, *, after_s: float = 0.0, timeout_s: float = 45) -> list[Seen]:
        """Wait for pictures that came after a moment."""
        async with asyncio.timeout(timeout_s):
            while len(seen := [each for each in self.seen if each.at_s > after_s]) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return seen

    async def until_shown(self, utc_ms: int, *, timeout_s: float = 45) -> list[Seen]:
        """Wait for the first picture that was taken after a moment."""
        async with asyncio.timeout(timeout_s):
            while not (shown := [each for each in self.seen if each.utc_ms is not None and each.utc_ms > utc_ms]):
                self.arrived.clear()
                await self.arrived.wait()
        return shown[:1]

    async def until_asked(self, method: str, *, timeout_s: float = 30) -> None:
        """Wait for a request."""
        async with asyncio.timeout(timeout_s):
            while not self.counts[method]:
                self.arrived.clear()
                await self.arrived.wait()

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, OSError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            headers = {name.lower(): value for name, value in re.findall(r"([\w-]+): (.*)\r\n", head)}
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
            self.requests.append((method, path, headers.get("authorization", "")))
            self.arrived.set()
            answer = await self._decide(method, body)
            lines = [f"HTTP/1.1 {answer.status} Told", *(f"{name}: {value}" for name, value in answer.headers.items())]
            lines += [f"Content-Length: {len(answer.body.encode())}", "Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode() + answer.body.encode())
            await writer.drain()

    async def _decide(self, method: str, body: str) -> Scripted:
        if method == "DELETE":
            return Scripted(status=200)
        self.offers.append(body)
        if self.scripted:
            return self.scripted.pop(0)
        if self.always is not None:
            return self.always
        headers = {"Content-Type": "application/sdp", "Location": f"/whip/session/{len(self.sessions)}"}
        return Scripted(status=201, headers=headers | self.headers, body=await self._session(body))

    async def _session(self, offer: str) -> str:
        session = RTCPeerConnection()
        self.sessions.append(session)
        session.on("track", self._on_track)
        await session.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await session.setLocalDescription(await session.createAnswer())
        answer = session.localDescription.sdp
        # aiortc answers `active` and would shake hands at once; a relay waits for the publisher.
        found = CANDIDATE.search(answer)
        assert found is not None
        link = await self._stack.enter_async_context(impaired_udp(found[1], int(found[2]), self._options))
        self.links.append(link)
        return CANDIDATE.sub(f"a=candidate:1 1 udp 2130706431 127.0.0.1 {link.port} typ host\r\n", answer)

    # -- media --------------------------------------------------------------------------------------------------------

    def _on_track(self, track: MediaStreamTrack) -> None:
        task = asyncio.create_task(self._take(track))
        self._tasks.add(task)

    async def _take(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, VideoFrame):
                    luma = frame.planes[0]
                    shown = strip.read(memoryview(luma), luma.line_size, frame.width, frame.height)
                    self.seen.append(Seen(loop.time(), shown, (frame.width, frame.height)))
                    self.arrived.set()
                elif isinstance(frame, AudioFrame):
                    self.heard += frame.samples


@contextlib.asynccontextmanager
async def relay(monkeypatch: pytest.MonkeyPatch, options: UdpOptions | None = None) -> AsyncIterator[Relay]:
    """A relay on loopback, which aioice would not use by itself."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    async with Relay(options) as running:
        yield running
