"""The machine: uptime and restart."""

import asyncio
import os
import shutil
from pathlib import Path

from xunlu_edge.errors import DeviceError

REBOOT_TIMEOUT_S = 10.0


class LinuxMachine:
    """A Linux system under systemd."""

    def __init__(self, root: Path) -> None:
        self._uptime = root / "proc/uptime"
        self._systemctl = shutil.which("systemctl") if (root / "run/systemd/system").is_dir() else None

    def uptime_s(self) -> int | None:
        """Seconds since the kernel started."""
        try:
            return int(float(self._uptime.read_text("ascii").split()[0]))
        except (OSError, ValueError, IndexError):
            return None

    @property
    def can_reboot(self) -> bool:
        """Only under systemd, and only with the right to."""
        return self._systemctl is not None and os.geteuid() == 0

    async def reboot(self) -> None:
        """Ask systemd to restart the machine; it answers before it begins.

        Raises:
            DeviceError: systemd refused or did not answer.
        """
        if self._systemctl is None:
            raise DeviceError("This system cannot be restarted by the agent.")
        process = await asyncio.create_subprocess_exec(self._systemctl, "--no-block", "reboot")
        try:
            async with asyncio.timeout(REBOOT_TIMEOUT_S):
                code = await process.wait()
        except TimeoutError as error:
            process.kill()
            raise DeviceError("systemd did not answer.") from error
        if code != 0:
            raise DeviceError(f"systemctl reboot ended with {code}.")
