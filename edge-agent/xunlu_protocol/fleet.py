"""Fleet frames (`xunlu/v1/{tenant}/fleet/{source}`): what changed, latest per device."""

from typing import Annotated, Any, Literal

from pydantic import Field

from xunlu_protocol.base import Identifier, Wire


class FleetDevice(Wire):
    """The newest known of one device; absent fields did not change.

    Attributes:
        did: device.
        lat: degrees, WGS-84.
        lon: degrees, WGS-84.
        tms: UTC milliseconds of the fix.
        acc: metres.
        speed: metres per second.
        cog: degrees from north.
        sat: satellites used.
        bds: Beidou satellites used.
        st: availability.
        st_tms: UTC milliseconds of the availability.
        st_sid: session that it belongs to; an older session changes nothing.
        why: reason of an `offline`.
        batt: percent.
        rec: recording id; an empty string says that recording ended.
        tele: the whole last telemetry message, as received.
    """

    did: Identifier
    lat: float | None = None
    lon: float | None = None
    tms: int | None = None
    acc: float | None = None
    speed: float | None = None
    cog: float | None = None
    sat: int | None = None
    bds: int | None = None
    st: Literal["online", "offline", "sleep"] | None = None
    st_tms: int | None = None
    st_sid: int | None = None
    why: str | None = None
    batt: float | None = None
    rec: str | None = None
    tele: dict[str, Any] | None = None


class Notice(Wire):
    """Something was committed: the reader fetches it from the database, so that a lost notice loses nothing."""

    what: Literal["event", "alarm", "command", "device", "organisation", "zone", "movement"]
    id: Annotated[str, Field(max_length=80)]
    did: Identifier | None = None


class FleetFrame(Wire):
    """A frame.

    Attributes:
        devices: what changed since the source's last frame.
        notices: ids of things that others may want to read again from the database.
    """

    devices: tuple[FleetDevice, ...] = ()
    notices: tuple[Notice, ...] = ()
