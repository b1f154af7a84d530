"""WHIP and WHEP as a client speaks them, request by request, with offers of real clients."""

import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import httpx2

from tests.media import Relay
from tests.unit.xunlu_streaming.captured import offer_text
from xunlu_protocol.media import Action

FRAGMENT = "application/trickle-ice-sdpfrag"


@dataclass(kw_only=True)
class Endpoint:
    """A path of its own at one worker.

    Attributes:
        relay: the worker.
        protocol: `whip` or `whep`.
        client: of HTTP.
        path: nobody else's.
        token: good for it.
    """

    relay: Relay
    protocol: Literal["whip", "whep"]
    client: httpx2.AsyncClient
    path: str = field(default_factory=lambda: f"D{secrets.token_hex(6)}")
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.relay.token(self.path, self.action)

    @property
    def action(self) -> Action:
        return "publish" if self.protocol == "whip" else "play"

    @property
    def url(self) -> str:
        return f"{self.relay.url}/{self.protocol}/{self.path}"

    @property
    def offer(self) -> str:
        return offer_text("chromium-publisher" if self.protocol == "whip" else "chromium-viewer")

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def again(self) -> "Endpoint":
        """The same path with a fresh token: one plays in one session at a time."""
        return replace(self)

    async def request(self, method: str, url: str = "", **headers: str) -> httpx2.Response:
        """A request without a body."""
        return await self.client.request(method, url or self.url, headers=_named(headers))

    async def post(self, offer: str | bytes | None = None, **headers: str | None) -> httpx2.Response:
        """Begin a session; a header that is None is left out."""
        usual = {**self.bearer, "Content-Type": "application/sdp"}
        wanted = {name: value for name, value in (usual | _named(headers)).items() if value is not None}
        content = self.offer if offer is None else offer
        return await self.client.post(self.url, content=content, headers=wanted)

    async def begin(self) -> "Session":
        """Begin a session."""
        answer = await self.post()
        assert answer.status_code == 201, answer.text
        return Session(endpoint=self, answer=answer)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session that has begun."""

    endpoint: Endpoint
    answer: httpx2.Response

    @property
    def url(self) -> str:
        return str(httpx2.URL(self.endpoint.url).join(self.answer.headers["location"]))

    @property
    def tag(self) -> str:
        return str(self.answer.headers["etag"])

    async def patch(self, fragment: str, **headers: str | None) -> httpx2.Response:
        """Trickle; a header that is None is left out."""
        usual = {**self.endpoint.bearer, "Content-Type": FRAGMENT, "If-Match": self.tag}
        wanted = {name: value for name, value in (usual | _named(headers)).items() if value is not None}
        return await self.endpoint.client.patch(self.url, content=fragment, headers=wanted)

    async def delete(self, **headers: str) -> httpx2.Response:
        """End it."""
        return await self.endpoint.request("DELETE", self.url, **self.endpoint.bearer, **headers)


def fragment(offer: str, *candidates: str) -> str:
    """What a client trickles after its offer."""
    lines = [line for line in offer.split("\r\n") if line.startswith(("a=ice-ufrag", "a=ice-pwd"))][:2]
    lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", *(f"a=candidate:{one}" for one in candidates)]
    return "\r\n".join([*lines, "a=end-of-candidates", ""])


def answer_lines(answer: httpx2.Response) -> tuple[list[str], list[list[str]]]:
    """Lines of the session, and of every media description."""
    head, *media = answer.text.split("m=")
    return head.splitlines(), [f"m={one}".splitlines() for one in media]


def problem(answer: httpx2.Response) -> str:
    """Name of a problem document (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == answer.status_code
    assert said["title"]
    assert said["detail"]
    return str(said["type"]).removeprefix("/problems/")


def _named(headers: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}
