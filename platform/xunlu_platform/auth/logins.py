"""Signing in and what it gives: opaque tokens of 256 bits, of which the database keeps only the SHA-256."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Literal

from xunlu_kit.errors import XunluError
from xunlu_platform.auth.passwords import verify_password
from xunlu_platform.auth.roles import PERMISSIONS, Permission, Role
from xunlu_platform.store.store import SYSTEM, Row, Scope, Store

ACCOUNT_FAILURES_MAX = 10
ACCOUNT_LOCK_S = 15 * 60
REFUSAL = "The user name or the password is wrong, or the account is locked for a while."

LoginKind = Literal["cookie", "bearer"]


class SignInError(XunluError):
    """Wrong name, wrong password, a locked or a disabled account: nobody outside learns which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks, as the database knew it a moment ago."""

    account_id: int
    username: str
    display_name: str
    role: Role
    officer_id: int | None
    unit_id: int
    unit_name: str
    unit_path: str
    must_change_password: bool
    kind: LoginKind
    csrf_token: str
    token_hash: bytes = field(repr=False)
    address: str | None = None

    @property
    def scope(self) -> Scope:
        """What the caller sees: their unit and below; an officer only themselves and what they wear."""
        # No officer has the id 0: an account of the role `officer` that belongs to nobody sees nothing.
        return Scope(self.unit_path, (self.officer_id or 0) if self.role == "officer" else None)

    def may(self, permission: Permission) -> bool:
        """Whether the caller has a permission."""
        return permission in self.permissions

    @property
    def permissions(self) -> frozenset[Permission]:
        """Those of the role. What concerns the installation as a whole needs an account of its highest unit."""
        at_the_top = self.unit_path.count("/") == 2
        return PERMISSIONS[self.role] if at_the_top else PERMISSIONS[self.role] - {"system"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A fresh login: the token is told this one time."""

    token: str = field(repr=False)
    caller: Caller
    live_s: float


def hash_token(token: str) -> bytes:
    """What is stored of a token. Random tokens need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


async def sign_in(
    store: Store, username: str, password: str, *, kind: LoginKind, live_s: float, address: str | None
) -> Login:
    """Check a password and begin a login.

    Args:
        store: the database.
        username: in any case.
        password: as typed.
        kind: for a browser's cookie or a program's bearer token.
        live_s: seconds that the login lives.
        address: where from, for the record.

    Raises:
        SignInError: refused; the failure is counted against the account.
    """
    async with store.session(SYSTEM) as session:
        row = await session.one("accounts", "by_username", {"username": username})
    right = await verify_password(password, row["password_hash"] if row else None)
    if row is None or row["disabled"] or row["locked"] or not right:
        if row is not None and not row["locked"]:
            await _count_failure(store, row, address)
        raise SignInError(REFUSAL)
    token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    token_hash = hash_token(token)
    values = {"token_hash": token_hash, "account_id": row["id"], "kind": kind, "csrf_token": csrf_token}
    async with store.session(SYSTEM) as session:
        if not await session.run("accounts", "admit", {"id": row["id"], "password_hash": row["password_hash"]}):
            raise SignInError(REFUSAL)
        await session.run("accounts", "begin_login", {**values, "live_s": live_s, "address": address})
    caller = _caller({**row, "kind": kind, "csrf_token": csrf_token}, token_hash, address)
    return Login(token=token, caller=caller, live_s=live_s)


async def _count_failure(store: Store, row: Row, address: str | None) -> None:
    """Against the account, and for its owner to see; the lock bounds how many rows somebody can cause."""
    counted = {"id": row["id"], "failures_max": ACCOUNT_FAILURES_MAX, "lock_s": ACCOUNT_LOCK_S}
    told = {
        "account_id": row["id"],
        "username": row["username"],
        "unit_id": row["unit_id"],
        "action": "login.refused",
        "target": row["username"],
        "detail": {},
        "address": address,
    }
    async with store.session(SYSTEM) as session:
        await session.run("accounts", "count_failure", counted)
        await session.run("audit", "insert", told)


async def identify(store: Store, token: str, address: str | None) -> Caller | None:
    """Whose token this is; None when it has ended or never was."""
    token_hash = hash_token(token)
    async with store.session(SYSTEM) as session:
        row = await session.one("accounts", "by_token", {"token_hash": token_hash})
    return _caller(row, token_hash, address) if row else None


async def sign_out(store: Store, caller: Caller) -> None:
    """End one login."""
    async with store.session(SYSTEM) as session:
        await session.run("accounts", "end_login", {"token_hash": caller.token_hash})


def _caller(row: Row, token_hash: bytes, address: str | None) -> Caller:
    return Caller(
        account_id=row["id"],
        username=row["username"],
        display_name=row["display_name"],
        role=row["role"],
        officer_id=row["officer_id"],
        unit_id=row["unit_id"],
        unit_name=row["unit_name"],
        unit_path=row["unit_path"],
        must_change_password=row["must_change_password"],
        kind=row["kind"],
        csrf_token=row["csrf_token"],
        token_hash=token_hash,
        address=address,
    )
