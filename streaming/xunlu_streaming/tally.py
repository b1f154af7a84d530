"""What one viewer was sent: the path's own counts, less what went out while it got nothing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xunlu_streaming.layer import Kind, Layer, payload_offset


class Sent(NamedTuple):
    """Packets, and bytes of payload (RFC 3550 §6.4.1)."""

    packets: int = 0
    octets: int = 0

    def plus(self, other: "Sent") -> "Sent":
        """Both together."""
        return Sent(self.packets + other.packets, self.octets + other.octets)

    @classmethod
    def of(cls, packets: Sequence[bytes]) -> "Sent":
        """These packets."""
        return cls(len(packets), sum(len(packet) - payload_offset(packet) for packet in packets))


class Tally:
    """Counts without a step for each packet: layers count once for all viewers."""

    def __init__(self) -> None:
        self._sent: dict[Kind, Sent] = {}
        self._since: dict[Layer, Sent] = {}

    def begin(self, layer: Layer, first: Sequence[bytes]) -> None:
        """From now on it gets whatever the layer gives out.

        Args:
            layer: not begun, or ended since.
            first: what it has got of it already.
        """
        begun = Sent.of(first)
        self._since[layer] = Sent(layer.packets - begun.packets, layer.octets - begun.octets)

    def end(self) -> None:
        """It gets nothing for a while."""
        for layer in self._since:
            self._sent[layer.track.kind] = self._until_now(layer)
        self._since.clear()

    def _until_now(self, layer: Layer) -> Sent:
        since = self._since[layer]
        running = Sent(layer.packets - since.packets, layer.octets - since.octets)
        return self._sent.get(layer.track.kind, Sent()).plus(running)

    @property
    def sent(self) -> Mapping[Kind, Sent]:
        """All so far."""
        return self._sent | {layer.track.kind: self._until_now(layer) for layer in self._since}
