"""A message on its way, and the batch that it travels in."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from xunlu_kit.mqtt import Message
from xunlu_platform.ingest.metrics import Metrics
from xunlu_platform.store.arrivals import Arrivals, DeviceRef
from xunlu_platform.store.ranges import Ranges
from xunlu_protocol.command import Reply
from xunlu_protocol.event import Event
from xunlu_protocol.fleet import FleetDevice
from xunlu_protocol.location import Location
from xunlu_protocol.shadow import Shadow
from xunlu_protocol.status import Birth, State, Telemetry

Content = list[Location] | Event | Telemetry | State | Birth | Reply | Shadow
Channel = Literal["birth", "state", "loc", "loc/hist", "tele", "evt", "rpc", "shadow", "thumb"]

DEAD_LETTER_BYTES_MAX = 4096
DEAD_LETTERS_PER_BATCH_MAX = 100


@dataclass(slots=True)
class Item:
    """One message; handlers fill it from left to right.

    Attributes:
        message: as received.
        received_ms: UTC milliseconds of arrival.
        tenant: third topic level, empty for OwnTracks.
        kind: fourth topic level.
        did: who writes, by the topic.
        channel: what it writes.
        tail: event type or request id.
        content: the parsed payload.
        device: who it is, by the registry.
    """

    message: Message
    received_ms: int
    tenant: str = ""
    kind: str = "d"
    did: str = ""
    channel: Channel = "loc"
    tail: str = ""
    content: Content | None = None
    device: DeviceRef | None = None

    @property
    def received_at(self) -> datetime:
        """Time of arrival."""
        return instant(self.received_ms)

    @property
    def identity(self) -> DeviceRef:
        """The device; only after it was identified."""
        assert self.device is not None
        return self.device


@dataclass(slots=True)
class Batch:
    """What the handlers make of some messages.

    Attributes:
        metrics: counters of the worker.
        registry: known devices by name.
        covered: per (device id, sid), the sequence up to which everything is known to be stored.
        shredded: sessions whose sequences have too many holes to be kept any further.
        arrivals: rows to commit.
        frame: the newest of every device, for the fleet frame.
        dids: names of the devices in `arrivals`.
        received: messages by channel.
        duplicates: fixes and events that are known to be stored.
        lag_ms: arrival after fix time of the last live fix.
        letters_dropped: dead letters beyond the bound of a batch.
    """

    metrics: Metrics
    registry: Mapping[str, DeviceRef]
    covered: Mapping[tuple[int, int], int]
    shredded: frozenset[tuple[int, int]] = frozenset()
    arrivals: Arrivals = field(default_factory=Arrivals)
    frame: dict[str, FleetDevice] = field(default_factory=dict)
    dids: dict[int, str] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    lag_ms: int | None = None
    letters_dropped: int = 0

    def touch(self, device: DeviceRef) -> None:
        """Note that the transaction changes this device."""
        self.arrivals.devices.add(device.id)
        self.dids[device.id] = device.did

    def hold(self, device: DeviceRef, sid: int, seq: int | None) -> None:
        """Note a sequence that will be stored."""
        if seq is not None:
            self.arrivals.held.setdefault((device.id, sid), Ranges()).add(seq)

    def ask(self, device: DeviceRef, sid: int) -> None:
        """Have the database say again what it holds of a session: only it knows, we merely remember."""
        self.arrivals.held.setdefault((device.id, sid), Ranges())

    def give_up(self, device: DeviceRef, sid: int, first: int, last: int) -> None:
        """Note sequences that will never be stored, so that the device lets go of them."""
        self.arrivals.given_up.setdefault((device.id, sid), Ranges()).add(first, last)

    def count(self) -> None:
        """Put what was counted into the worker's metrics: once a batch, not once a message."""
        for channel, messages in self.received.items():
            self.metrics.received.labels(channel=channel).inc(messages)
        self.metrics.duplicates.inc(self.duplicates)
        self.metrics.letters_dropped.inc(self.letters_dropped)
        if self.lag_ms is not None:
            self.metrics.lag_s.set(self.lag_ms / 1000)

    def refuse(self, item: Item, reason: str, message: str) -> None:
        """Count, and keep as a dead letter within the bound."""
        self.metrics.refused.labels(reason=reason).inc()
        if len(self.arrivals.dead_letters) >= DEAD_LETTERS_PER_BATCH_MAX:
            self.letters_dropped += 1
            return
        self.arrivals.dead_letters.append(
            {
                "topic": _printable(item.message.topic)[:500],
                "reason": reason,
                "message": _printable(message)[:500],
                "payload": item.message.payload[:DEAD_LETTER_BYTES_MAX],
            }
        )


def instant(ms: int) -> datetime:
    """UTC milliseconds as a datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def _printable(text: str) -> str:
    return text.replace("\x00", "�")
