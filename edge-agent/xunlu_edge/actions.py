"""Actions: what each command does on this hardware."""

from dataclasses import dataclass
from typing import Any

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import BusyError, DeviceError
from xunlu_edge.events import Events
from xunlu_edge.hardware import Hardware
from xunlu_edge.live import Live
from xunlu_edge.notes import Notes
from xunlu_edge.positions import Positions
from xunlu_edge.shadow import ShadowKeeper
from xunlu_edge.situation import Situation
from xunlu_kit.clock import Clock
from xunlu_protocol.command import (
    Arguments,
    CommandName,
    Configure,
    Lamp,
    LiveStart,
    NoArguments,
    PlayNote,
    RecordStart,
    SayText,
    ShowText,
    TrackInterval,
)

LOCATE_TIMEOUT_S = 30.0

Result = dict[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Actions:
    """Performs commands with the parts of the recorder."""

    hardware: Hardware
    positions: Positions
    events: Events
    shadow: ShadowKeeper
    situation: Situation
    live: Live
    notes: Notes
    watch: ClockWatch
    clock: Clock

    def supports(self, name: CommandName, arguments: Arguments) -> bool:
        """Whether this hardware can do it."""
        hardware = self.hardware
        if isinstance(arguments, Lamp):
            return hardware.lamps is not None and arguments.lamp in hardware.lamps.names
        parts: dict[str, object | None] = {
            "record_start": hardware.recorder,
            "record_stop": hardware.recorder,
            "photo": hardware.camera,
            "say_text": hardware.speaker,
            "show_text": hardware.display,
            "play_note": hardware.loudspeaker,
            "lock": hardware.lock,
            "unlock": hardware.lock,
            "live_start": hardware.video,
            "live_stop": hardware.video,
            "reboot": hardware.system if hardware.system is not None and hardware.system.can_reboot else None,
        }
        return name not in parts or parts[name] is not None

    async def perform(self, name: CommandName, arguments: Arguments) -> Result:
        """Do it; returns what came out.

        Raises:
            DeviceError: the hardware failed; `BusyError` when it is already doing that.
            ProtocolError: an argument makes no sense on this device.
        """
        match arguments:
            case TrackInterval():
                return self._track(arguments)
            case SayText() | ShowText() | PlayNote():
                await self._tell(arguments)
            case RecordStart():
                if self.hardware.recording is not None:
                    raise BusyError("A recording already runs.")
                return {"rec": await self.events.start_recording(arguments.category)}
            case Lamp():
                assert self.hardware.lamps is not None
                await self.hardware.lamps.switch(arguments.lamp, on=arguments.on)
            case LiveStart():
                return await self.live.start(arguments)
            case Configure():
                self.shadow.override(arguments.config)
                return {"config": self.shadow.reported.config.fingerprint}
            case NoArguments():
                return await self._simple(name)
        return None

    async def _tell(self, order: SayText | ShowText | PlayNote) -> None:
        hardware = self.hardware
        match order:
            case SayText():
                assert hardware.speaker is not None
                await hardware.speaker.say(order.text, order.language)
            case ShowText():
                assert hardware.display is not None
                await hardware.display.show(order.text, order.by)
            case PlayNote():
                await self.notes.play(order)

    async def _simple(self, name: CommandName) -> Result:
        hardware = self.hardware
        if name == "locate_now":
            return await self._locate()
        if name == "record_stop":
            if hardware.recording is None:
                raise BusyError("No recording runs.")
            return {"rec": await self.events.stop_recording()}
        if name == "live_stop":
            await self.live.stop()
        if name == "photo" and hardware.camera is not None:
            return {"photo": await hardware.camera.photo()}
        if name == "lock" and hardware.lock is not None:
            await hardware.lock.lock()
        if name == "unlock" and hardware.lock is not None:
            await hardware.lock.unlock()
        if name == "reboot" and hardware.system is not None:
            await hardware.system.reboot()
        return None

    async def _locate(self) -> Result:
        try:
            entry = await self.positions.locate(LOCATE_TIMEOUT_S)
        except TimeoutError as error:
            raise DeviceError(f"No fix within {LOCATE_TIMEOUT_S:.0f} s.") from error
        return {"sid": entry.sid, "seq": entry.seq}

    def _track(self, arguments: TrackInterval) -> Result:
        self.situation.asked_interval_s = arguments.interval_s or None
        self.situation.asked_until_s = self.clock.monotonic_s() + arguments.duration_s
        return {"until": self.watch.utc_ms() // 1000 + arguments.duration_s} if arguments.interval_s else None
