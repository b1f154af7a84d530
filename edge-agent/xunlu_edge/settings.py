"""The agent's settings: from the environment, `XUNLU_AGENT_…`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from xunlu_kit.logs import LogFormat
from xunlu_protocol.provision import DeviceKind

# Linux input event codes (linux/input-event-codes.h): KEY_SOS, KEY_FAVORITES, KEY_RECORD, KEY_VOICECOMMAND.
DEFAULT_KEYS = {"sos": 0x27F, "mark": 0x16C, "record": 0xA7, "ptt": 0x246}


class AgentSettings(BaseSettings):
    """What a recorder must know to report."""

    model_config = SettingsConfigDict(env_prefix="XUNLU_AGENT_", frozen=True, extra="ignore")

    state: Annotated[
        Path, Field(description="Folder of identity, outbox and configuration; must survive a restart.")
    ] = Path("/var/lib/xunlu-agent")
    broker_host: Annotated[str, Field(description="Host name or address of the MQTT broker.")] = "127.0.0.1"
    broker_port: Annotated[int, Field(description="Port of the MQTT broker.", ge=1, le=65535)] = 8883
    broker_ca_file: Annotated[
        Path | None, Field(description="PEM file the broker's certificate must chain to; empty speaks plain TCP.")
    ] = None
    claim_username: Annotated[str, Field(description="Account that may only ask for an identity.")] = "claim"
    claim_password_file: Annotated[
        Path | None, Field(description="File with the password of the claim account; needed until the first answer.")
    ] = None
    kind: Annotated[DeviceKind, Field(description="What this device is.")] = "recorder"
    serial: Annotated[
        str, Field(description="The manufacturer's serial number.", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    ] = "unset"
    vendor: Annotated[str, Field(description="Manufacturer.", min_length=1, max_length=64)] = "generic"
    model: Annotated[
        str, Field(description="Type designation, as in the inspection report.", min_length=1, max_length=64)
    ] = "linux"
    firmware: Annotated[str, Field(description="Version of the recorder's firmware.", max_length=64)] = "unknown"
    gnss: Annotated[
        str, Field(description="Receiver of NMEA 0183: serial:///dev/ttyS1?baud=9600 or tcp://HOST:PORT.")
    ] = "serial:///dev/ttyS1?baud=9600"
    outbox_mb_max: Annotated[
        float, Field(description="Size of the outbox before it is thinned, megabytes (10⁶ bytes).", ge=0.01, le=100_000)
    ] = 200
    resend_after_s: Annotated[
        float, Field(description="Seconds without confirmation before an entry is sent again.", ge=1, le=3600)
    ] = 30
    retry_cap_s: Annotated[
        float, Field(description="Longest wait between two attempts to reach the broker, seconds.", ge=0.1, le=600)
    ] = 30
    keepalive_s: Annotated[int, Field(description="MQTT keep-alive, seconds; carrier NAT forgets.", ge=5, le=600)] = 30
    evidence: Annotated[Path | None, Field(description="Folder of the recordings: its free space is reported.")] = None
    keys_device: Annotated[
        Path | None, Field(description="Input device of the recorder's keys, such as /dev/input/event0.")
    ] = None
    key_codes: Annotated[
        dict[str, int], Field(description="Linux key code of each key: sos, sos_cancel, mark, record, ptt.")
    ] = DEFAULT_KEYS
    video: Annotated[
        str | None,
        Field(
            description="Camera for live video: v4l2:///dev/video0?size=1280x720&fps=25, file:///FILE, or a test "
            "picture, test://?size=640x360&fps=15; empty has none. Needs the extra `media`."
        ),
    ] = None
    audio: Annotated[
        str | None,
        Field(
            description="Microphone for live video and push-to-talk: alsa://DEVICE, file:///FILE, or test://; empty "
            "has none. It is opened once for both."
        ),
    ] = None
    loudspeaker: Annotated[
        str | None,
        Field(
            description="ALSA device on which push-to-talk is heard, such as default; empty takes no part. Needs the "
            "extra `media`, a microphone and keys.",
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_:,.=-]{0,99}$",
        ),
    ] = None
    video_codec: Annotated[
        str,
        Field(
            description="Encoder of live video as FFmpeg names it, such as h264_v4l2m2m; libx264 is the last resort.",
            pattern=r"^[a-z0-9_]{1,40}$",
        ),
    ] = "libx264"
    live_ca_file: Annotated[
        Path | None,
        Field(
            description="PEM file the certificates of relay, talk server and API must chain to; empty trusts the "
            "system's authorities."
        ),
    ] = None
    ice: Annotated[
        Literal["lite", "full"],
        Field(
            description="lite for relays that everybody can reach; full also tries STUN and TURN, and keeps no address."
        ),
    ] = "lite"
    ice_server: Annotated[
        str | None,
        Field(
            description="STUN or TURN server, such as turn:HOST:3478?transport=tcp; empty takes those the relay names.",
            pattern=r"^(stun|turns?):[^\s]{1,300}$",
        ),
    ] = None
    ice_username: Annotated[str | None, Field(description="Account at the TURN server.", max_length=200)] = None
    ice_password_file: Annotated[Path | None, Field(description="File with its password.")] = None
    watched_led: Annotated[
        str | None,
        Field(
            description="LED that lights while somebody watches, a folder of /sys/class/leds.", pattern=r"^[^/]{1,100}$"
        ),
    ] = None
    display: Annotated[
        Path | None,
        Field(description="Folder from which the recorder's own screen program takes orders; empty has no screen."),
    ] = None
    language: Annotated[Literal["zh", "en"], Field(description="What the recorder speaks to its officer.")] = "zh"
    health_host: Annotated[str, Field(description="Address of the health page.")] = "127.0.0.1"
    health_port: Annotated[
        int | None, Field(description="Port of the health page; empty serves none.", ge=0, le=65535)
    ] = None
    log_format: Annotated[LogFormat, Field(description="json for machines, text for people.")] = "text"
    log_level: Annotated[str, Field(description="Lowest level that is logged.")] = "INFO"

    @property
    def outbox_bytes_max(self) -> int:
        """Bound of the outbox in bytes."""
        return int(self.outbox_mb_max * 1_000_000)
