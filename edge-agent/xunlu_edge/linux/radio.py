"""Reception: Wi-Fi by /proc/net/wireless; mobile networks by the modem's interface being up."""

from pathlib import Path

from xunlu_edge.hardware import Reception

MODEM_INTERFACES = ("wwan", "rmnet", "ppp", "usb")


class LinuxRadio:
    """What the kernel knows of the way to the network."""

    def __init__(self, root: Path) -> None:
        self._wireless = root / "proc/net/wireless"
        self._interfaces = root / "sys/class/net"

    def read(self) -> Reception:
        """Mobile network first: the recorder is on the street; its signal only the modem's driver knows."""
        if any(self._is_up(folder) for name in MODEM_INTERFACES for folder in self._interfaces.glob(f"{name}*")):
            return Reception(network="mobile")
        signal = self._wifi_dbm()
        return Reception(signal_dbm=signal, network="wifi") if signal is not None else Reception()

    @staticmethod
    def _is_up(folder: Path) -> bool:
        try:
            # Modems without carrier detection say `unknown` while they carry.
            return (folder / "operstate").read_text("ascii").strip() in ("up", "unknown")
        except OSError:
            return False

    def _wifi_dbm(self) -> int | None:
        """Level of the first associated interface: fourth column, `-52.` in dBm."""
        try:
            rows = self._wireless.read_text("ascii").splitlines()[2:]
            levels = [round(float(row.split()[3])) for row in rows]
        except (OSError, ValueError, IndexError):
            return None
        return next((level for level in levels if -200 <= level <= 0), None)


def find_radio(root: Path) -> LinuxRadio | None:
    """The machine's radio, None where the kernel has neither Wi-Fi nor a modem."""
    radio = LinuxRadio(root)
    wireless = (root / "proc/net/wireless").exists()
    modem = any(any((root / "sys/class/net").glob(f"{name}*")) for name in MODEM_INTERFACES)
    return radio if wireless or modem else None
