"""Actions: what each command does on this hardware."""

from typing import Any

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import DeviceError
from xunlu_edge.events import Events
from xunlu_edge.hardware import Hardware
from xunlu_edge.live import Live
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
    RecordStart,
    SayText,
    TrackInterval,
)

LOCATE_TIMEOUT_S = 30.0

Result = dict[str, Any] | None


class BusyError(DeviceError):
    """The hardware is already doing that."""


class Actions:
    """Performs commands."""

    def __init__(
        self,
        hardware: Hardware,
        positions: Positions,
        events: Events,
        shadow: ShadowKeeper,
        situation: Situation,
        live: Live,
        watch: ClockWatch,
        clock: Clock,
    ) -> None:
        self._hardware = hardware
        self._positions = positions
        self._events = events
        self._shadow = shadow
        self._situation = situation
        self._live = live
        self._watch = watch
        self._clock = clock

    def supports(self, name: CommandName, arguments: Arguments) -> bool:
        """Whether this hardware can do it."""
        hardware = self._hardware
        if isinstance(arguments, Lamp):
            return hardware.lamps is not None and arguments.lamp in hardware.lamps.names
        parts: dict[str, object | None] = {
            "record_start": hardware.recorder,
            "record_stop": hardware.recorder,
            "photo": hardware.camera,
            "say_text": hardware.speaker,
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
            case SayText():
                assert self._hardware.speaker is not None
                await self._hardware.speaker.say(arguments.text, arguments.language)
            case RecordStart():
                if self._hardware.recording is not None:
                    raise BusyError("A recording already runs.")
                return {"rec": await self._events.start_recording(arguments.category)}
            case Lamp():
                assert self._hardware.lamps is not None
                await self._hardware.lamps.switch(arguments.lamp, on=arguments.on)
            case LiveStart():
                return await self._live.start(arguments)
            case Configure():
                self._shadow.override(arguments.config)
                return {"config": self._shadow.reported.config.fingerprint}
            case NoArguments():
                return await self._simple(name)
        return None

    async def _simple(self, name: CommandName) -> Result:
        hardware = self._hardware
        if name == "locate_now":
            return await self._locate()
        if name == "record_stop":
            if hardware.recording is None:
                raise BusyError("No recording runs.")
            return {"rec": await self._events.stop_recording()}
        if name == "live_stop":
            await self._live.stop()
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
            entry = await self._positions.locate(LOCATE_TIMEOUT_S)
        except TimeoutError as error:
            raise DeviceError(f"No fix within {LOCATE_TIMEOUT_S:.0f} s.") from error
        return {"sid": entry.sid, "seq": entry.seq}

    def _track(self, arguments: TrackInterval) -> Result:
        self._situation.asked_interval_s = arguments.interval_s or None
        self._situation.asked_until_s = self._clock.monotonic_s() + arguments.duration_s
        return {"until": self._watch.utc_ms() // 1000 + arguments.duration_s} if arguments.interval_s else None
