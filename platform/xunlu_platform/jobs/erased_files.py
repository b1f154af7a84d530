"""Files whose rows a rule has erased: they go after the commit, and the note of them goes last."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from xunlu_platform.store import housekeeping
from xunlu_platform.store.store import Store

log = logging.getLogger(__name__)

FILES_MAX = 500


class ErasedFiles:
    """What is still to be erased below the recordings folder."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    async def erase(self) -> None:
        """Erase what is noted, each file with its report. Interrupted anywhere, it goes on with the next run.

        Raises:
            StoreError: the database does not answer.
            OSError: the disk keeps a file; its note stays, and holds up no others.
        """
        while files := await housekeeping.files_to_erase(self._store, limit=FILES_MAX):
            erased, kept = await asyncio.to_thread(self._erase, files)
            await housekeeping.forget_files(self._store, erased)
            log.info("files erased", extra={"files": len(erased)})
            if kept:
                raise kept[0]

    def _erase(self, files: Iterable[str]) -> tuple[list[str], list[OSError]]:
        """What is gone, and why the rest is not."""
        folder = self._folder.resolve()
        erased, kept = [], []
        for file in files:
            path = (folder / file).resolve()
            try:
                if path.is_relative_to(folder):
                    # The recorder process writes the report of a file beside it.
                    path.with_suffix(".json").unlink(missing_ok=True)
                    path.unlink(missing_ok=True)
                else:
                    log.error("file lies outside of the recordings, it is left alone", extra={"file": file[:200]})
            except OSError as error:
                kept.append(error)
            else:
                erased.append(file)
        return erased, kept
