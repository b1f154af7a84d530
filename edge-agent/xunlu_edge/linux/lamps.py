"""Lights by the kernel's LED class (ABI/testing/sysfs-class-led): LEDs whose name says white, laser or ir."""

import re
from collections.abc import Mapping
from pathlib import Path

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import LampName
from xunlu_protocol.status import Lamps

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
        folder = self._folders[lamp]
        try:
            level = (folder / "max_brightness").read_text("ascii").strip() if on else "0"
            (folder / "brightness").write_text(level, "ascii")
        except OSError as error:
            raise DeviceError(f"The lamp {lamp} did not switch: {error}.") from error

    @staticmethod
    def _is_on(folder: Path) -> bool | None:
        try:
            return int((folder / "brightness").read_text("ascii")) > 0
        except (OSError, ValueError):
            return None


def find_lamps(root: Path) -> LedLamps | None:
    """The machine's lamps."""
    found: dict[LampName, Path] = {}
    for folder in sorted((root / "sys/class/leds").glob("*")):
        for name, pattern in PATTERNS.items():
            if pattern.search(folder.name) and name not in found:
                found[name] = folder
    return LedLamps(found) if found else None
