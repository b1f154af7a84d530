"""Topic names: `xunlu/v1/{tenant}/{kind}/{name}/{direction}/{channel}[/{tail}]`.

Level 4 is the kind (`d` device, `s` station, `g` talk group), level 6 the direction: `up` only the device may write,
`dn` only the server. The access rules are two patterns on the user name.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from xunlu_protocol.errors import ProtocolError

PREFIX = "xunlu/v1"

Kind = Literal["d", "s"]
Channel = Literal["birth", "state", "loc", "loc/hist", "tele", "evt", "rpc", "shadow", "thumb"]
DownChannel = Literal["rpc", "ack", "shadow", "talk"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHANNELS = frozenset(get_args(Channel))
_WITH_TAIL = frozenset({"evt", "rpc"})

UP_FILTERS = (f"{PREFIX}/+/d/+/up/#", f"{PREFIX}/+/s/+/up/#")
UP_STATE_FILTERS = (f"{PREFIX}/+/d/+/up/state", f"{PREFIX}/+/s/+/up/state")
OWNTRACKS_FILTER = "owntracks/+/+"
PROVISION_REQUEST_FILTER = "xunlu/prov/req/+"
FLEET_FILTER = f"{PREFIX}/+/fleet/+"


@dataclass(frozen=True, slots=True)
class UpTopic:
    """Who writes what: the parsed form of a topic that a device writes."""

    tenant: str
    kind: Kind
    did: str
    channel: Channel
    tail: str
    """Event type for `evt`, request id for `rpc`, else empty."""


def parse_up(topic: str) -> UpTopic:
    """Parse a device's topic.

    Raises:
        ProtocolError: reason `topic`; not ours, a bad name, or an unknown channel.
    """
    levels = topic.split("/")
    if len(levels) not in (7, 8) or levels[:2] != ["xunlu", "v1"] or levels[3] not in ("d", "s") or levels[5] != "up":
        raise ProtocolError("topic", f"{topic[:200]!r} is not xunlu/v1/TENANT/d/DEVICE/up/CHANNEL.")
    tenant, did = levels[2], levels[4]
    channel, tail = _channel_and_tail(levels[6:], topic)
    if not (_NAME.fullmatch(tenant) and _NAME.fullmatch(did)):
        raise ProtocolError("topic", f"{topic[:200]!r} has a name that is not [A-Za-z0-9_-]{{1,64}}.")
    return UpTopic(tenant, "d" if levels[3] == "d" else "s", did, channel, tail)


def _channel_and_tail(levels: list[str], topic: str) -> tuple[Channel, str]:
    first, rest = levels[0], "/".join(levels[1:])
    if levels == ["loc", "hist"]:
        return "loc/hist", ""
    if first not in _CHANNELS or (first in _WITH_TAIL) != bool(rest) or (rest and not _NAME.fullmatch(rest)):
        raise ProtocolError("topic", f"{topic[:200]!r} names no channel of the protocol.")
    return first, rest  # type: ignore[return-value]  # membership in _CHANNELS proves the literal


def up(tenant: str, did: str, channel: Channel, tail: str = "", *, kind: Kind = "d") -> str:
    """The topic a device writes."""
    return f"{PREFIX}/{tenant}/{kind}/{did}/up/{channel}" + (f"/{tail}" if tail else "")


def down(tenant: str, did: str, channel: DownChannel, tail: str = "", *, kind: Kind = "d") -> str:
    """The topic the server writes for a device."""
    return f"{PREFIX}/{tenant}/{kind}/{did}/dn/{channel}" + (f"/{tail}" if tail else "")


def down_filter(tenant: str, did: str, *, kind: Kind = "d") -> str:
    """What a device subscribes to: everything the server writes for it."""
    return f"{PREFIX}/{tenant}/{kind}/{did}/dn/#"


def parse_down(topic: str) -> tuple[DownChannel, str]:
    """Channel of a topic that the server writes, and its tail: the request id for `rpc`, else empty.

    Raises:
        ProtocolError: reason `topic`; a channel this device does not know.
    """
    levels = topic.split("/")
    if len(levels) == 7 and levels[5:] == ["dn", "ack"]:
        return "ack", ""
    if len(levels) == 7 and levels[5:] == ["dn", "shadow"]:
        return "shadow", ""
    if len(levels) == 7 and levels[5:] == ["dn", "talk"]:
        return "talk", ""
    if len(levels) == 8 and levels[5:7] == ["dn", "rpc"] and _NAME.fullmatch(levels[7]):
        return "rpc", levels[7]
    raise ProtocolError("topic", f"{topic[:200]!r} names nothing that the server writes for a device.")


def fleet(tenant: str, source: str) -> str:
    """Frames of changed devices, written by ingest worker or service `source` for the platform's own processes."""
    return f"{PREFIX}/{tenant}/fleet/{source}"


def media_frame(tenant: str, worker: str) -> str:
    """Where a relay worker says what it carries; written and read by our own services, as all of `media`."""
    return f"{PREFIX}/{tenant}/media/frame/{worker}"


def media_recording(tenant: str, host: str) -> str:
    """Where the recorder process of a host reports finished files."""
    return f"{PREFIX}/{tenant}/media/recording/{host}"


def media_ack(tenant: str, source: str) -> str:
    """Where the platform confirms what it holds of a worker's frames or a host's recordings."""
    return f"{PREFIX}/{tenant}/media/ack/{source}"


def media_end(tenant: str, worker: str) -> str:
    """Where the platform tells a relay worker what must not go on."""
    return f"{PREFIX}/{tenant}/media/end/{worker}"


def media_order(tenant: str, did: str) -> str:
    """Retained: the order to record a path."""
    return f"{PREFIX}/{tenant}/media/order/{did}"


def floor(tenant: str, gid: str) -> str:
    """Retained: who has the floor of a talk group."""
    return f"{PREFIX}/{tenant}/g/{gid}/floor"


def talk_group(tenant: str, gid: str) -> str:
    """Retained: a talk group; written by the platform, read by the talk server."""
    return f"{PREFIX}/{tenant}/ptt/group/{gid}"


def talk_log(tenant: str) -> str:
    """Where the talk server tells what happened in its groups."""
    return f"{PREFIX}/{tenant}/ptt/log"


def talk_burst(tenant: str, host: str) -> str:
    """Where the recorder process of a host reports finished bursts."""
    return f"{PREFIX}/{tenant}/ptt/burst/{host}"


def talk_ack(tenant: str, source: str) -> str:
    """Where the platform confirms what it holds of the talk server's log (`log`) or of a host's bursts."""
    return f"{PREFIX}/{tenant}/ptt/ack/{source}"


def server_state(host: str) -> str:
    """Retained state of one server process, also its will."""
    return f"xunlu/srv/{host}/state"


def provision_request(nonce: str) -> str:
    """Where a claiming device asks for its identity."""
    return f"xunlu/prov/req/{nonce}"


def provision_response(nonce: str) -> str:
    """Where it reads the answer."""
    return f"xunlu/prov/res/{nonce}"


def parse_owntracks(topic: str) -> tuple[str, str]:
    """User and device of an OwnTracks topic.

    Raises:
        ProtocolError: reason `topic`.
    """
    levels = topic.split("/")
    if len(levels) != 3 or levels[0] != "owntracks" or not all(_NAME.fullmatch(level) for level in levels[1:]):
        raise ProtocolError("topic", f"{topic[:200]!r} is not owntracks/USER/DEVICE.")
    return levels[1], levels[2]
