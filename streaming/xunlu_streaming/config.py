"""Settings of the media service's processes: `XUNLU_STREAMING_…`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from xunlu_kit.errors import ConfigError
from xunlu_kit.mqtt import Broker

Texts = Annotated[tuple[str, ...], NoDecode]


class MediaSettings(BaseSettings):
    """What every process of the media service needs."""

    model_config = SettingsConfigDict(env_prefix="XUNLU_STREAMING_", frozen=True, extra="ignore")

    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        "main", description="Third level of every topic: one installation, one tenant."
    )
    secrets: Path = Field(
        Path("secrets"), description="Folder of `mqtt-streaming` and of `media-key.pub`, with which tokens are checked."
    )
    run: Path = Field(
        Path("run"),
        description="Folder of the local sockets to the recorder process, and of the floor log until the database has "
        "it.",
    )
    broker_host: str = Field("127.0.0.1", description="Host of the MQTT broker.")
    broker_port: Annotated[int, Field(ge=1, le=65535)] = Field(1883, description="Port of the MQTT broker.")
    broker_ca_file: Path | None = Field(None, description="CA of the broker's certificate; without it plain TCP.")
    log_format: Literal["json", "text"] = Field("text", description="`json` for machines, `text` for people.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level written.")

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigError: a setting is out of its bounds.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ConfigError(f"A setting XUNLU_STREAMING_… is wrong: {error}") from error

    def secret(self, name: str) -> str:
        """Read one secret.

        Raises:
            ConfigError: it cannot be read.
        """
        path = self.secrets / name
        try:
            return path.read_text("utf-8").strip()
        except OSError as error:
            raise ConfigError(f"The secret {path} cannot be read: {error.strerror}.") from error

    def broker(self) -> Broker:
        """The broker as the account `xunlu-streaming`.

        Raises:
            ConfigError: the secret cannot be read.
        """
        return Broker(
            host=self.broker_host,
            port=self.broker_port,
            username="xunlu-streaming",
            password=self.secret("mqtt-streaming"),
            ca_file=self.broker_ca_file,
        )


class ReachedSettings(MediaSettings):
    """What every process needs that clients reach."""

    tls_certificate: Path | None = Field(
        None, description="PEM chain; with `tls_key` the services speak HTTPS. Microphones need it off loopback."
    )
    tls_key: Path | None = Field(None, description="PEM key of `tls_certificate`.")
    media_hosts: Texts = Field(
        ("127.0.0.1",), description="Addresses under which clients reach that port, with commas between; IPv4 and IPv6."
    )

    @field_validator("media_hosts", "workers", mode="before", check_fields=False)
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class StreamingSettings(ReachedSettings):
    """What one worker of the relay needs."""

    host: str = Field("127.0.0.1", description="Address that the worker listens on for WHIP and WHEP.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8001, description="Port of WHIP and WHEP.")
    workers: Texts = Field(
        ("http://127.0.0.1:8001",),
        description="Base URLs of all workers, with commas between, the same list everywhere: it decides who serves a "
        "path.",
    )
    number: Annotated[int, Field(ge=1, le=64)] = Field(1, description="Which of `workers` this one is, from 1.")
    media_port: Annotated[int, Field(ge=0, le=65535)] = Field(8014, description="UDP port of media; 0 picks one.")
    ice: Literal["lite", "full"] = Field(
        "lite", description="`full` where no client can reach `media_hosts`: one port for each session, TURN if set."
    )
    turn_url: str | None = Field(None, description="TURN server for `full`, such as turn:turn.example:3478.")
    turn_username: str | None = Field(None, description="Its user name; the password is the secret `turn-password`.")
    publishers_max: Annotated[int, Field(ge=1, le=10_000)] = Field(500, description="Publishers at once.")
    viewers_max: Annotated[int, Field(ge=1, le=100_000)] = Field(2000, description="Viewers at once.")
    opening_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200, description="Sessions that have not shaken hands yet; others are told when to come again."
    )
    idle_grace_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        15, description="Seconds that a publication outlives its last viewer; 0 never ends it."
    )
    second_publisher: Literal["replace", "refuse"] = Field(
        "replace", description="Whether a second publisher of a path takes the place of the first or is refused."
    )

    @model_validator(mode="after")
    def _is_one_of_the_workers(self) -> Self:
        if self.number > len(self.workers):
            raise ValueError(f"number is {self.number}, but XUNLU_STREAMING_WORKERS names only {len(self.workers)}")
        return self

    @property
    def worker(self) -> str:
        """Its name in topics, files and logs."""
        return f"relay-{self.number}"
