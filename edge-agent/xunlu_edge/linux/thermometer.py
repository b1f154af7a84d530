"""Temperature by the kernel's thermal zones (ABI/testing/sysfs-class-thermal)."""

from pathlib import Path


class ThermalZones:
    """The hottest zone counts: it is what shuts a recorder down."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    def read(self) -> float | None:
        """Degrees Celsius; None when no zone answers."""
        readings = []
        for file in self._files:
            try:
                readings.append(int(file.read_text("ascii")) / 1000)
            except (OSError, ValueError):
                continue
        plausible = [reading for reading in readings if -50 <= reading <= 150]
        return round(max(plausible), 1) if plausible else None


def find_thermometer(root: Path) -> ThermalZones | None:
    """The machine's thermal zones."""
    files = sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
    return ThermalZones(files) if files else None
