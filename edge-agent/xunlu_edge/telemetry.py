"""Telemetry: the recorder's condition, on change and every minute, and the events that its thresholds raise."""

import asyncio
import contextlib
import logging

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.events import Events
from xunlu_edge.hardware import Charge, Hardware, Reception
from xunlu_edge.journal import Journal
from xunlu_edge.outbox import Outbox
from xunlu_edge.publisher import Publisher
from xunlu_edge.situation import Situation
from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_protocol.status import Telemetry

log = logging.getLogger(__name__)

LOOK_S = 2.0
MEGABYTE = 1_000_000
# What went below a threshold must come this far above it before it can be raised again.
BATTERY_RECOVERY_PERCENT = 5.0
STORAGE_RECOVERY = 1.1

Significant = tuple[object, ...]


class Reporter:
    """Composes and sends telemetry."""

    def __init__(
        self,
        hardware: Hardware,
        situation: Situation,
        outbox: Outbox,
        journal: Journal,
        events: Events,
        publisher: Publisher,
        watch: ClockWatch,
        clock: Clock,
    ) -> None:
        self._hardware = hardware
        self._situation = situation
        self._outbox = outbox
        self._journal = journal
        self._events = events
        self._publisher = publisher
        self._watch = watch
        self._clock = clock
        self._sent: Significant | None = None
        self._sent_s = float("-inf")
        self._asked = asyncio.Event()
        self._battery_low = False
        self._storage_low = False

    def connected(self) -> None:
        """Tell everything anew, now."""
        self._sent = None
        self._asked.set()

    async def run(self) -> None:
        """Look every two seconds, tell when something changed or a minute has passed, for ever."""
        while True:
            self._asked.clear()
            await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()

    async def _look(self) -> None:
        now = self.compose()
        self._watch_thresholds(now)
        significant, now_s = _significant(now), self._clock.monotonic_s()
        if significant == self._sent and now_s - self._sent_s < self._situation.config.telemetry_s:
            return
        try:
            await self._publisher.publish("tele", now.encode())
        except TransportError as error:
            log.debug("telemetry not sent", extra={"error": str(error)})
            return
        self._sent, self._sent_s = significant, now_s

    def compose(self) -> Telemetry:
        """The condition now; what the hardware does not tell is left out."""
        hardware, epoch = self._hardware, self._situation.epoch
        charge = hardware.battery.read() if hardware.battery is not None else Charge()
        space = hardware.storage.read() if hardware.storage is not None else None
        reception = hardware.cell.read() if hardware.cell is not None else Reception()
        return Telemetry(
            tst=self._watch.utc_ms() // 1000,
            sid=self._outbox.sid,
            batt=charge.percent,
            bs=charge.state if hardware.battery is not None else None,
            rec_left_s=hardware.recorder.left_s if hardware.recorder is not None else None,
            storage_free_mb=space.free_bytes // MEGABYTE if space is not None else None,
            storage_total_mb=space.total_bytes // MEGABYTE if space is not None else None,
            signal_dbm=reception.signal_dbm,
            net=reception.network,
            temp_c=hardware.thermometer.read() if hardware.thermometer is not None else None,
            rec=hardware.recording,
            fix=epoch.quality if epoch is not None else 0,
            sat=epoch.satellites if epoch is not None else None,
            bds=epoch.beidou if epoch is not None else None,
            outbox=self._outbox.count,
            thinned=self._journal.thinned,
            lost=self._journal.lost,
            clock_ms=self._watch.offset_ms,
            uptime_s=hardware.system.uptime_s() if hardware.system is not None else None,
            lamps=hardware.lamps.read() if hardware.lamps is not None else None,
        )

    def _watch_thresholds(self, now: Telemetry) -> None:
        config = self._situation.config
        if now.batt is not None:
            if now.batt < config.low_battery_percent and not self._battery_low and now.bs not in (2, 3):
                self._battery_low = True
                self._events.tell("low_batt", text=f"{now.batt:.0f} %")
            elif now.batt >= config.low_battery_percent + BATTERY_RECOVERY_PERCENT:
                self._battery_low = False
        if now.storage_free_mb is not None:
            if now.storage_free_mb < config.low_storage_mb and not self._storage_low:
                self._storage_low = True
                self._events.tell("storage", text=f"{now.storage_free_mb} MB free")
            elif now.storage_free_mb >= config.low_storage_mb * STORAGE_RECOVERY:
                self._storage_low = False


def _significant(now: Telemetry) -> Significant:
    """What is told at once when it changes; numbers coarse, so that noise is no news."""
    battery = None if now.batt is None else int(now.batt)
    bars = None if now.signal_dbm is None else now.signal_dbm // 10
    return (battery, now.bs, now.rec, now.net, bars, bool(now.fix), now.lamps, now.thinned)
