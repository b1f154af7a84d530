"""Accounts and rights at the broker, in the JSON of Mosquitto's dynamic-security plug-in.

The file is ours only while the broker is down; afterwards the plug-in owns it and the platform changes it through
`$CONTROL/dynamic-security/v1`. So a start replaces what is the servers' and keeps what is the devices'. See
docs/decisions/0002-broker-accounts.md.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

Document = dict[str, Any]

CONTROL = "$CONTROL/dynamic-security/v1"
# Enough for random passwords of 192 bits: no guess comes near, and a reconnect of ten thousand devices stays cheap.
ITERATIONS = 101
SALT_BYTES = 12

_DENIED_BY_DEFAULT = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": True,
}


def rule(kind: str, topic: str, *, allow: bool = True, priority: int = 0) -> Document:
    """One access rule; `kind` is one of the plug-in's ACL types, such as `publishClientSend`."""
    return {"acltype": kind, "topic": topic, "priority": priority, "allow": allow}


def _reads(*filters: str) -> list[Document]:
    return [rule(kind, topic) for topic in filters for kind in ("subscribePattern", "publishClientReceive")]


def _writes(*filters: str) -> list[Document]:
    return [rule("publishClientSend", topic) for topic in filters]


ROLES: Mapping[str, Sequence[Document]] = {
    "admin": [*_reads("$CONTROL/#", "$SYS/#", "#"), *_writes("$CONTROL/#", "#")],
    # A shared subscription is looked up with its `$share/GROUP/` in front.
    "server": [
        *_reads("xunlu/#", "owntracks/#"),
        *_writes("xunlu/#", "owntracks/#"),
        *(rule("subscribePattern", f"$share/+/{topic}/#") for topic in ("xunlu", "owntracks")),
    ],
    # The platform's API makes the accounts of devices.
    "accounts": [*_reads(f"{CONTROL}/response"), *_writes(CONTROL)],
    # A device reads the answer to its own nonce, which nobody can guess. A wildcard would read everybody's: the plug-in
    # lets `a/+` subscribe to the filter `a/+` itself, so that filter is denied by name, and names are looked up first.
    "claim": [
        *_writes("xunlu/prov/req/+"),
        rule("subscribeLiteral", "xunlu/prov/res/+", allow=False, priority=10),
        rule("subscribeLiteral", "xunlu/prov/res/#", allow=False, priority=10),
        *_reads("xunlu/prov/res/+"),
    ],
}

ACCOUNTS: Mapping[str, Sequence[str]] = {
    "xunlu-admin": ("admin",),
    "xunlu-ingest": ("server",),
    "xunlu-api": ("server", "accounts"),
    "xunlu-jobs": ("server",),
    "xunlu-streaming": ("server",),
    "claim": ("claim",),
}


def client(username: str, password: str, roles: Sequence[str]) -> Document:
    """An account as the plug-in stores it: PBKDF2 with SHA-512 (RFC 8018 §5.2)."""
    salt = secrets.token_bytes(SALT_BYTES)
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return {
        "username": username,
        "roles": [{"rolename": name} for name in roles],
        "password": base64.b64encode(derived).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": ITERATIONS,
    }


def with_accounts(document: Document, passwords: Mapping[str, str]) -> Document:
    """The document with our accounts and roles as they must be, and everybody else's untouched.

    Args:
        document: what the plug-in wrote last; empty at the first start.
        passwords: user name → password, for every account of `ACCOUNTS`.
    """
    others = [entry for entry in document.get("clients", []) if entry["username"] not in ACCOUNTS]
    other_roles = [entry for entry in document.get("roles", []) if entry["rolename"] not in ROLES]
    return {
        **document,
        "defaultACLAccess": _DENIED_BY_DEFAULT,
        "clients": [*(client(name, passwords[name], roles) for name, roles in ACCOUNTS.items()), *others],
        "roles": [*({"rolename": name, "acls": list(rules)} for name, rules in ROLES.items()), *other_roles],
    }
