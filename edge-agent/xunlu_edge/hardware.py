"""The recorder's hardware as the agent sees it.

Every part but the receiver is optional. What is absent is no capability, and a command for it is answered `rejected`,
unsupported: nothing is ever pretended. Readers are cheap and return at once; doers are coroutines that raise
`DeviceError`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from xunlu_protocol.status import Capability, Lamps

if TYPE_CHECKING:
    # PyAV is heavy, and a recorder without the extra `media` has none.
    from av import AudioFrame, VideoFrame

Signal = Literal["sos", "sos_cancel", "mark", "record", "fall", "tamper", "dock", "undock", "ptt", "ptt_release"]
"""What keys and sensors say; `record` toggles the recording, `ptt` and `ptt_release` are one key, down and up."""

LampName = Literal["white", "laser", "ir", "voice"]
LAMP_CAPABILITIES: dict[LampName, Capability] = {"white": "lamp_white", "laser": "lamp_laser", "ir": "lamp_ir"}


class Gnss(Protocol):
    """A satellite receiver."""

    async def read(self) -> bytes:
        """The next bytes of NMEA 0183, as they come; safe to cancel. It reconnects by itself and never ends."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """Battery.

    Attributes:
        percent: 0–100, None when unknown.
        state: 0 unknown, 1 unplugged, 2 charging, 3 full.
    """

    percent: float | None = None
    state: int = 0


class Battery(Protocol):
    """The battery."""

    def read(self) -> Charge:
        """Its charge now."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """Evidence storage, bytes."""

    free_bytes: int
    total_bytes: int


class Storage(Protocol):
    """Where recordings are kept."""

    def read(self) -> Space:
        """Its space now."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Reception:
    """The mobile network.

    Attributes:
        signal_dbm: received power, -200–0.
        network: such as `4G`, `5G`, `wifi`.
    """

    signal_dbm: int | None = None
    network: str | None = None


class Cell(Protocol):
    """The modem."""

    def read(self) -> Reception:
        """Reception now."""
        ...


class Thermometer(Protocol):
    """Temperature inside."""

    def read(self) -> float | None:
        """Degrees Celsius."""
        ...


class Keys(Protocol):
    """Keys and sensors."""

    def signals(self) -> AsyncIterator[Signal]:
        """What is pressed or felt, for ever."""
        ...


class Recorder(Protocol):
    """Camera and microphone, recording to the evidence storage."""

    @property
    def recording(self) -> str | None:
        """Id of the running recording."""
        ...

    @property
    def left_s(self) -> int | None:
        """How long battery and storage allow to record, seconds."""
        ...

    async def start(self, category: str | None) -> str:
        """Begin a recording; returns its id."""
        ...

    async def stop(self) -> str:
        """End the recording; returns its id."""
        ...


class Camera(Protocol):
    """Still pictures."""

    async def photo(self) -> str:
        """Take a picture into the evidence storage; returns its name."""
        ...


Piece_co = TypeVar("Piece_co", covariant=True)


class Capture(Protocol[Piece_co]):
    """An open camera or microphone. It blocks: one thread reads it, and closes it."""

    def read(self) -> Piece_co:
        """The next frame; its time (`frame.time`) is the monotonic second at which it was captured, or began.

        Raises:
            DeviceError: the device failed; it is of no more use.
        """
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


class VideoSource(Protocol):
    """Moving pictures for live video, where `Camera` takes stills into the evidence storage. Off until it is opened."""

    def open(self, height_max: int, fps_max: float, /) -> "Capture[VideoFrame]":
        """Switch it on, blocking.

        Args:
            height_max: lines that will be used at most; a larger picture is only scaled down.
            fps_max: frames a second that will be used at most.

        Raises:
            DeviceError: it could not be opened.
        """
        ...

    async def thumbnail(self) -> bytes:
        """Switch it on for a moment; returns a JPEG of at most 12 kB.

        Raises:
            DeviceError: it could not.
        """
        ...


