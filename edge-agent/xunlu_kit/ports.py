"""Ports of a server."""

import socket

from xunlu_kit.errors import ConfigError


def require_free_port(host: str, port: int, setting: str) -> None:
    """Complain in our own words before a server does in its: it would only say that an address is in use.

    Args:
        host: address that will be listened on.
        port: TCP port.
        setting: name of the environment variable that changes it.

    Raises:
        ConfigError: nobody can listen there.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise ConfigError(f"{host}:{port} cannot be listened on ({error.strerror}); set {setting}.") from error
