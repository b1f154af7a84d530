"""Session start (birth), availability (state, also the will) and telemetry."""

from typing import Annotated, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, SessionCounter, UtcSeconds, Wire

Availability = Literal["online", "offline", "sleep"]

PLANNED_REASONS = frozenset({"shutdown", "sleep", "dock", "update", "reboot"})
"""`why` of an `offline` that was meant; the will says `lost`."""

Capability = Literal[
    "record",
    "photo",
    "say_text",
    "show_text",
    "play_note",
    "lock",
    "reboot",
    "track_interval",
    "lamp_white",
    "lamp_laser",
    "lamp_ir",
    "live",
    "ptt",
]


class Birth(Wire):
    """`up/birth`: a session begins. Not retained.

    Attributes:
        sid: the new session.
        tst: UTC seconds.
        fw: firmware.
        serial: the manufacturer's number.
        vendor: manufacturer.
        model: type designation, as in the inspection report.
        caps: what the hardware can do; a command for anything else is answered `rejected`, code 1.
        config: hash of the configuration in force.
    """

    sid: SessionCounter
    tst: UtcSeconds
    fw: Annotated[str, Field(max_length=64)]
    serial: Annotated[str, Field(max_length=64)]
    vendor: Annotated[str, Field(max_length=64)] | None = None
    model: Annotated[str, Field(max_length=64)] | None = None
    caps: Annotated[tuple[Capability, ...], Field(max_length=32)] = ()
    config: Annotated[str, Field(max_length=64)] | None = None


class State(Wire):
    """`up/state`, retained: availability. An `offline` older than the newest birth is a stale will and is ignored."""

    st: Availability
    sid: SessionCounter = 0
    tst: UtcSeconds
    why: Annotated[str, Field(max_length=64)] | None = None


class Lamps(Wire):
    """Lights and voice of the recorder (沪城管执〔2017〕18号 四.2)."""

    white: bool | None = None
    laser: bool | None = None
    ir: bool | None = None
    voice: bool | None = None


class Telemetry(Wire):
    """`up/tele`: the recorder's condition, on change and every 60 s.

    Attributes:
        tst: UTC seconds.
        sid: session.
        batt: battery, percent.
        bs: 0 unknown, 1 unplugged, 2 charging, 3 full.
        rec_left_s: continuous recording that battery and storage allow, seconds.
        storage_free_mb: free evidence storage, megabytes (10⁶ bytes).
        storage_total_mb: evidence storage, megabytes.
        signal_dbm: received power of the serving cell.
        net: network type, such as `4G`, `5G`, `wifi`.
        temp_c: temperature inside, °C.
        rec: id of the running recording, None when not recording.
        fix: GGA quality of the last epoch, 0 none.
        sat: satellites used.
        bds: Beidou satellites used.
        outbox: fixes and events not yet confirmed by the platform.
        thinned: fixes given up since the session began because the outbox was full.
        lost: fixes and events that the disk refused since the session began.
        clock_ms: how far the device's clock was from the receiver's UTC, milliseconds, signed.
        uptime_s: since the device started.
        lamps: lights and voice.
    """

    tst: UtcSeconds
    sid: SessionCounter = 0
    batt: Annotated[float, Field(ge=0, le=100)] | None = None
    bs: Annotated[int, Field(ge=0, le=3)] | None = None
    rec_left_s: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    storage_free_mb: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    storage_total_mb: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    signal_dbm: Annotated[int, Field(ge=-200, le=0)] | None = None
    net: Annotated[str, Field(max_length=16)] | None = None
    temp_c: Annotated[float, Field(ge=-100, le=200)] | None = None
    rec: Identifier | None = None
    fix: Annotated[int, Field(ge=0, le=8)] | None = None
    sat: Annotated[int, Field(ge=0, le=200)] | None = None
    bds: Annotated[int, Field(ge=0, le=200)] | None = None
    outbox: Annotated[int, Field(ge=0)] | None = None
    thinned: Annotated[int, Field(ge=0)] | None = None
    lost: Annotated[int, Field(ge=0)] | None = None
    clock_ms: int | None = None
    uptime_s: Annotated[int, Field(ge=0)] | None = None
    lamps: Lamps | None = None


class ServerState(Wire):
    """`xunlu/srv/{host}/state`, retained and will: one server process (Sparkplug 3.0 STATE's form)."""

    online: bool
    timestamp: Annotated[int, Field(ge=0)]
    """UTC milliseconds."""
