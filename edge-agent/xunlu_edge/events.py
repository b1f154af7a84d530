"""Events: keys, sensors, recordings and the clock, each written down before it is told."""

import logging
import sqlite3
from collections.abc import Callable

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.database import read_document, write_document
from xunlu_edge.errors import DeviceError, StorageError
from xunlu_edge.hardware import Hardware, Signal
from xunlu_edge.journal import Journal
from xunlu_edge.situation import Situation
from xunlu_kit.clock import Clock
from xunlu_protocol.event import Event, EventType

log = logging.getLogger(__name__)

CLOCK_WATCH_S = 1.0
SOS_DOCUMENT = "sos"


class Events:
    """Raises events. The SOS key works at once, with or without a fix, a connection, a recorder.

    An SOS is on until its key cancels it, whatever restarts meanwhile.
    """

    def __init__(
        self,
        hardware: Hardware,
        journal: Journal,
        situation: Situation,
        database: sqlite3.Connection,
        watch: ClockWatch,
        clock: Clock,
        on_signal: Callable[[Signal], None] | None = None,
    ) -> None:
        """Describe them.

        Args:
            hardware: its keys, and what records.
            journal: where they are written down.
            situation: told of an SOS.
            database: remembers it.
            watch: the time.
            clock: for waiting.
            on_signal: told of every key and sensor; that of push-to-talk raises no event.
        """
        self._hardware = hardware
        self._journal = journal
        self._situation = situation
        self._watch = watch
        self._clock = clock
        self._on_signal = on_signal
        self._database = database
        situation.sos = bool(read_document(database, SOS_DOCUMENT))

    def tell(
        self, kind: EventType, *, rec: str | None = None, text: str | None = None, jump_ms: int | None = None
    ) -> None:
        """Write an event down, with the last known place, and send it."""
        now_ms = self._watch.utc_ms()
        fix = self._situation.fix
        event = Event(
            tst=now_ms // 1000,
            tms=now_ms,
            lat=round(fix.lat, 7) if fix else None,
            lon=round(fix.lon, 7) if fix else None,
            acc=fix.accuracy_m if fix else None,
            fix_tst=fix.utc_ms // 1000 if fix else None,
            rec=rec or self._hardware.recording,
            text=text,
            jump_ms=jump_ms,
        )
        self._journal.add(kind, event)
        log.info("event", extra={"kind": kind})

    async def start_recording(self, category: str | None = None) -> str:
        """Record and say so; returns the recording's id.

        Raises:
            DeviceError: the recorder could not.
        """
        if self._hardware.recorder is None:
            raise DeviceError("This device cannot record.")
        recording = await self._hardware.recorder.start(category)
        self.tell("rec_start", rec=recording, text=category)
        return recording

    async def stop_recording(self) -> str:
        """End the recording and say so; returns its id.

        Raises:
            DeviceError: the recorder could not.
        """
        if self._hardware.recorder is None:
            raise DeviceError("This device cannot record.")
        recording = await self._hardware.recorder.stop()
        self.tell("rec_stop", rec=recording)
        return recording

    async def watch_keys(self) -> None:
        """Turn keys and sensors into events, for ever."""
        if self._hardware.keys is None:
            return
        async for signal in self._hardware.keys.signals():
            await self._handle(signal)

    async def _handle(self, signal: Signal) -> None:
        if signal in ("sos", "sos_cancel"):
            self._note_sos(on=signal == "sos")
        if signal == "record":
            await self._toggle_recording()
        elif signal != "ptt" and signal != "ptt_release":  # noqa: PLR1714  the type of what remains is narrowed
            self.tell(signal)
        if self._on_signal is not None:
            self._on_signal(signal)
        if signal == "sos" and self._hardware.recording is None:
            # Whoever calls for help has no hand left for the record key.
            await self._toggle_recording()

    def _note_sos(self, *, on: bool) -> None:
        self._situation.sos = on
        try:
            write_document(self._database, SOS_DOCUMENT, b"on" if on else b"")
        except StorageError as error:
            log.warning("a restart will forget the SOS", extra={"error": str(error)})

    async def _toggle_recording(self) -> None:
        if self._hardware.recorder is None:
            return
        try:
            if self._hardware.recording is None:
                await self.start_recording()
            else:
                await self.stop_recording()
        except DeviceError as error:
            log.warning("recorder failed", extra={"error": str(error)})

    async def watch_clock(self) -> None:
        """Report jumps of the wall clock, for ever."""
        while True:
            await self._clock.sleep(CLOCK_WATCH_S)
            if (jump_ms := self._watch.jump_ms()) is not None:
                self.tell("clock", jump_ms=jump_ms)
