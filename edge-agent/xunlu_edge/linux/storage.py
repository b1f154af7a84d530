"""Evidence storage: space of the volume."""

import os
from pathlib import Path

from xunlu_edge.hardware import Space


class Volume:
    """The file system below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Space:
        """Space now, as an ordinary user may use it; a volume that is gone has none."""
        try:
            figures = os.statvfs(self._folder)
        except OSError:
            return Space(free_bytes=0, total_bytes=0)
        return Space(free_bytes=figures.f_bavail * figures.f_frsize, total_bytes=figures.f_blocks * figures.f_frsize)
