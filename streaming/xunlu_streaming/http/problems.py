"""Problem documents (RFC 9457): every error tells a person what to do, and a program a stable name."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from prometheus_client import Counter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from xunlu_streaming.errors import (
    NotWantedError,
    OverloadedError,
    PathBusyError,
    SdpError,
    StreamError,
    TokenBusyError,
    TokenError,
    WithdrawnError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An answer that is an error.

    Attributes:
        status: HTTP status.
        name: stable last part of `type`, also what is counted.
        title: what is wrong.
        detail: what to do.
        headers: of the answer.
    """

    def __init__(
        self, status: HTTPStatus, name: str, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status = status
        self.name = name
        self.title = title
        self.detail = detail
        self.headers = headers

    def response(self) -> JSONResponse:
        """Render it."""
        body = {"type": f"/problems/{self.name}", "title": self.title, "status": self.status, "detail": self.detail}
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def of_stream(error: StreamError) -> Problem:
    """The one place where what the relay refuses becomes a status."""
    headers: dict[str, str] = {}
    match error:
        case SdpError(malformed=True):
            status, name, title = HTTPStatus.BAD_REQUEST, f"offer-{error.reason}", "The offer is malformed."
        case SdpError():
            status, name = HTTPStatus.UNPROCESSABLE_ENTITY, f"offer-{error.reason}"
            title = "The offer cannot be taken."
        case TokenError(reason="path" | "action"):
            status, name, title = HTTPStatus.FORBIDDEN, f"token-{error.reason}", "The token is for something else."
            headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
        case TokenError():
            status, name, title = HTTPStatus.UNAUTHORIZED, f"token-{error.reason}", "The token is not good."
            headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        case PathBusyError():
            status, name, title = HTTPStatus.CONFLICT, "path-busy", "Somebody publishes here already."
        case TokenBusyError():
            status, name, title = HTTPStatus.CONFLICT, "token-busy", "A session of this token goes on."
        case NotWantedError():
            status, name, title = HTTPStatus.GONE, "not-wanted", "Nobody receives this publication any more."
        case WithdrawnError():
            status, name, title = HTTPStatus.FORBIDDEN, "withdrawn", "The right to look has ended."
        case OverloadedError():
            status, name, title = HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "The relay is full."
            headers["Retry-After"] = str(error.retry_after_s)
        case _:
            status, name, title = HTTPStatus.BAD_REQUEST, "refused", "The relay refuses."
    return Problem(status, name, title, str(error), headers)


_DETAILS = {
    404: "Nothing is at this address. Publish at /whip/DEVICE, watch at /whep/DEVICE.",
    405: "This address takes other methods; the header Allow names them.",
}


def handle_problems(app: Starlette, refusals: Counter) -> None:
    """Make every error of the application a problem document.

    Args:
        app: the application.
        refusals: counts them by name, of which there are as many as there are reasons in our own code.
    """

    def answer(problem: Problem) -> JSONResponse:
        refusals.labels(problem.name).inc()
        return problem.response()

    async def on_problem(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return answer(error)

    async def on_stream(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StreamError)
        return answer(of_stream(error))

    async def on_http(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        name = status.phrase.lower().replace(" ", "-")
        detail = _DETAILS.get(status, str(error.detail))
        return answer(Problem(status, name, f"{status.phrase}.", detail, error.headers))

    async def on_other(request: Request, error: Exception) -> JSONResponse:
        # Without the query and the headers: a token may be among them.
        log.error("request failed", extra={"path": request.url.path, "method": request.method}, exc_info=error)
        detail = "Tell the administrator the time and what you did."
        return answer(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "The relay made a mistake.", detail))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(StreamError, on_stream)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_other)
