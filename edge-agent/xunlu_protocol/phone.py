"""The WebSocket of the phone page, `/api/v1/phone`: a telephone is a device, and the platform speaks MQTT for it.

JSON, one object a message; the field `t` names the type. What is inside of a report is the protocol's own: the page is
confirmed by `dn/ack` as a recorder is, and keeps what is not.
"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from xunlu_protocol.base import Identifier, Wire, decode_any
from xunlu_protocol.command import Request
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.status import Capability

REPORT_BYTES_MAX = 64 * 1024
"""A message of the page; fifty locations have about 15 kB."""


class PhoneHello(Wire):
    """The first message: what this telephone can do.

    Attributes:
        caps: as in a birth.
        model: what the browser calls itself.
    """

    t: Literal["hello"] = "hello"
    caps: Annotated[tuple[Capability, ...], Field(max_length=32)] = ()
    model: Annotated[str, Field(max_length=64)] = ""


class PhoneReport(Wire):
    """What a recorder would publish on `up/{channel}`.

    Attributes:
        channel: of the topic.
        tail: event type or request id, where the channel has one.
        payload: a message of the protocol, or an array of locations.
    """

    t: Literal["report"] = "report"
    channel: Literal["loc", "loc/hist", "tele", "evt", "rpc"]
    tail: Identifier | None = None
    payload: dict[str, JsonValue] | list[JsonValue]


class PhonePing(Wire):
    """Is the platform still there?"""

    t: Literal["ping"] = "ping"
    n: Annotated[int, Field(ge=0, le=2**53)]


class PhoneWelcome(Wire):
    """Answer to `hello`: from now on the telephone is there.

    Attributes:
        did: its device.
        now_ms: UTC milliseconds of the platform.
    """

    t: Literal["welcome"] = "welcome"
    did: Identifier
    now_ms: int


class PhoneAck(Wire):
    """`dn/ack`: what the database holds of a session."""

    t: Literal["ack"] = "ack"
    ack: Confirmation


class PhoneAsk(Wire):
    """`dn/rpc/{rid}`: a command."""

    t: Literal["ask"] = "ask"
    ask: Request


class PhonePong(Wire):
    """Answer to `ping`."""

    t: Literal["pong"] = "pong"
    n: int
    now_ms: int


FromPhone = PhoneHello | PhoneReport | PhonePing
_FROM_PHONE: TypeAdapter[FromPhone] = TypeAdapter(Annotated[FromPhone, Field(discriminator="t")])


def decode_from_phone(payload: bytes) -> FromPhone:
    """Parse a message of the page.

    Raises:
        ProtocolError: it is none.
    """
    return decode_any(_FROM_PHONE, payload)
