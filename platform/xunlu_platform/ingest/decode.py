"""The first handler: from a topic and bytes to a typed message."""

from xunlu_platform.ingest.batch import Batch, Item
from xunlu_protocol.base import decode_json
from xunlu_protocol.command import Reply
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.event import EVENT_TYPES, Event
from xunlu_protocol.location import decode_locations
from xunlu_protocol.shadow import Shadow
from xunlu_protocol.status import Birth, State, Telemetry
from xunlu_protocol.topics import parse_owntracks, parse_up

OWNTRACKS_PREFIX = "owntracks/"

_TYPES = {"birth": Birth, "state": State, "tele": Telemetry, "rpc": Reply, "shadow": Shadow}


def address(item: Item) -> None:
    """Read the topic.

    Raises:
        ProtocolError: reason `topic`.
    """
    topic = item.message.topic
    if topic.startswith(OWNTRACKS_PREFIX):
        # The broker proves the user, not the device level: the user is the tracker.
        item.did, _ = parse_owntracks(topic)
    else:
        parsed = parse_up(topic)
        item.tenant, item.kind, item.did = parsed.tenant, parsed.kind, parsed.did
        item.channel, item.tail = parsed.channel, parsed.tail


def decode(item: Item, batch: Batch) -> None:
    """Parse the payload as its channel demands; a bad fix never costs its neighbours."""
    payload = item.message.payload
    batch.received[item.channel] += 1
    if b"\\u0000" in payload:
        raise ProtocolError("nul", "The payload holds a NUL character, which no text has.")
    if item.message.topic.startswith(OWNTRACKS_PREFIX):
        _decode_owntracks(item, batch)
    elif item.channel in ("loc", "loc/hist"):
        _decode_locations(item, batch)
    elif item.channel == "evt":
        if item.tail not in EVENT_TYPES:
            raise ProtocolError("event", f"{item.tail} is no event of this protocol.")
        item.content = Event.decode(payload)
    elif (wire := _TYPES.get(item.channel)) is not None:
        item.content = wire.decode(payload)  # type: ignore[attr-defined]  # every value is a Wire


def _decode_locations(item: Item, batch: Batch) -> None:
    decoded = decode_locations(item.message.payload)
    for error in decoded.errors:
        batch.refuse(item, error.reason, str(error))
    item.content = decoded.locations


def _decode_owntracks(item: Item, batch: Batch) -> None:
    """OwnTracks sends waypoints, transitions and more besides locations; they are no errors."""
    value = decode_json(item.message.payload)
    if isinstance(value, dict) and value.get("_type") == "location":
        _decode_locations(item, batch)
