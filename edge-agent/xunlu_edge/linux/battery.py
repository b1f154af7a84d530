"""Battery by sysfs (kernel documentation: ABI/testing/sysfs-class-power)."""

from pathlib import Path

from xunlu_edge.hardware import Charge

STATES = {"Discharging": 1, "Not charging": 1, "Charging": 2, "Full": 3}


class SysfsBattery:
    """One power supply of type Battery."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Charge:
        """Charge now; what cannot be read is unknown."""
        capacity = _line(self._folder / "capacity")
        percent = float(capacity) if capacity is not None and capacity.isdigit() else None
        return Charge(
            percent=min(percent, 100.0) if percent is not None else None,
            state=STATES.get(_line(self._folder / "status") or "", 0),
        )


def find_battery(root: Path) -> SysfsBattery | None:
    """The first battery of the machine."""
    for folder in sorted((root / "sys/class/power_supply").glob("*")):
        if _line(folder / "type") == "Battery":
            return SysfsBattery(folder)
    return None


def _line(path: Path) -> str | None:
    try:
        return path.read_text("ascii", errors="replace").strip()
    except OSError:
        return None
