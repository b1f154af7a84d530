"""How a viewer wants packets dressed: payload types and header extension ids, as its own offer numbers them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xunlu_streaming import extensions


@dataclass(frozen=True, slots=True)
class Shape:
    """A renumbering; viewers with equal shapes are served together.

    Attributes:
        payload_types: what changes, publisher's → viewer's; None leaves the packet out.
        ids: header extension ids that change, publisher's → viewer's; None blanks the element.
    """

    payload_types: tuple[tuple[int, int | None], ...] = ()
    ids: tuple[tuple[int, int | None], ...] = ()
    _types: Mapping[int, int | None] = field(init=False, compare=False, repr=False)
    _ids: Mapping[int, int | None] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_types", dict(self.payload_types))
        object.__setattr__(self, "_ids", dict(self.ids))

    @classmethod
    def between(cls, types: Iterable[tuple[int, int | None]], ids: Iterable[tuple[int, int | None]]) -> "Shape":
        """The shape for these pairs; what stays the same is left out, so that equal needs give equal shapes."""
        return cls(
            tuple(sorted(((a, b) for a, b in types if a != b), key=lambda pair: pair[0])),
            tuple(sorted(((a, b) for a, b in ids if a != b), key=lambda pair: pair[0])),
        )

    def dress(self, packets: Sequence[bytes]) -> Sequence[bytes]:
        """The packets as the viewer wants them; the very same ones when nothing changes."""
        if not self.payload_types and not self.ids:
            return packets
        return [dressed for packet in packets if (dressed := self._dress(packet)) is not None]

    def _dress(self, packet: bytes) -> bytes | None:
        kind = packet[1] & 0x7F
        wanted = self._types.get(kind, kind)
        if wanted is None:
            return None
        if wanted == kind and not (self._ids and packet[0] & 0x10):
            return packet
        changed = bytearray(packet)
        changed[1] = packet[1] & 0x80 | wanted
        if self._ids and packet[0] & 0x10:
            extensions.renumber(changed, self._ids)
        return bytes(changed)
