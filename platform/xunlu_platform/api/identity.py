"""Signing in and out, and one's own password."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from ipaddress import IPv6Network
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from xunlu_platform.api.access import COOKIE, allow, allow_everybody
from xunlu_platform.api.audit import record
from xunlu_platform.api.metrics import SIGN_INS_REFUSED
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import Problem, invalid
from xunlu_platform.api.services import Services, Serving, address_of, came_over_tls
from xunlu_platform.auth.logins import Caller, Login, LoginKind, SignInError, sign_in, sign_out
from xunlu_platform.auth.passwords import LENGTH_MAX, LENGTH_MIN, Weakness, hash_password, verify_password, weakness

router = APIRouter(prefix="/auth", tags=["identity"])

# As many at once may miss each other's count; guesses sent in parallel must not get further than others.
_turns = asyncio.Semaphore(4)

Username = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Password = Annotated[str, Field(min_length=1, max_length=LENGTH_MAX)]

WEAKNESSES: dict[Weakness, str] = {
    "password-length": "Choose a password of {min} to {max} characters.",
    "password-user-name": "Choose a password without the user name in it.",
    "password-characters": "Choose a password with more different characters.",
}


class Credentials(BaseModel):
    """What a person types."""

    username: Username
    password: Password


class Token(Answer):
    """RFC 6749 §5.1."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the name of the scheme
    expires_in: int


class OwnUnit(Answer):
    """The part of the organisation that the account sees, from the top."""

    id: int
    name: str
    path: str


class Me(Answer):
    """Who is signed in."""

    username: str
    display_name: str
    role: str
    unit: OwnUnit
    must_change_password: bool
    csrf_token: str
    permissions: list[str]


class PasswordChange(BaseModel):
    """The old password proves that it is still the same person."""

    old: Password
    new: Password


@router.post("/token", dependencies=[allow_everybody()])
async def token(
    request: Request, services: Serving, username: Annotated[Username, Form()], password: Annotated[Password, Form()]
) -> Token:
    """A bearer token for programs."""
    login = await _sign_in(request, services, username, password, "bearer")
    return Token(access_token=login.token, expires_in=int(login.live_s))


@router.post("/login", dependencies=[allow_everybody()])
async def log_in(request: Request, response: Response, services: Serving, credentials: Credentials) -> Me:
    """A cookie for the console."""
    login = await _sign_in(request, services, credentials.username, credentials.password, "cookie")
    response.set_cookie(
        COOKIE,
        login.token,
        max_age=int(login.live_s),
        httponly=True,
        samesite="strict",
        secure=came_over_tls(request),
    )
    return _me(login.caller)


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
async def log_out(response: Response, services: Serving, caller: Annotated[Caller, allow("self")]) -> None:
    """End this login."""
    await sign_out(services.store, caller)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


@router.get("/me")
async def me(caller: Annotated[Caller, allow("self")]) -> Me:
    """Who is signed in, and what that role may do."""
    return _me(caller)


@router.post("/password", status_code=HTTPStatus.NO_CONTENT)
async def change_password(services: Serving, caller: Annotated[Caller, allow("self")], change: PasswordChange) -> None:
    """Choose another password; all other logins of the account end."""
    async with _attempt(services, caller.address):
        async with services.store.session(caller.scope) as session:
            row = await session.one("accounts", "password_hash", {"id": caller.account_id})
        if not await verify_password(change.old, row["password_hash"] if row else None):
            services.sign_ins.count(_counted(caller.address))
            raise invalid("old", "old-password", "The old password is wrong.")
    if change.new == change.old:
        raise invalid("new", "same-password", "Choose a password that is not the old one.")
    if why := weakness(change.new, caller.username):
        raise invalid("new", why, WEAKNESSES[why], min=LENGTH_MIN, max=LENGTH_MAX)
    values = {"id": caller.account_id, "password_hash": await hash_password(change.new), "must_change": False}
    async with services.store.session(caller.scope) as session:
        await session.run("accounts", "set_password", values)
        await session.run("accounts", "end_logins", {"id": caller.account_id, "but": caller.token_hash})
        await record(session, caller, "password.change", caller.username)


async def _sign_in(request: Request, services: Services, username: str, password: str, kind: LoginKind) -> Login:
    address = address_of(request)
    live_s = services.settings.login_hours * 3600
    async with _attempt(services, address):
        try:
            login = await sign_in(services.store, username, password, kind=kind, live_s=live_s, address=address)
        except SignInError as error:
            services.sign_ins.count(_counted(address))
            SIGN_INS_REFUSED.inc()
            title = "The sign-in was refused."
            raise Problem(HTTPStatus.UNAUTHORIZED, "sign-in-refused", title, str(error)) from error
    async with services.store.session(login.caller.scope) as session:
        await record(session, login.caller, "login.begin", login.caller.username, kind=kind)
    return login


@contextlib.asynccontextmanager
async def _attempt(services: Services, address: str | None) -> AsyncIterator[None]:
    """A turn to show a password; who waited for it behind guesses of the same address is counted by them."""
    async with _turns:
        if wait_s := services.sign_ins.wait_s(_counted(address)):
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-sign-ins",
                "Too many failed sign-ins from this address.",
                f"Try again in {wait_s / 60:.0f} minutes.",
                {"Retry-After": str(int(wait_s) + 1)},
            )
        yield


def _counted(address: str | None) -> str:
    """What failures are counted against: of IPv6 the /64, for one machine may take any address of it."""
    if address is None or ":" not in address:
        return address or ""
    return str(IPv6Network((address, 64), strict=False))


def _me(caller: Caller) -> Me:
    return Me(
        username=caller.username,
        display_name=caller.display_name,
        role=caller.role,
        unit=OwnUnit(id=caller.unit_id, name=caller.unit_name, path=caller.unit_path),
        must_change_password=caller.must_change_password,
        csrf_token=caller.csrf_token,
        permissions=sorted(caller.permissions),
    )
