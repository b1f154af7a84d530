"""What a session is told and what it hands out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """Where the broker is and who we are there."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca_file: Path | None = None
    """PEM file that the broker's certificate must chain to; None speaks plain TCP (loopback only)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Will:
    """What the broker publishes for us when we vanish (MQTT 5.0 §3.1.2.5)."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A topic filter; `$share/GROUP/FILTER` shares it with the group (MQTT 5.0 §4.8.2)."""

    topic: str
    qos: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A received message. Acknowledge QoS 1 with `Session.acknowledge` when it is safe."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    connection: int
    """Number of the connection it came over: an acknowledgement is only valid on that one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionOptions:
    """How a session behaves.

    Attributes:
        client_id: at most 64 characters, `[A-Za-z0-9_-]`.
        keepalive_s: 30 s on 4G, behind carrier NAT.
        clean_start: False continues the broker's stored session.
        session_expiry_s: how long the broker keeps the session after a loss; 0 ends it with the connection.
        receive_maximum: unacknowledged QoS 1 messages in flight towards us, 1–65535.
        subscriptions: restored after every connect.
        will: published by the broker when we vanish.
        retry_cap_s: longest wait between two attempts to connect.
    """

    client_id: str
    keepalive_s: int = 30
    clean_start: bool = True
    session_expiry_s: int = 0
    receive_maximum: int = 1000
    subscriptions: Sequence[Subscription] = ()
    will: Will | None = None
    retry_cap_s: float = 30.0
