"""Asking a process on this machine whether it is ready."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

from xunlu_deploy.errors import DeployError

PROBE_S = 3.0
ANSWER_BYTES_MAX = 4096


def http_ready(host: str, port: int, path: str = "/readyz", *, tls: bool = False) -> Callable[[], Awaitable[bool]]:
    """A check that `GET path` is answered with 200.

    The certificate is not verified: it names the host as others call it, and we ask over loopback.
    """
    context = _unverified() if tls else None
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    address = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not bound

    async def ready() -> bool:
        try:
            async with asyncio.timeout(PROBE_S):
                reader, writer = await asyncio.open_connection(address, port, ssl=context)
                writer.write(request)
                status = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return status[:ANSWER_BYTES_MAX].split(b" ")[1:2] == [b"200"]

    return ready


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def always() -> bool:
    """For a process that shows no health page: it is ready when it runs."""
    return True


async def see_free(port: int, what: str, host: str = "127.0.0.1") -> None:
    """See that nobody listens on a port.

    Raises:
        DeployError: somebody does; says which port and how to move.
    """
    try:
        server = await asyncio.start_server(lambda _, writer: writer.close(), host, port)
    except OSError as error:
        raise DeployError(_taken(port, what)) from error
    server.close()
    await server.wait_closed()


def see_free_udp(port: int, what: str) -> None:
    """See that nobody takes datagrams on a port; see `see_free`."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", port))
    except OSError as error:
        raise DeployError(_taken(port, what)) from error


def _taken(port: int, what: str) -> str:
    return f"Port {port} ({what}) is in use by another program. Stop it, or move every port: PORT=9000 make demo"
