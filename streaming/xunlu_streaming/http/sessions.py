"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-04): one protocol, but for who sends.

The endpoint `/{protocol}/{path}` begins sessions, `/{protocol}/{path}/{session}` is one. Candidates that a
client trickles are for a relay that makes connectivity checks, which an ICE-lite one does not; ICE restarts are not
offered, because a client that changes its address keeps its session anyway.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response

from xunlu_protocol.media import Action
from xunlu_streaming.http.bodies import SDP, SDP_FRAGMENT, read_text, require_type
from xunlu_streaming.http.callers import admit, bearer
from xunlu_streaming.http.headers import PREFLIGHT_HEADERS
from xunlu_streaming.http.problems import Problem
from xunlu_streaming.http.signalling import Signalling
from xunlu_streaming.relay import Session
from xunlu_streaming.sdp import Offer
from xunlu_streaming.sdp_fragment import Fragment

_PATH = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STRONG_TAG = re.compile(r'(?<!W/)"([^"]*)"')
_ENDPOINT_METHODS = "GET, HEAD, OPTIONS, POST"
_SESSION_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH"


@dataclass(frozen=True, kw_only=True)
class SessionPages:
    """The pages of one of the two protocols.

    Attributes:
        signalling: what they work with.
        protocol: `whip` or `whep`.
        action: what a token must allow.
    """

    signalling: Signalling
    protocol: Literal["whip", "whep"]
    action: Action

    def router(self) -> APIRouter:
        """Their routes."""
        router = APIRouter(prefix=f"/{self.protocol}", tags=[self.protocol])
        endpoint, session = "/{path}", "/{path}/{session_id}"
        router.add_api_route(endpoint, self.begin, methods=["POST"], status_code=201)
        router.add_api_route(endpoint, self.show_endpoint, methods=["GET", "HEAD"])
        router.add_api_route(endpoint, self.allow_endpoint, methods=["OPTIONS"])
        router.add_api_route(session, self.end, methods=["DELETE"])
        router.add_api_route(session, self.trickle, methods=["PATCH"], status_code=204)
        router.add_api_route(session, self.show_session, methods=["GET", "HEAD"])
        router.add_api_route(session, self.allow_session, methods=["OPTIONS"])
        router.add_api_route(
            endpoint, self.refuse_endpoint, methods=["DELETE", "PATCH", "PUT"], include_in_schema=False
        )
        router.add_api_route(session, self.refuse_session, methods=["POST", "PUT"], include_in_schema=False)
        return router

    async def begin(self, request: Request, path: str) -> Response:
        """Begin a session: an offer comes, an answer goes (RFC 9725 §4.2)."""
        admit(request, self.signalling.throttle)
        _require_path(path)
        if (base := self.signalling.elsewhere(path)) is not None:
            query = f"?{request.url.query}" if request.url.query else ""
            return Response(status_code=307, headers={"Location": f"{base}{request.url.path}{query}"})
        claims = self.signalling.claims(bearer(request), path, self.action)
        require_type(request, SDP)
        offer = Offer.parse(await read_text(request))
        relay = self.signalling.relay
        session = await (relay.publish if self.action == "publish" else relay.play)(claims, offer)
        headers = {
            # Relative: the address that the client knows us by is the client's matter, and a proxy's.
            "Location": f"/{self.protocol}/{path}/{session.id}",
            "ETag": f'"{session.etag}"',
            "Accept-Patch": SDP_FRAGMENT,
        }
        response = Response(session.answer, 201, headers, SDP)
        for server in self.signalling.ice_servers:
            response.headers.append("Link", server.link)
        return response

    async def end(self, request: Request, path: str, session_id: str) -> Response:
        """End a session at once (RFC 9725 §4.2); entity tags do not matter (§4.3.1)."""
        admit(request, self.signalling.throttle)
        session = self._governed(request, path, session_id)
        await self.signalling.relay.end(path, session.id)
        return Response(status_code=200)

    async def trickle(self, request: Request, path: str, session_id: str) -> Response:
        """Take candidates (RFC 9725 §4.3.2), refuse restarts (§4.3.3)."""
        admit(request, self.signalling.throttle)
        session = self._governed(request, path, session_id)
        require_type(request, SDP_FRAGMENT)
        matches = request.headers.get("if-match", "").strip()
        if not matches:
            title = "The header If-Match is missing."
            detail = "Send the ETag of the session with its candidates."
            raise Problem(HTTPStatus.PRECONDITION_REQUIRED, "if-match-missing", title, detail)
        if matches != "*" and session.etag not in _STRONG_TAG.findall(matches):
            title = "The session has another entity tag."
            raise Problem(HTTPStatus.PRECONDITION_FAILED, "if-match", title, "Send the ETag of the 201 answer.")
        fragment = Fragment.parse(await read_text(request))
        if matches == "*" or fragment.ufrag not in {None, session.remote_ufrag}:
            title = "ICE restarts are not offered."
            detail = "Go on: a changed address is learnt from the next connectivity check. Or begin a new session."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "ice-restart", title, detail)
        await self.signalling.relay.trickle(path, session.id, fragment.candidates)
        return Response(status_code=204)

    async def show_endpoint(self, request: Request) -> Response:
        """Nothing is here to see (RFC 9725 §4.1); HEAD tells what is taken."""
        return _nothing(request)

    async def show_session(self, request: Request, path: str, session_id: str) -> Response:
        """Nothing is here to see, as long as there is such a session."""
        self._find(path, session_id)
        return _nothing(request)

    async def allow_endpoint(self) -> Response:
        """For other origins (RFC 9725 §4.2), without a token."""
        return _allowed(_ENDPOINT_METHODS, {"Accept-Post": SDP})

    async def allow_session(self) -> Response:
        """For other origins, without a token."""
        return _allowed(_SESSION_METHODS, {"Accept-Patch": SDP_FRAGMENT, "Accept-Post": SDP})

    async def refuse_endpoint(self) -> Response:
        """Methods that may mean something one day."""
        raise _no_method(_ENDPOINT_METHODS)

    async def refuse_session(self) -> Response:
        """Methods that may mean something one day."""
        raise _no_method(_SESSION_METHODS)

    def _governed(self, request: Request, path: str, session_id: str) -> Session:
        """The session, for who began it: the same token governs it, however old it is by now.

        Raises:
            Problem: 401, or 404 when the token began another one.
            TokenError: it is for something else.
        """
        claims = self.signalling.claims(bearer(request), path, self.action, begun=True)
        session = self._find(path, session_id)
        if session.claims.jti != claims.jti:
            raise _no_session()
        return session

    def _find(self, path: str, session_id: str) -> Session:
        session = self.signalling.relay.find(path, session_id)
        if session is None or session.claims.act != self.action:
            raise _no_session()
        return session


def _require_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        detail = "Publish at /whip/DEVICE, watch at /whep/DEVICE, with the device's name."
        raise Problem(HTTPStatus.NOT_FOUND, "not-found", "No path can have this name.", detail)


def _no_session() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "no-session", "There is no such session.", "It has ended. Begin a new one.")


def _no_method(methods: str) -> Problem:
    title, detail = "This address takes other methods.", f"It takes {methods}."
    return Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", title, detail, {"Allow": methods})


def _nothing(request: Request) -> Response:
    return Response(status_code=200, media_type=SDP) if request.method == "HEAD" else Response(status_code=204)


def _allowed(methods: str, headers: dict[str, str]) -> Response:
    return Response(
        status_code=200,
        headers={**PREFLIGHT_HEADERS, **headers, "Access-Control-Allow-Methods": methods, "Allow": methods},
    )
