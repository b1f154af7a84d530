"""Provisioning by claim (自动注册): a device without identity asks once and is answered with its own credentials."""

from typing import Annotated, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, Wire

DeviceKind = Literal["recorder", "station"]
ProvisionStatus = Literal["pending", "approved", "refused"]

Text = Annotated[str, Field(min_length=1, max_length=64)]


class ProvisionRequest(Wire):
    """`xunlu/prov/req/{nonce}`."""

    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    vendor: Text
    model: Text
    kind: DeviceKind = "recorder"


class ProvisionResponse(Wire):
    """`xunlu/prov/res/{nonce}`: identity and credentials, or why not. The password is told this one time.

    Attributes:
        status: `pending` until an administrator approves; `refused` carries no identity.
        why: words for people.
    """

    status: ProvisionStatus
    did: Identifier | None = None
    tenant: Identifier | None = None
    username: str | None = None
    password: str | None = Field(default=None, repr=False)
    why: Annotated[str, Field(max_length=500)] | None = None