class Microphone(Protocol):
    """Sound for live video. Off until it is opened."""

    def open(self) -> "Capture[AudioFrame]":
        """Switch it on, blocking.

        Raises:
            DeviceError: it could not be opened.
        """
        ...


class Playout(Protocol):
    """An open loudspeaker. It blocks: one thread writes it, and closes it."""

    def write(self, pcm: bytes, /) -> None:
        """Sound 20 ms: signed 16 bits, little-endian, 48 kHz, mono. Returns when there is room for more.

        Raises:
            DeviceError: the device failed; it is of no more use.
        """
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


class Loudspeaker(Protocol):
    """Sound of the radio net, where `Speaker` reads aloud. Off until it is opened."""

    def open(self) -> Playout:
        """Switch it on, blocking.

        Raises:
            DeviceError: it could not be opened.
        """
        ...


class WatchedIndicator(Protocol):
    """A lamp or a sign on the screen: somebody watches."""

    def show(self, *, on: bool) -> None:
        """Light it, or put it out.

        Raises:
            DeviceError: it did not do so.
        """
        ...


class Speaker(Protocol):
    """A voice."""

    async def say(self, text: str, language: Literal["zh", "en"]) -> None:
        """Read `text` aloud; returns when it was said."""
        ...


class Display(Protocol):
    """A screen that shows orders."""

    async def show(self, text: str, by: str | None) -> None:
        """Show `text`, written by `by`; returns when it is there to be read.

        Raises:
            DeviceError: it could not.
        """
        ...


class LampSwitch(Protocol):
    """Lights, and the voice announcements (沪城管执〔2017〕18号 四.2)."""

    @property
    def names(self) -> frozenset[LampName]:
        """What can be switched."""
        ...

    def read(self) -> Lamps:
        """What is on."""
        ...

    async def switch(self, lamp: LampName, *, on: bool) -> None:
        """Switch one."""
        ...


class Lock(Protocol):
    """The lock of the keys and the screen."""

    async def lock(self) -> None:
        """Lock."""
        ...

    async def unlock(self) -> None:
        """Unlock."""
        ...


class System(Protocol):
    """The machine."""

    def uptime_s(self) -> int | None:
        """Seconds since it started."""
        ...

    @property
    def can_reboot(self) -> bool:
        """Whether the agent has the right to restart the machine."""
        ...

    async def reboot(self) -> None:
        """Restart the machine; the agent is told to stop a moment later."""
        ...


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What this recorder has."""

    gnss: Gnss
    battery: Battery | None = None
    storage: Storage | None = None
    cell: Cell | None = None
    thermometer: Thermometer | None = None
    keys: Keys | None = None
    recorder: Recorder | None = None
    camera: Camera | None = None
    video: VideoSource | None = None
    microphone: Microphone | None = None
    loudspeaker: Loudspeaker | None = None
    watched: WatchedIndicator | None = None
    speaker: Speaker | None = None
    display: Display | None = None
    lamps: LampSwitch | None = None
    lock: Lock | None = None
    system: System | None = None

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What the birth announces."""
        present: dict[Capability, bool] = {
            "track_interval": True,
            "record": self.recorder is not None,
            "photo": self.camera is not None,
            "say_text": self.speaker is not None,
            "show_text": self.display is not None,
            "play_note": self.loudspeaker is not None,
            "live": self.video is not None,
            "ptt": self.can_talk,
            "lock": self.lock is not None,
            "reboot": self.system is not None and self.system.can_reboot,
        }
        lamps = self.lamps.names if self.lamps is not None else frozenset()
        present |= {capability: name in lamps for name, capability in LAMP_CAPABILITIES.items()}
        return tuple(name for name, there in present.items() if there)

    @property
    def can_talk(self) -> bool:
        """Whether it takes part in push-to-talk."""
        return self.microphone is not None and self.loudspeaker is not None and self.keys is not None

    @property
    def recording(self) -> str | None:
        """Id of the running recording."""
        return self.recorder.recording if self.recorder is not None else None
