"""Publishing by WHIP (RFC 9725): the offer goes out by POST, the answer comes back, DELETE ends it.

`http.client` in a thread; cancelling closes the socket under it, so that no thread outlives its caller by long.
"""

import asyncio
import contextlib
import http.client
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xunlu_edge.errors import LiveError
from xunlu_edge.media.sdp import SDP_BYTES_MAX
from xunlu_edge.media.way import IceServer
from xunlu_edge.web import WebError, connection_to, hang_up

REDIRECTS_MAX = 3
TIMEOUT_S = 12.0
RETRY_AFTER_S_MAX = 60.0
WHY_CHARACTERS = 120
SDP_TYPE = "application/sdp"

_LINK = re.compile(r"<([^<>]{1,500})>((?:\s*;\s*[a-z-]{1,20}=(?:\"[^\"]{0,200}\"|[^\s;,\"]{1,200})){1,8})")
_PARAMETER = re.compile(r"([a-z-]+)=(?:\"([^\"]*)\"|([^\s;,\"]+))")


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A session at the relay.

    Attributes:
        url: to be deleted at the end.
        token: bearer token that began it.
        answer: SDP.
        ice_servers: that the relay names.
    """

    url: str
    token: str
    answer: str
    ice_servers: tuple[IceServer, ...]


class RefusalError(LiveError):
    """The relay said no.

    Attributes:
        status: of HTTP.
        retry_after_s: after which it may be asked again.
    """

    def __init__(self, status: int, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"The relay refused the publication ({status}{why and f': {why}'}).")
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_final(self) -> bool:
        """Whether asking again with this token is of no use: nobody watches, or the token does not count.

        A path that is taken (409) may be so by our own session of before, which the relay has not missed yet.
        """
        return 400 <= self.status < 500 and self.status not in (408, 409, 425, 429)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    links: tuple[str, ...]
    body: bytes


class WhipClient:
    """Speaks to relays."""

    def __init__(self, ca_file: Path | None) -> None:
        """Describe the client.

        Args:
            ca_file: PEM file that a relay's certificate must chain to; None trusts the system's authorities.
        """
        self._ca_file = ca_file

    async def publish(
        self, url: str, token: str, offer: str, *, is_wanted: Callable[[], bool] = lambda: True
    ) -> Resource | None:
        """Offer a session.

        Args:
            url: of the endpoint; redirections with 307 are followed.
            token: bearer token.
            offer: SDP.
            is_wanted: asked once the connection stands; False lets go of it before anything was sent.

        Returns:
            The session; None when it was not wanted any more.

        Raises:
            RefusalError: the relay said no.
            LiveError: it cannot be reached, or does not speak WHIP.
        """
        headers = {"Content-Type": SDP_TYPE, "Accept": SDP_TYPE, "Authorization": f"Bearer {token}"}
        for _ in range(REDIRECTS_MAX + 1):
            response = await self._request("POST", url, headers, offer.encode(), is_wanted)
            if response is None:
                return None
            if response.status != 307:
                return _resource(url, token, response)
            url = _redirected(url, response.headers.get("location", ""))
        raise LiveError("The relay redirects in a circle.")

    async def delete(self, resource: Resource) -> None:
        """End a session; a relay that cannot be reached will notice by itself."""
        with contextlib.suppress(LiveError):
            await self._request("DELETE", resource.url, {"Authorization": f"Bearer {resource.token}"}, None)

    async def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> _Response | None:
        connection, target = self._connection(url)

        def exchange() -> _Response | None:
            connection.connect()
            if not is_wanted():
                return None
            connection.request(method, target, body, dict(headers))
            return _read(connection.getresponse())

        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await asyncio.to_thread(exchange)
        except (OSError, http.client.HTTPException, TimeoutError) as error:
            raise LiveError(f"The relay cannot be reached: {str(error) or type(error).__name__}.") from error
        finally:
            hang_up(connection)

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        try:
            return connection_to(url, self._ca_file)
        except WebError as error:
            raise LiveError(f"The relay cannot be reached: {error}") from error


def _read(response: http.client.HTTPResponse) -> _Response:
    body = response.read(SDP_BYTES_MAX + 1)
    headers = {name.lower(): value for name, value in response.getheaders()}
    links = tuple(response.headers.get_all("Link") or ())
    return _Response(status=response.status, headers=headers, links=links, body=body)


def _redirected(url: str, location: str) -> str:
    """Where a redirection leads (RFC 9725 §4.5); the token never leaves TLS."""
    target = urllib.parse.urljoin(url, location)
    if not location or (url.startswith("https:") and not target.startswith("https:")):
        raise LiveError("The relay redirects to a place that cannot be used.")
    return target


def _resource(url: str, token: str, response: _Response) -> Resource:
    if response.status != 201:
        raise RefusalError(response.status, _why(response), _retry_after_s(response.headers.get("retry-after")))
    location = response.headers.get("location")
    is_sdp = response.headers.get("content-type", "").partition(";")[0].strip().lower() == SDP_TYPE
    if location is None or not is_sdp or len(response.body) > SDP_BYTES_MAX:
        raise LiveError("The relay's answer is not that of a WHIP server; check the address.")
    return Resource(
        url=_redirected(url, location),
        token=token,
        answer=response.body.decode(errors="replace"),
        ice_servers=ice_servers(response.links),
    )


def _why(response: _Response) -> str:
    """The first words of what it says, on one line."""
    return " ".join(response.body.decode(errors="replace").split())[:WHY_CHARACTERS]


def _retry_after_s(value: str | None) -> float | None:
    """Seconds of `Retry-After` (RFC 9110 §10.2.3); the form with a date is not worth a clock that may be wrong."""
    return min(float(value), RETRY_AFTER_S_MAX) if value is not None and value.isascii() and value.isdigit() else None


def ice_servers(links: tuple[str, ...]) -> tuple[IceServer, ...]:
    """The servers that `Link` headers with `rel="ice-server"` name."""
    out = []
    for match in (match for link in links for match in _LINK.finditer(link)):
        url, rest = match.groups()
        parameters = {name: quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
        if parameters.get("rel") == "ice-server":
            server = IceServer(url=url, username=parameters.get("username"), credential=parameters.get("credential"))
            out.append(server)
    return tuple(out)
