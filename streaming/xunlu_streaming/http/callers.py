"""Who asks: where a request comes from, and the token that it shows."""

import ipaddress
import math
from http import HTTPStatus

from starlette.requests import HTTPConnection

from xunlu_streaming.http.problems import Problem
from xunlu_streaming.http.throttle import Throttle

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(connection: HTTPConnection) -> Address | None:
    """Where a request comes from; None when that cannot be known.

    A proxy is believed when it runs on this machine: it appends whom it serves to `X-Forwarded-For`.
    """
    peer = _parsed(connection.client.host) if connection.client is not None else None
    hops = ",".join(connection.headers.getlist("x-forwarded-for"))
    if peer is not None and peer.is_loopback and hops:
        return _parsed(hops.rpartition(",")[2].strip())
    return peer


def is_this_machine(connection: HTTPConnection) -> bool:
    """Whether a request comes over loopback."""
    address = address_of(connection)
    return address is not None and address.is_loopback


def admit(connection: HTTPConnection, throttle: Throttle) -> None:
    """Bound the requests of an address; this machine's own are not counted.

    Raises:
        Problem: 429.
    """
    if is_this_machine(connection):
        return
    wait_s = throttle.wait_s(str(address_of(connection)))
    if wait_s:
        headers = {"Retry-After": str(math.ceil(wait_s))}
        detail = "Wait as long as Retry-After says."
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests come from here.", detail, headers
        )


def bearer(connection: HTTPConnection) -> str:
    """The token (RFC 6750 §2.1).

    Raises:
        Problem: 401 without one.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "token-missing",
            "There is no token.",
            "Send the header Authorization: Bearer TOKEN with a token of the platform.",
            {"WWW-Authenticate": "Bearer"},
        )
    return token.strip()


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
