"""Who may call a route. Every route declares a permission; an application with one that does not refuses to start."""

import secrets
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.requests import HTTPConnection

from xunlu_kit.errors import ConfigError
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.services import address_of, services_of
from xunlu_platform.auth.logins import Caller, LoginKind, identify
from xunlu_platform.auth.roles import Permission

COOKIE = "xunlu_session"
CSRF_HEADER = "x-csrf-token"
TOKEN_LENGTH_MAX = 200
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """The dependency behind `allow`: identifies the caller and compares roles.

    Attributes:
        permission: what the caller's role must have; None admits everybody, signed in or not.
    """

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    async def __call__(self, connection: HTTPConnection) -> Caller | None:
        """Admit the caller.

        Raises:
            Problem: 401 without a login; 403 without CSRF token, before a forced change of password, or with too low
                a role.
        """
        if self.permission is None:
            return None
        caller = await caller_of(connection)
        if caller is None:
            raise sign_in_required()
        _check_csrf(connection, caller)
        if caller.must_change_password and self.permission != "self":
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "password-change-required",
                "The password must be changed first.",
                "POST the old and a new password to /api/v1/auth/password.",
            )
        if not caller.may(self.permission):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                "Your role does not allow this.",
                f"It needs the permission “{self.permission}”. Ask your administrator.",
            )
        return caller


def allow(permission: Permission) -> Any:  # noqa: ANN401  FastAPI's own marker
    """Dependency of a route: the caller, who has `permission`."""
    return Depends(Guard(permission))


def allow_everybody() -> Any:  # noqa: ANN401  FastAPI's own marker
    """Dependency of a route that needs no login, said aloud."""
    return Depends(Guard(None))


async def caller_of(connection: HTTPConnection) -> Caller | None:
    """Whose token the request or the WebSocket carries; bearer before cookie."""
    kind = kind_of(connection)
    if kind == "bearer":
        token = connection.headers["authorization"].partition(" ")[2]
    else:
        token = connection.cookies.get(COOKIE, "")
    if not token or len(token) > TOKEN_LENGTH_MAX:
        return None
    caller = await identify(services_of(connection).store, token.strip(), address_of(connection))
    # A browser's token is no bearer token, and the other way round: so no cookie escapes the CSRF check.
    return caller if caller is not None and caller.kind == kind else None


def kind_of(connection: HTTPConnection) -> LoginKind:
    """Whether a request speaks with a bearer token or, as all else does, with the cookie of a browser."""
    scheme = connection.headers.get("authorization", "").partition(" ")[0]
    return "bearer" if scheme.lower() == "bearer" else "cookie"


def sign_in_required() -> Problem:
    """401: no login, or one that has ended."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "sign-in-required",
        "You are not signed in.",
        "Sign in again: the login is missing, has ended, or was never good.",
        {"WWW-Authenticate": "Bearer"},
    )


def _check_csrf(connection: HTTPConnection, caller: Caller) -> None:
    if caller.kind != "cookie" or connection.scope.get("method", "GET") in _SAFE_METHODS:
        return
    if not secrets.compare_digest(connection.headers.get(CSRF_HEADER, "").encode(), caller.csrf_token.encode()):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "csrf",
            "The request does not come from our own page.",
            "Send the csrf_token of /api/v1/auth/me in the header X-CSRF-Token.",
        )


def guards(dependant: Dependant) -> Iterator[Guard]:
    """Every guard of a route."""
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Guard):
            yield dependency.call
        yield from guards(dependency)


def require_permissions(app: FastAPI) -> None:
    """Refuse to start with an unguarded route.

    Raises:
        ConfigError: names the route.
    """
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        # Without one it is the framework's own: the OpenAPI page.
        if dependant is not None and not any(guards(dependant)):
            raise ConfigError(f"The route {route.path} declares no permission: give it allow(…) or allow_everybody().")
