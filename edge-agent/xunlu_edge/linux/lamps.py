"""Lights by the kernel's LED class (ABI/testing/sysfs-class-led): LEDs whose name says white, laser or ir."""

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import LampName
from xunlu_kit.errors import ConfigError
from xunlu_protocol.status import Lamps

log = logging.getLogger(__name__)

PATTERNS: Mapping[LampName, re.Pattern[str]] = {
    "white": re.compile(r"white|torch|flashlight", re.IGNORECASE),
    "laser": re.compile(r"laser", re.IGNORECASE),
    "ir": re.compile(r"\bir\b|infrared|ircut|night", re.IGNORECASE),
}


class LedLamps:
    """Lamps as LED folders."""

    def __init__(self, folders: Mapping[LampName, Path]) -> None:
        self._folders = folders

    @property
    def names(self) -> frozenset[LampName]:
        """What can be switched."""
        return frozenset(self._folders)

    def read(self) -> Lamps:
        """What is on."""
        return Lamps.model_validate({name: self._is_on(folder) for name, folder in self._folders.items()})

    async def switch(self, lamp: LampName, *, on: bool) -> None:
        """Switch one to full brightness or off.

        Raises:
            DeviceError: the kernel did not take it.
        """
        _light(self._folders[lamp], on=on)

    @staticmethod
    def _is_on(folder: Path) -> bool | None:
        try:
            return int((folder / "brightness").read_text("ascii")) > 0
        except (OSError, ValueError):
            return None


class WatchedLed:
    """The LED that says that somebody watches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def show(self, *, on: bool) -> None:
        """Light it, or put it out.

        Raises:
            DeviceError: the kernel did not take it.
        """
        _light(self._folder, on=on)


def _light(folder: Path, *, on: bool) -> None:
    try:
        level = (folder / "max_brightness").read_text("ascii").strip() if on else "0"
        (folder / "brightness").write_text(level, "ascii")
    except OSError as error:
        raise DeviceError(f"The lamp {folder.name} did not switch: {error}.") from error


def _may_switch(folder: Path) -> bool:
    may = os.access(folder / "brightness", os.W_OK)
    if not may:
        log.warning("lamp not offered: its brightness cannot be written", extra={"led": folder.name})
    return may


def find_watched_led(root: Path, name: str) -> WatchedLed:
    """The LED that a setting names.

    Raises:
        ConfigError: the machine has none of that name.
    """
    folder = root / "sys/class/leds" / name
    if not (folder / "brightness").exists():
        raise ConfigError(f"XUNLU_AGENT_WATCHED_LED names an LED that does not exist: {name}.")
    return WatchedLed(folder)


def find_lamps(root: Path) -> LedLamps | None:
    """The machine's lamps that this user may switch; of the others the log says how to change that."""
    found: dict[LampName, Path] = {}
    for folder in sorted((root / "sys/class/leds").glob("*")):
        for name, pattern in PATTERNS.items():
            if pattern.search(folder.name) and name not in found and _may_switch(folder):
                found[name] = folder
    return LedLamps(found) if found else None
