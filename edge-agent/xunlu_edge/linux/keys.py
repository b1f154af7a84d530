"""Keys by the kernel's input events, read without a library.

`struct input_event` (linux/input.h): two longs of time, then type, code and value.
"""

import asyncio
import logging
import os
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import get_args

from xunlu_edge.hardware import Signal
from xunlu_kit.backoff import backoff_s
from xunlu_kit.clock import Clock
from xunlu_kit.errors import ConfigError

log = logging.getLogger(__name__)

EVENT = struct.Struct("@llHHi")
EV_KEY = 1
RELEASED, PRESSED = 0, 1
EVENTS_PER_READ = 64
RETRY_CAP_S = 30.0


class InputKeys:
    """One input device whose key codes are named by the settings."""

    def __init__(self, device: Path, codes: Mapping[str, int], clock: Clock) -> None:
        if unknown := sorted(set(codes) - set(get_args(Signal))):
            raise ConfigError(f"XUNLU_AGENT_KEY_CODES names keys that do not exist: {', '.join(unknown)}.")
        self._device = device
        self._signals: Mapping[int, Signal] = {code: name for name, code in codes.items()}  # type: ignore[misc]
        self._clock = clock

    async def signals(self) -> AsyncIterator[Signal]:
        """Keys as they are pressed, for ever; a device that is gone is opened again."""
        waits = backoff_s(cap_s=RETRY_CAP_S)
        while True:
            try:
                descriptor = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK)
            except OSError as error:
                log.warning("keys not readable", extra={"device": str(self._device), "error": str(error)})
                await self._clock.sleep(next(waits))
                continue
            try:
                while chunk := await _read(descriptor):
                    for signal in self.decode(chunk):
                        yield signal
            except OSError as error:
                log.warning("keys lost", extra={"device": str(self._device), "error": str(error)})
            finally:
                os.close(descriptor)
            await self._clock.sleep(next(waits))

    def decode(self, chunk: bytes) -> list[Signal]:
        """What a run of input events means; repeats, and releases of all keys but one, are nothing to us."""
        whole = len(chunk) - len(chunk) % EVENT.size
        events = ((code, value) for _, _, kind, code, value in EVENT.iter_unpack(chunk[:whole]) if kind == EV_KEY)
        found = (self._signal(code, value) for code, value in events)
        return [signal for signal in found if signal is not None]

    def _signal(self, code: int, value: int) -> Signal | None:
        signal = self._signals.get(code)
        if value == RELEASED:
            return "ptt_release" if signal == "ptt" else None
        return signal if value == PRESSED else None


async def _read(descriptor: int) -> bytes:
    """The next input events, nothing at the end."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, EVENT.size * EVENTS_PER_READ)
