"""A loudspeaker by ALSA, through PyAV: no further program, and no process that has to be watched."""

from dataclasses import dataclass

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Playout


@dataclass(frozen=True, slots=True)
class AlsaLoudspeaker:
    """One ALSA device.

    Attributes:
        device: its name, such as `default` or `plughw:0,0`.
    """

    device: str

    def open(self) -> Playout:
        """Switch it on.

        Raises:
            DeviceError: it cannot be opened.
        """
        from xunlu_edge.media.playout import AlsaPlayout  # noqa: PLC0415  heavy: only when it is switched on

        try:
            return AlsaPlayout(self.device)
        except (OSError, ValueError) as error:
            raise DeviceError(f"{self.device} cannot be opened: {error}.") from error
