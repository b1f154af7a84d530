"""Settings of the platform's processes: `XUNLU_PLATFORM_…`."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from xunlu_kit.errors import ConfigError
from xunlu_kit.mqtt import Broker

DatabaseRole = Literal["owner", "api", "ingest", "jobs"]
BrokerRole = Literal["api", "ingest", "jobs"]
StreamingUrl = Annotated[str, Field(max_length=200, pattern=r"^https?://[^\s,/?#]+(/[^\s,?#]*[^\s,/?#])?$")]
"""Without a slash at its end: `/whep/…` follows."""

LEAFLET = Path(__file__).resolve().parent / "console" / "vendor" / "leaflet-1.9.4"


class PlatformSettings(BaseSettings):
    """What `xunlu-platform` needs; the same for all of its processes."""

    model_config = SettingsConfigDict(env_prefix="XUNLU_PLATFORM_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8000, description="Port that the API listens on.")
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        "main", description="Third level of every topic: one installation, one tenant."
    )
    secrets: Path = Field(Path("secrets"), description="Folder with one password a file: `db-api`, `mqtt-api`, ….")
    database_host: str = Field("127.0.0.1", description="Host of PostgreSQL, or the folder of its socket.")
    database_port: Annotated[int, Field(ge=1, le=65535)] = Field(5432, description="Port of PostgreSQL.")
    database_name: str = Field("xunlu", description="Name of the database.")
    database_connections_max: Annotated[int, Field(ge=2, le=200)] = Field(
        10, description="Connections that one process opens at most."
    )
    broker_host: str = Field("127.0.0.1", description="Host of the MQTT broker.")
    broker_port: Annotated[int, Field(ge=1, le=65535)] = Field(1883, description="Port of the MQTT broker.")
    broker_ca_file: Path | None = Field(None, description="CA of the broker's certificate; without it plain TCP.")
    tls_certificate: Path | None = Field(None, description="PEM chain; with `tls_key` the API speaks HTTPS.")
    tls_key: Path | None = Field(None, description="PEM key of `tls_certificate`.")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of our own proxies, with commas between: `X-Forwarded-For` and `…-Proto` of "
        "these are believed, of nobody else.",
    )
    map: Path | None = Field(None, description="Folder of the map bundle that `xunlu-map prepare` made.")
    tile_cache: Path | None = Field(None, description="Folder that keeps raster tiles; without it none are kept.")
    tile_cache_mb: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        2000, description="Megabytes of `tile_cache`; the oldest tiles go first."
    )
    streaming_urls: Annotated[tuple[StreamingUrl, ...], NoDecode] = Field(
        ("http://127.0.0.1:8001",),
        min_length=1,
        description="Where browsers reach the relay workers, in their order, with commas between; the relays get the "
        "same list, letter for letter.",
    )
    recorder_streaming_urls: Annotated[tuple[StreamingUrl, ...], NoDecode] = Field(
        (), description="Where recorders reach the same workers, in the same order, when it differs."
    )
    talk_url: StreamingUrl = Field(
        "http://127.0.0.1:8010", description="Where browsers and phones reach the talk server; `/ptt` follows."
    )
    recorder_talk_url: StreamingUrl | None = Field(
        None, description="Where recorders reach the talk server, when it differs."
    )
    recorder_url: StreamingUrl = Field(
        "http://127.0.0.1:8000", description="Where recorders reach this API, to fetch voice notes."
    )
    publish_token_s: Annotated[int, Field(ge=60, le=86_400)] = Field(
        3600, description="Seconds for which a recorder may begin to publish, or come back, after it was asked to."
    )
    recordings: Path = Field(Path("recordings"), description="Folder of the recorder process's files.")
    exports: Path = Field(Path("exports"), description="Folder of exported incidents.")
    exports_mb: Annotated[int, Field(ge=100, le=10_000_000)] = Field(
        20_000, description="Megabytes of `exports`; a new one takes the place of the oldest."
    )
    exports_days: Annotated[int, Field(ge=1, le=365)] = Field(14, description="Days for which an export is kept.")
    sos_live: bool = Field(True, description="Whether an SOS starts live video and its recording by itself.")
    time_zone: str = Field(
        "Asia/Shanghai", description="IANA name of the organisation's time: daily windows, shifts, reports."
    )
    leaflet_assets: Path | None = Field(None, description="Other folder of Leaflet for HTML exports; ours when unset.")
    health_host: str = Field("127.0.0.1", description="Address of the health page of ingest and jobs.")
    health_port: Annotated[int, Field(ge=0, le=65535)] = Field(0, description="Port of that page; 0 picks a free one.")
    metrics_token_file: Path | None = Field(
        None, description="`/metrics` wants its content as bearer; without it, it answers this machine only."
    )
    login_hours: Annotated[float, Field(gt=0, le=720)] = Field(12, description="Hours that a login lives.")
    streams_per_account_max: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="Event streams, one for each open console, that one API process serves one account."
    )
    phones_max: Annotated[int, Field(ge=0, le=10_000)] = Field(
        500, description="Duty telephones that one API process serves; each has a session at the broker."
    )
    phone_silence_s: Annotated[float, Field(ge=1, le=600)] = Field(
        90, description="Seconds without a word after which a telephone is lost; a hidden page may ping once a minute."
    )
    batch_messages_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1000, description="Messages of one ingest transaction at most."
    )
    receive_maximum: Annotated[int, Field(ge=10, le=65535)] = Field(
        4000, description="Messages that one ingest worker holds without having acknowledged them, at most."
    )
    confirm_interval_s: Annotated[float, Field(ge=0.1, le=5)] = Field(
        2, description="Seconds between two `dn/ack` for the same device."
    )
    frame_interval_s: Annotated[float, Field(ge=0.05, le=5)] = Field(
        0.25, description="Seconds between two fleet frames of a worker."
    )
    log_format: Literal["json", "text"] = Field("text", description="`json` for machines, `text` for people.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level written.")

    @field_validator("trusted_proxies", "streaming_urls", "recorder_streaming_urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no time zone that this machine knows, such as Asia/Shanghai") from error
        return value

    @model_validator(mode="after")
    def _same_workers(self) -> "PlatformSettings":
        if self.recorder_streaming_urls and len(self.recorder_streaming_urls) != len(self.streaming_urls):
            raise ValueError("STREAMING_URLS and RECORDER_STREAMING_URLS must name the same workers, one by one")
        return self

    @property
    def leaflet(self) -> Path:
        """Folder of Leaflet for pages that play by themselves."""
        return self.leaflet_assets or LEAFLET

    @property
    def talk_websocket(self) -> str:
        """Address of `/ptt` for browsers and phones."""
        return _websocket(self.talk_url)

    @property
    def recorder_talk_websocket(self) -> str:
        """Address of `/ptt` for recorders."""
        return _websocket(self.recorder_talk_url or self.talk_url)

    @classmethod
    def load(cls) -> "PlatformSettings":
        """Read the environment.

        Raises:
            ConfigError: a setting is out of its bounds.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ConfigError(f"A setting XUNLU_PLATFORM_… is wrong: {error}") from error

    def secret(self, name: str) -> str:
        """Read one secret.

        Raises:
            ConfigError: the file is missing or cannot be read.
        """
        path = self.secrets / name
        try:
            return path.read_text("utf-8").strip()
        except OSError as error:
            raise ConfigError(f"The secret {path} cannot be read: {error.strerror}.") from error

    def database(self, role: DatabaseRole) -> str:
        """Connection string of one of the four database roles."""
        quote = self.secret(f"db-{role}").replace("\\", "\\\\").replace("'", "\\'")
        return (
            f"host={self.database_host} port={self.database_port} dbname={self.database_name} user=xunlu_{role} "
            f"password='{quote}' application_name=xunlu-{role} connect_timeout=5 "
            # A server that vanished without a word is given up within half a minute, not after two hours.
            "keepalives_idle=10 keepalives_interval=5 keepalives_count=4 tcp_user_timeout=30000"
        )

    def broker(self, role: BrokerRole) -> Broker:
        """The broker as one of our processes sees it."""
        return Broker(
            host=self.broker_host,
            port=self.broker_port,
            username=f"xunlu-{role}",
            password=self.secret(f"mqtt-{role}"),
            ca_file=self.broker_ca_file,
        )


def _websocket(base: str) -> str:
    return base.replace("http", "ws", 1) + "/ptt"
