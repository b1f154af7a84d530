"""A screen that belongs to another program: orders are handed over in a folder, one file each."""

import asyncio
import json
import time
from pathlib import Path

from xunlu_edge.durable import write_durably
from xunlu_edge.errors import DeviceError

SHOWN_MAX = 50


class FolderDisplay:
    """The recorder's own screen program shows what lies in the folder, and takes away what the officer has seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def show(self, text: str, by: str | None) -> None:
        """Hand an order over: JSON with `text`, `by` and `tst` (UTC seconds), in a file named by the nanosecond.

        Raises:
            DeviceError: the folder cannot be written, or the screen program takes nothing away.
        """
        order = json.dumps({"text": text, "by": by, "tst": int(time.time())}, ensure_ascii=False)
        try:
            await asyncio.to_thread(self._hand_over, order.encode())
        except OSError as error:
            raise DeviceError(f"{self._folder} cannot be written: {error}.") from error

    def _hand_over(self, order: bytes) -> None:
        waiting = sum(1 for _ in self._folder.glob("*.json"))
        if waiting >= SHOWN_MAX:
            raise DeviceError(f"{waiting} orders wait at the screen: start the recorder's screen program.")
        write_durably(self._folder / f"{time.time_ns()}.json", order)
