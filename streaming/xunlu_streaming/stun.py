"""Connectivity checks (STUN binding, RFC 8489) as an ICE-lite peer gets and answers them, from bytes to bytes.

By hand, because a talk server gets two a second of everybody who hears: with a general parser they cost more than the
sound.
"""

import hmac
import ipaddress
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

BYTES_MAX = 600
COOKIE = 0x2112A442
REQUEST, RESPONSE = 0x0001, 0x0101
USERNAME, INTEGRITY, XOR_MAPPED_ADDRESS, USE_CANDIDATE, FINGERPRINT = 0x0006, 0x0008, 0x0020, 0x0025, 0x8028
USERNAME_BYTES_MAX = 256
_HEADER = struct.Struct(">HHI12s")
_ATTRIBUTE = struct.Struct(">HH")
_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_BYTES, _FINGERPRINT_BYTES = 24, 8
"""With the heads of the attributes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A binding request.

    Attributes:
        transaction: its id, 12 bytes.
        nominates: whether it bears USE-CANDIDATE (RFC 8445 §7.1.2).
        signed: what MESSAGE-INTEGRITY covers, its length field set to end with that.
        signature: the HMAC; empty when there is none.
    """

    transaction: bytes
    nominates: bool
    signed: bytes
    signature: bytes

    def is_of(self, password: bytes) -> bool:
        """Whether whoever sent it knows the password (RFC 8489 §14.5)."""
        return hmac.compare_digest(hmac.digest(password, self.signed, "sha1"), self.signature)


def username_of(data: bytes) -> bytes | None:
    """The USERNAME of a message (§14.3), read without the rest; None when there is none."""
    if not _HEADER.size <= len(data) <= BYTES_MAX or int.from_bytes(data[4:8], "big") != COOKIE:
        return None
    for kind, at, size in _attributes(data):
        if kind == USERNAME:
            return data[at : at + size] if size <= USERNAME_BYTES_MAX else None
    return None


def read_check(data: bytes) -> Check | None:
    """Read a binding request; None when it is another message.

    What follows MESSAGE-INTEGRITY is nobody's word, but for FINGERPRINT (§14.5).

    Raises:
        ValueError: it is malformed.
    """
    kind, length, _, transaction = _HEADER.unpack_from(data)
    if length != len(data) - _HEADER.size:
        raise ValueError("The length is wrong.")
    nominates, signed, signature = False, b"", b""
    for attribute, at, size in _attributes(data):
        if at + size > len(data):
            raise ValueError("An attribute ends behind the message.")
        start = at - _ATTRIBUTE.size
        if attribute == FINGERPRINT:
            if data[at : at + size] != _fingerprint(data[:start]):
                raise ValueError("The fingerprint does not match.")
        elif not signed and attribute == INTEGRITY:
            signed, signature = _until(data[:start], _INTEGRITY_BYTES), data[at : at + size]
        elif not signed and attribute == USE_CANDIDATE:
            nominates = True
    if kind != REQUEST:
        return None
    return Check(transaction=transaction, nominates=nominates, signed=signed, signature=signature)


def answer(check: Check, address: tuple[Any, ...], password: bytes) -> bytes:
    """The success response: where we saw the check come from.

    Args:
        check: to answer.
        address: of its sender, host and port first.
        password: ours.
    """
    mapped = _xored(address[0], address[1], check.transaction)
    body = _ATTRIBUTE.pack(XOR_MAPPED_ADDRESS, len(mapped)) + mapped
    text = _HEADER.pack(RESPONSE, len(body), COOKIE, check.transaction) + body
    text = _until(text, _INTEGRITY_BYTES)
    text += _ATTRIBUTE.pack(INTEGRITY, _INTEGRITY_BYTES - _ATTRIBUTE.size) + hmac.digest(password, text, "sha1")
    text = _until(text, _FINGERPRINT_BYTES)
    return text + _ATTRIBUTE.pack(FINGERPRINT, _FINGERPRINT_BYTES - _ATTRIBUTE.size) + _fingerprint(text)


def _attributes(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, place of the value and its size, of each."""
    at = _HEADER.size
    while at + _ATTRIBUTE.size <= len(data):
        kind, size = _ATTRIBUTE.unpack_from(data, at)
        at += _ATTRIBUTE.size
        yield kind, at, size
        at += size + -size % 4


def _until(text: bytes, more: int) -> bytes:
    """The text with a length field that covers so many more bytes."""
    return text[:2] + (len(text) - _HEADER.size + more).to_bytes(2, "big") + text[4:]


def _fingerprint(text: bytes) -> bytes:
    """§14.7, over a message whose length field covers the fingerprint already."""
    return (zlib.crc32(text) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def _xored(host: str, port: int, transaction: bytes) -> bytes:
    """§14.2."""
    packed = _packed(host)
    mask = COOKIE.to_bytes(4, "big") + transaction
    family = 1 if len(packed) == 4 else 2
    return struct.pack(">BBH", 0, family, port ^ COOKIE >> 16) + bytes(
        a ^ b for a, b in zip(packed, mask, strict=False)
    )


@lru_cache(maxsize=10_000)
def _packed(host: str) -> bytes:
    return ipaddress.ip_address(host.partition("%")[0]).packed
