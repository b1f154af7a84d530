"""How a client agrees with a server: WHIP and WHEP, or the HTTP interface of Janus."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any, Protocol
from urllib.parse import urljoin

import httpx2

from tests.benchmarks.media import sdp

TIMEOUT_S = 30.0


class RefusedError(Exception):
    """The server wants no such client; the text says why."""


class Signalling(Protocol):
    """One client's way to one server."""

    async def agree(self, local: sdp.Local) -> sdp.Remote:
        """Exchange offer and answer."""

    async def end(self) -> None:
        """Tell the server that the client leaves."""


class Http:
    """WHIP (RFC 9725) or WHEP: the client offers."""

    def __init__(self, client: httpx2.AsyncClient, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session = ""

    async def agree(self, local: sdp.Local) -> sdp.Remote:
        """POST the offer.

        Raises:
            RefusedError: any status but 201.
        """
        headers = self._headers | {"Content-Type": "application/sdp"}
        response = await self._client.post(self._url, content=sdp.written(local), headers=headers)
        if response.status_code != httpx2.codes.CREATED:
            raise RefusedError(f"{response.status_code} {response.text}")
        self._session = urljoin(self._url, response.headers["Location"])
        return sdp.read(response.text)

    async def end(self) -> None:
        """DELETE the session."""
        await self._client.delete(self._session, headers=self._headers)


class Janus:
    """One session of Janus' HTTP transport; every viewer is a handle of its Streaming plugin."""

    def __init__(self, client: httpx2.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._offers: dict[int, asyncio.Future[str]] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, client: httpx2.AsyncClient, url: str) -> AsyncIterator["Janus"]:
        """Make the session and listen to its events."""
        made = await _ask(client, url, {"janus": "create"})
        session = cls(client, f"{url}/{made['data']['id']}")
        listening = asyncio.create_task(session._listen(), name="janus-events")
        try:
            yield session
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            events = (await self._client.get(self._url, params={"maxev": 20})).json()
            for event in events if isinstance(events, list) else [events]:
                offer = self._offers.pop(event.get("sender", 0), None)
                if offer is not None and "jsep" in event:
                    offer.set_result(event["jsep"]["sdp"])

    async def watch(self, mountpoint: int) -> tuple[str, str]:
        """Ask for a mountpoint; returns the handle's address and the offer of Janus."""
        made = await _ask(self._client, self._url, {"janus": "attach", "plugin": "janus.plugin.streaming"})
        handle: int = made["data"]["id"]
        offer = self._offers[handle] = asyncio.get_running_loop().create_future()
        url = f"{self._url}/{handle}"
        await _ask(self._client, url, {"janus": "message", "body": {"request": "watch", "id": mountpoint}})
        return url, await asyncio.wait_for(offer, TIMEOUT_S)

    async def start(self, url: str, answer: str) -> None:
        """Answer the offer of a handle."""
        message = {"janus": "message", "body": {"request": "start"}, "jsep": {"type": "answer", "sdp": answer}}
        await _ask(self._client, url, message)

    async def detach(self, url: str) -> None:
        """Give up a handle."""
        await _ask(self._client, url, {"janus": "detach"})


class JanusViewer:
    """A viewer of a mountpoint: Janus offers, the client answers."""

    def __init__(self, janus: Janus, mountpoint: int) -> None:
        self._janus = janus
        self._mountpoint = mountpoint
        self._handle = ""

    async def agree(self, local: sdp.Local) -> sdp.Remote:
        """Watch, and start."""
        self._handle, offer = await self._janus.watch(self._mountpoint)
        remote = sdp.read(offer)
        answer = sdp.written(local, mid=remote.mid, payload_type=remote.payload_type, repair_type=remote.repair_type)
        await self._janus.start(self._handle, answer)
        return remote

    async def end(self) -> None:
        """Detach the handle."""
        await self._janus.detach(self._handle)


async def _ask(client: httpx2.AsyncClient, url: str, message: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(url, json=message | {"transaction": secrets.token_hex(6)})
    answer: dict[str, Any] = response.json()
    if answer.get("janus") == "error":
        raise RefusedError(str(answer["error"]))
    return answer
