"""What a request carries: bounded in size and time, and of the type that is asked for."""

import asyncio
from http import HTTPStatus

from fastapi import Request
from starlette.requests import ClientDisconnect

from xunlu_streaming.http.problems import Problem

BODY_BYTES_MAX = 64 * 1024
BODY_TIMEOUT_S = 10.0

SDP = "application/sdp"
SDP_FRAGMENT = "application/trickle-ice-sdpfrag"


def require_type(request: Request, media_type: str) -> None:
    """Refuse another content type.

    Raises:
        Problem: 415.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != media_type:
        title = "The content type is another one."
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-type", title, f"Send {media_type}.")


async def read_text(request: Request) -> str:
    """The body as text.

    Raises:
        Problem: 400 when it is no UTF-8 or is cut off, 408 when it does not come, 413 when it is too large.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    detail = f"A request carries at most {BODY_BYTES_MAX} bytes."
                    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                    raise Problem(status, "content-too-large", "The request is too large.", detail)
        return body.decode()
    except TimeoutError as error:
        title = "The body did not come."
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "timeout", title, "Send the request at once.") from error
    except (ClientDisconnect, UnicodeDecodeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "body", "The body is no text.", "Send SDP in UTF-8.") from error
