"""What the API counts, for `/metrics`."""

import time

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("xunlu_api_requests_total", "Requests answered.", ["method", "status"])
REQUEST_SECONDS = Histogram("xunlu_api_request_seconds", "Time until an answer began.", ["method"])
SIGN_INS_REFUSED = Counter("xunlu_api_sign_ins_refused_total", "Sign-ins with a wrong name or password.")
NOTICES_LOST = Counter("xunlu_api_notices_lost_total", "Notices that the broker did not take.")
STREAMS_REFUSED = Counter("xunlu_api_streams_refused_total", "Event streams beyond the bound of their account.")
PHONES_OPEN = Gauge("xunlu_api_phones", "Duty telephones that are connected.")
PHONES_REFUSED = Counter("xunlu_api_phones_refused_total", "Duty telephones beyond the bound.")
PHONE_REPORTS_DROPPED = Counter(
    "xunlu_api_phone_reports_dropped_total", "Reports that the broker did not take; the telephone says them again."
)
CLAIMS = Counter("xunlu_api_claims_total", "Devices that asked for their identity.", ["status"])
CLAIMS_DROPPED = Counter("xunlu_api_claims_dropped_total", "Claims that came too fast or too often.")
THUMBNAILS_DROPPED = Counter("xunlu_api_thumbnails_dropped_total", "Thumbnails not kept.", ["reason"])

# A method is the caller's word: unknown ones must not become labels without end.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """ASGI middleware: counts and times every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                REQUESTS.labels(method, message["status"]).inc()
                REQUEST_SECONDS.labels(method).observe(time.perf_counter() - began_s)
            await send(message)

        await self._app(scope, receive, send_counted)
