"""Settings of the runtime on one machine: `XUNLU_DEPLOY_…`, and the short names that people type before `make demo`."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from xunlu_kit.errors import ConfigError

PortOffset = Literal[
    "platform",
    "streaming",
    "mqtt_tls",
    "mqtt_plain",
    "database",
    "jobs",
    "ingest",
    "talk",
    "more_streaming",
    "media",
    "record",
    "talk_media",
]
_OFFSETS: dict[PortOffset, int] = {
    "platform": 0,
    "streaming": 1,
    "mqtt_tls": 2,
    "mqtt_plain": 3,
    "database": 4,
    "jobs": 5,
    "ingest": 6,
    "talk": 10,
    "more_streaming": 11,
    "media": 14,
    "record": 18,
    "talk_media": 19,
}
WORKERS_MAX = 4
"""Their health pages lie between the offsets 6 and 9."""
RELAYS_MAX = 4
"""The first has the offset 1, the others 11 to 13; their media (UDP) lies between 14 and 17."""
PORTS = 20
"""Width of the block."""


def _relays() -> int:
    """One for each core that we may use."""
    return min(RELAYS_MAX, len(os.sched_getaffinity(0)))


class DeploySettings(BaseSettings):
    """What `xunlu` needs."""

    model_config = SettingsConfigDict(
        env_prefix="XUNLU_DEPLOY_", frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    state: Path = Field(
        Path(".xunlu"), validation_alias=AliasChoices("XUNLU_STATE"), description="Folder of everything that is kept."
    )
    runtime: Path | None = Field(
        None,
        validation_alias=AliasChoices("XUNLU_RUNTIME"),
        description="Folder of the private runtime, when several state folders share one.",
    )
    port: Annotated[int, Field(ge=1, le=65_000)] = Field(
        8000, validation_alias=AliasChoices("PORT"), description="First port of the block; the console's own."
    )
    recorders: Annotated[int, Field(ge=0, le=2000)] = Field(
        20, validation_alias=AliasChoices("RECORDERS"), description="Simulated recorders of `make demo`."
    )
    stations: Annotated[int, Field(ge=0, le=100)] = Field(
        0, validation_alias=AliasChoices("STATIONS"), description="Simulated stations of `make demo`; none exist yet."
    )
    map: Path | None = Field(
        None,
        validation_alias=AliasChoices("XUNLU_MAP"),
        description="Map source for `xunlu-map prepare`; the demo district when unset.",
    )
    map_name: str | None = Field(None, description="Name of your own map.")
    map_attribution: str | None = Field(None, description="Whom the corner of your own map names.")
    map_approval_number: str | None = Field(None, description="审图号 of your own map, shown in its corner.")
    host: str = Field("127.0.0.1", description="Address that console and streaming listen on.")
    mqtt_host: str = Field("0.0.0.0", description="Address that the broker's TLS listener listens on.")  # noqa: S104
    public_host: str = Field("127.0.0.1", description="Name or address by which others reach this machine.")
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        "main", description="Tenant of this installation: third level of every topic."
    )
    workers: Annotated[int, Field(ge=1, le=WORKERS_MAX)] = Field(2, description="Ingest processes.")
    relays: Annotated[int, Field(ge=1, le=RELAYS_MAX)] = Field(
        default_factory=_relays,
        description="Relay processes of live video, one core each; as many as there are cores, unless set.",
    )
    media_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="IP addresses by which browsers and recorders reach media (UDP) of relays and talk server, with "
        "commas between; unset takes those of `public_host`.",
    )
    tls_certificate: Path | None = Field(None, description="PEM chain; with `tls_key` console and streaming use HTTPS.")
    tls_key: Path | None = Field(None, description="PEM key of `tls_certificate`.")
    database_host: str | None = Field(None, description="A running PostgreSQL with TimescaleDB; unset starts our own.")
    database_port: Annotated[int, Field(ge=1, le=65_535)] = Field(5432, description="Its port.")
    broker_host: str | None = Field(None, description="A running MQTT broker; unset starts our own.")
    broker_port: Annotated[int, Field(ge=1, le=65_535)] = Field(8883, description="Its port.")
    broker_ca_file: Path | None = Field(None, description="CA of its certificate; unset speaks plain TCP.")
    log_format: Literal["json", "text"] = Field("text", description="`json` for machines, `text` for people.")

    @field_validator("media_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "DeploySettings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("XUNLU_DEPLOY_TLS_CERTIFICATE and XUNLU_DEPLOY_TLS_KEY belong together")
        return self

    @classmethod
    def load(cls) -> "DeploySettings":
        """Read the environment.

        Raises:
            ConfigError: a setting is out of its bounds.
        """
        try:
            return cls()
        except ValidationError as error:
            lines = (f"{'.'.join(map(str, each['loc'])) or 'settings'}: {each['msg']}" for each in error.errors())
            raise ConfigError("A setting is wrong. " + "; ".join(lines)) from error

    def port_of(self, listener: PortOffset, number: int = 0) -> int:
        """Port of a listener of the block; `number` counts those of one kind from 0."""
        return self.port + _OFFSETS[listener] + number

    def relay_port(self, number: int) -> int:
        """Port of WHIP and WHEP of a relay; `number` counts from 0."""
        return self.port_of("more_streaming", number - 1) if number else self.port_of("streaming")

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What console and streaming speak."""
        return "https" if self.tls_certificate else "http"
