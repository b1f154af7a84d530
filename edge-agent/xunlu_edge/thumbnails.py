"""Thumbnails: what the camera sees, now and then, at trickle cost (`up/thumb`)."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Hardware
from xunlu_edge.live import Live
from xunlu_edge.publisher import Publisher
from xunlu_edge.situation import Situation
from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError

log = logging.getLogger(__name__)

LOOK_S = 2.0
# A squad that is switched on together does not send together.
FIRST_SPREAD_S = 10.0


class Thumbnails:
    """Takes and sends them: at the interval of the configuration, and when somebody begins to watch."""

    def __init__(
        self,
        live: Live,
        hardware: Hardware,
        situation: Situation,
        publisher: Publisher,
        is_online: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._live = live
        self._hardware = hardware
        self._situation = situation
        self._publisher = publisher
        self._is_online = is_online
        self._clock = clock
        self._due_s = clock.monotonic_s() + random.uniform(0, FIRST_SPREAD_S)  # noqa: S311  no secret
        self._failing = False

    async def run(self) -> None:
        """Send them, for ever."""
        if self._hardware.video is None:
            return
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._live.started.wait()
            if self._is_due() or self._live.started.is_set():
                self._live.started.clear()
                await self._send()

    def _is_due(self) -> bool:
        interval_s = self._situation.config.thumbnail_s
        if not interval_s or self._clock.monotonic_s() < self._due_s or self._is_weak():
            return False
        self._due_s = self._clock.monotonic_s() + interval_s
        return True

    def _is_weak(self) -> bool:
        """Whether the battery is kept for what matters more."""
        if self._hardware.battery is None:
            return False
        charge = self._hardware.battery.read()
        low_percent = self._situation.config.low_battery_percent
        return charge.state == 1 and charge.percent is not None and charge.percent < low_percent

    async def _send(self) -> None:
        if not self._is_online():
            return
        try:
            picture = await self._live.thumbnail()
            await self._publisher.publish("thumb", picture, qos=0)
        except TransportError:
            return
        except DeviceError as error:
            # Said once: a camera that is broken is broken every minute.
            log.log(logging.DEBUG if self._failing else logging.WARNING, "no thumbnail", extra={"error": str(error)})
            self._failing = True
        else:
            self._failing = False
