"""Settings of the media service: `XUNLU_STREAMING_…`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from xunlu_kit.errors import ConfigError
from xunlu_kit.mqtt import Broker


class StreamingSettings(BaseSettings):
    """What `xunlu-streaming` needs."""

    model_config = SettingsConfigDict(env_prefix="XUNLU_STREAMING_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address that the service listens on.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8001, description="Port that the service listens on.")
    secrets: Path = Field(Path("secrets"), description="Folder with one password a file: `mqtt-streaming`.")
    broker_host: str = Field("127.0.0.1", description="Host of the MQTT broker.")
    broker_port: Annotated[int, Field(ge=1, le=65535)] = Field(1883, description="Port of the MQTT broker.")
    broker_ca_file: Path | None = Field(None, description="CA of the broker's certificate; without it plain TCP.")
    tls_certificate: Path | None = Field(
        None, description="PEM chain; with `tls_key` the service speaks HTTPS. Microphones need it off loopback."
    )
    tls_key: Path | None = Field(None, description="PEM key of `tls_certificate`.")
    log_format: Literal["json", "text"] = Field("text", description="`json` for machines, `text` for people.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level written.")

    @classmethod
    def load(cls) -> "StreamingSettings":
        """Read the environment.

        Raises:
            ConfigError: a setting is out of its bounds.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ConfigError(f"A setting XUNLU_STREAMING_… is wrong: {error}") from error

    def broker(self) -> Broker:
        """The broker as the account `xunlu-streaming`.

        Raises:
            ConfigError: the secret cannot be read.
        """
        path = self.secrets / "mqtt-streaming"
        try:
            password = path.read_text("utf-8").strip()
        except OSError as error:
            raise ConfigError(f"The secret {path} cannot be read: {error.strerror}.") from error
        return Broker(
            host=self.broker_host,
            port=self.broker_port,
            username="xunlu-streaming",
            password=password,
            ca_file=self.broker_ca_file,
        )
