"""What every message has in common: frozen values, parsed once at the border, unknown fields kept out."""

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from xunlu_protocol.errors import ProtocolError

PAYLOAD_BYTES_MAX = 256 * 1024
"""A larger payload is refused before it is parsed."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""A device, tenant, request or nonce name: safe as a topic level and as an MQTT client id."""

UtcSeconds = Annotated[int, Field(ge=0, le=32_503_680_000)]
"""Seconds since 1970-01-01T00:00:00Z, up to the year 3000; plausibility is the receiver's question."""

SessionCounter = Annotated[int, Field(ge=0, le=2**53)]
"""`sid`: counts the sessions of a device across reboots; 0 for devices that keep none."""

Sequence = Annotated[int, Field(ge=0, le=2**53)]
"""`seq`: counts fixes and events within a session, from 1."""

Message = TypeVar("Message")


class Wire(BaseModel):
    """Base of all messages: immutable, finite numbers only, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Parse a payload.

        Raises:
            ProtocolError: too large, not JSON, or a field breaks its bounds; `reason` names the field.
        """
        return cls.parse(decode_json(payload))

    @classmethod
    def parse(cls, value: object) -> Self:
        """Validate a decoded JSON value; see `decode`."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise invalid(error) from error

    def encode(self) -> bytes:
        """Serialise: absent optional fields are left out."""
        return self.model_dump_json(exclude_none=True, by_alias=True).encode()


def decode_any(adapter: TypeAdapter[Message], payload: bytes) -> Message:
    """Parse a payload that may be one of several messages; see `Wire.decode`."""
    value = decode_json(payload)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise invalid(error) from error


def decode_json(payload: bytes) -> Any:  # noqa: ANN401  whatever the sender wrote
    """Parse JSON of bounded size; NaN and Infinity are not JSON (RFC 8259 §6).

    Raises:
        ProtocolError: reason `size` or `json`.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ProtocolError("size", f"The payload has {len(payload)} bytes; at most {PAYLOAD_BYTES_MAX} are taken.")
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError as error:
        raise ProtocolError("json", f"The payload is not JSON: {error}") from error


def invalid(error: ValidationError) -> ProtocolError:
    """The first complaint of a validation as a `ProtocolError` that names the field."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "type"
    return ProtocolError(name, f"{name}: {first['msg']} ({error.error_count()} in all)")
