"""HTTP to our servers with the standard library; it blocks, so threads use it."""

import contextlib
import http.client
import socket
import ssl
import urllib.parse
from pathlib import Path

from xunlu_edge.errors import DeviceError

SOCKET_TIMEOUT_S = 5.0
URL_CHARACTERS_SHOWN = 120


class WebError(DeviceError):
    """A server cannot be reached, or does not answer as it should."""


def connection_to(url: str, ca_file: Path | None) -> tuple[http.client.HTTPConnection, str]:
    """A connection that is not opened yet, and what to ask it for.

    Args:
        url: `http` or `https`.
        ca_file: PEM file that the server's certificate must chain to; None trusts the system's authorities.

    Raises:
        WebError: it is no such address, or the authority cannot be read.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise WebError(f"{url[:URL_CHARACTERS_SHOWN]!r} is no address of a server.") from error
    if not host or parts.scheme not in ("http", "https"):
        raise WebError(f"{url[:URL_CHARACTERS_SHOWN]!r} is no address of a server.")
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=SOCKET_TIMEOUT_S), target
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise WebError(f"The certificate authority cannot be read: {error}.") from error
    return http.client.HTTPSConnection(host, port, timeout=SOCKET_TIMEOUT_S, context=context), target


def hang_up(connection: http.client.HTTPConnection) -> None:
    """Close, waking a thread that may still wait for it."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
