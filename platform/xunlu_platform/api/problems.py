"""Problem documents (RFC 9457): every error tells a person what to do, and a program a stable name."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from xunlu_gis.errors import ZoneError
from xunlu_kit.errors import TransportError
from xunlu_platform.errors import ConflictError, NotFoundError, StoreError, TooMuchError, UnstorableError
from xunlu_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
FIELD_ERRORS_MAX = 20


Value = str | int | float


class Complaint(TypedDict):
    """One thing that is wrong; who has words of their own for a `reason` fills the `values` in."""

    field: NotRequired[str]
    reason: str
    message: str
    values: Mapping[str, Value]


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An answer that is an error.

    Attributes:
        status: HTTP status.
        name: stable last part of `type`.
        title: what is wrong.
        detail: what to do.
        headers: of the answer.
        errors: what exactly is wrong.
    """

    def __init__(
        self,
        status: HTTPStatus,
        name: str,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Complaint] = (),
    ) -> None:
        super().__init__(title)
        self.status = status
        self.name = name
        self.title = title
        self.detail = detail
        self.headers = headers
        self.errors = errors


def not_found(what: str) -> Problem:
    """Nothing of that name within the caller's scope: outside of it is the same."""
    return Problem(HTTPStatus.NOT_FOUND, "not-found", f"There is no such {what}.", "Look it up in the list again.")


def conflict(reason: str, title: str, detail: str, **values: Value) -> Problem:
    """What is stored forbids the change; `values` are filled into the title."""
    title = title.format(**values)
    complaint = Complaint(reason=reason, message=f"{title} {detail}", values=values)
    return Problem(HTTPStatus.CONFLICT, "conflict", title, detail, errors=[complaint])


def invalid(field: str, reason: str, message: str, **values: Value) -> Problem:
    """A value that only the server could judge; `values` are filled into the message."""
    message = message.format(**values)
    complaint = Complaint(field=field, reason=reason, message=message, values=values)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{field} cannot be taken.", message, errors=[complaint])


def no_zone(error: ZoneError) -> Complaint:
    """Why something can be no zone."""
    return Complaint(reason=f"zone-{error.code}", message=str(error), values=error.values)


def undrawable(field: str, error: ZoneError) -> Problem:
    """A drawing or a file of them that can be no zone."""
    complaint = Complaint(field=field, **no_zone(error))
    title = f"{field} cannot be taken."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", title, str(error), errors=[complaint])


def complaint_of(error: ErrorDetails) -> Complaint:
    """A field that its type does not allow, with the reason in pydantic's words."""
    values = {name: value for name, value in error.get("ctx", {}).items() if isinstance(value, Value)}
    field = ".".join(str(part) for part in error["loc"])
    return Complaint(field=field, reason=error["type"], message=error["msg"], values=values)


def problem_response(
    status: int,
    name: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[Complaint] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Render a problem."""
    body: dict[str, Any] = {"type": f"/problems/{name}", "title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, headers, MEDIA_TYPE)


async def answer_to(request: Request, error: Exception) -> Response:
    """The problem document of an error, as the application answers it."""
    handlers = request.app.exception_handlers
    handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    answer: Response = await handler(request, error)
    return answer


def handle_problems(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(ProtocolError, _protocol)
    app.add_exception_handler(TransportError, _transport)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(
        error.status, error.name, error.title, error.detail, errors=error.errors, headers=error.headers
    )


_HTTP_DETAILS = {
    404: "Nothing is at this address. /openapi.json lists what there is.",
    405: "This address takes other methods; the header Allow names them.",
    413: "Send less at once.",
}


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    name = status.phrase.lower().replace(" ", "-")
    detail = _HTTP_DETAILS.get(status, str(error.detail))
    return problem_response(status, name, f"{status.phrase}.", detail, headers=error.headers)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [complaint_of(complaint) for complaint in error.errors()[:FIELD_ERRORS_MAX]]
    detail = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:3])
    return problem_response(422, "invalid", "Some fields cannot be taken.", detail, errors=fields)


async def _store(request: Request, error: Exception) -> JSONResponse:
    detail = str(error)
    if isinstance(error, NotFoundError):
        return problem_response(404, "not-found", "Nothing was found.", detail)
    if isinstance(error, TooMuchError):
        return problem_response(422, "too-much", "The answer would be too large.", detail)
    if isinstance(error, ConflictError | UnstorableError):
        complaints = [Complaint(reason=error.reason, message=detail, values={})]
        if isinstance(error, UnstorableError):
            return problem_response(422, "invalid", "A value cannot be stored.", detail, errors=complaints)
        return problem_response(409, "conflict", "The change does not fit what is stored.", detail, errors=complaints)
    log.error("database refused a request", extra={"path": request.url.path, "error": repr(error.__cause__ or error)})
    return problem_response(503, "database-unreachable", "The database does not answer.", "Try again in a moment.")


async def _protocol(_request: Request, error: Exception) -> JSONResponse:
    return problem_response(422, "invalid", "A value breaks the protocol.", str(error))


async def _transport(request: Request, error: Exception) -> JSONResponse:
    log.error("broker refused a request", extra={"path": request.url.path, "error": str(error)})
    return problem_response(503, "broker-unreachable", "The message broker does not answer.", "Try again in a moment.")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", extra={"path": request.url.path, "method": request.method}, exc_info=error)
    return problem_response(
        500, "unexpected", "The server made a mistake.", "Tell the administrator the time and page."
    )
