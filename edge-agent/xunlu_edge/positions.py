"""Positions: receiver → epoch → gate → rate → journal."""

import asyncio

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.gate import Fix, Gate
from xunlu_edge.gnss.epoch import Epoch
from xunlu_edge.gnss.nmea import NmeaDecoder
from xunlu_edge.hardware import Hardware
from xunlu_edge.journal import Journal
from xunlu_edge.outbox import Entry
from xunlu_edge.rate import Rate
from xunlu_edge.situation import Situation
from xunlu_kit.clock import Clock
from xunlu_protocol.location import Location

QUIET_S = 0.3
"""A receiver that pauses this long has said everything about its epoch."""
KMH_PER_MPS = 3.6


class Positions:
    """Owns the receiver.

    Attributes:
        decoder: with its counts of refused sentences.
        gate: with its counts of fixes held back.
        heard_s: monotonic time of the receiver's last byte, None before the first.
    """

    def __init__(
        self, hardware: Hardware, journal: Journal, situation: Situation, watch: ClockWatch, clock: Clock
    ) -> None:
        self.decoder = NmeaDecoder()
        self.gate = Gate()
        self.rate = Rate()
        self.heard_s: float | None = None
        self._hardware = hardware
        self._journal = journal
        self._situation = situation
        self._watch = watch
        self._clock = clock
        self._askers: list[asyncio.Future[Entry]] = []

    async def run(self) -> None:
        """Read the receiver for ever."""
        try:
            while True:
                for epoch in await self._epochs():
                    self._take(epoch)
        finally:
            self._hardware.gnss.close()

    async def locate(self, timeout_s: float) -> Entry:
        """Report the next good fix at once and return its entry.

        Raises:
            TimeoutError: the receiver had none in time.
        """
        asker: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._askers.append(asker)
        self.rate.ask()
        try:
            async with asyncio.timeout(timeout_s):
                return await asker
        finally:
            self._askers.remove(asker)

    async def _epochs(self) -> list[Epoch]:
        try:
            async with asyncio.timeout(QUIET_S if self.decoder.is_open else None):
                chunk = await self._hardware.gnss.read()
        except TimeoutError:
            return self.decoder.flush()
        self.heard_s = self._clock.monotonic_s()
        return self.decoder.feed(chunk)

    def _take(self, epoch: Epoch) -> None:
        self._situation.epoch = epoch
        fix = self.gate.judge(epoch, self._situation.config)
        if fix is None:
            return
        self._situation.fix = fix
        self._watch.see_receiver(fix.utc_ms)
        recording = self._hardware.recording
        activity = self._situation.activity(self._clock.monotonic_s(), recording=recording is not None)
        if not self.rate.is_due(fix, activity, self._situation.config):
            return
        entry = self._journal.add("loc", self._location(fix, recording))
        for asker in self._askers:
            if not asker.done():
                asker.set_result(entry)

    def _location(self, fix: Fix, recording: str | None) -> Location:
        epoch = fix.epoch
        battery = self._hardware.battery.read() if self._hardware.battery is not None else None
        return Location(
            kind="location",
            lat=round(fix.lat, 7),
            lon=round(fix.lon, 7),
            tst=fix.utc_ms // 1000,
            tms=fix.utc_ms,
            acc=fix.accuracy_m,
            alt=_rounded(epoch.alt_m),
            vel=_rounded(epoch.speed_mps, KMH_PER_MPS),
            cog=_rounded(epoch.course_deg),
            batt=battery.percent if battery is not None else None,
            bs=battery.state if battery is not None else None,
            fix=epoch.quality,
            sat=epoch.satellites,
            bds=epoch.beidou,
            sys=tuple(sorted(epoch.used)) or None,
            hdop=epoch.hdop,
            rec=recording,
        )


def _rounded(value: float | None, factor: float = 1.0) -> float | None:
    return None if value is None else round(value * factor, 1)
