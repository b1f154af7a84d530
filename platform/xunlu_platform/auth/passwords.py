"""Passwords: Argon2id (RFC 9106), computed in threads, a bounded number at a time."""

import asyncio
import secrets
from functools import cache
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN = 10
LENGTH_MAX = 256

# Each computation takes 64 MiB: more at once would let sign-ins exhaust the memory.
_COMPUTATIONS_MAX = 4
_turn = asyncio.Semaphore(_COMPUTATIONS_MAX)
_hasher = PasswordHasher()


async def hash_password(password: str) -> str:
    """Hash with a fresh salt; the parameters are part of the result."""
    async with _turn:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is right.

    Args:
        password: as typed.
        password_hash: of the account; None (no such account) takes as long and is always wrong.
    """
    async with _turn:
        return await asyncio.to_thread(_verify, password, password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


Weakness = Literal["password-length", "password-user-name", "password-characters"]


def weakness(password: str, username: str) -> Weakness | None:
    """Why a new password is not good enough; None when it is."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        return "password-length"
    if username.lower() in password.lower():
        return "password-user-name"
    return "password-characters" if len(set(password)) < 4 else None


def random_password() -> str:
    """A password of 96 random bits that can be read aloud and typed."""
    return secrets.token_urlsafe(12)
