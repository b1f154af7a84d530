"""Says what was recorded until the database has it."""

import asyncio
import logging
import time
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Generic

from prometheus_client import Gauge

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session
from xunlu_streaming.record.ledger import D, Ledger, R

log = logging.getLogger(__name__)

REPEAT_S = 5.0
LOOK_S = 1.0
PER_LOOK_MAX = 100


class Reports(Generic[D, R]):
    """Reports of one kind that are not confirmed; their number is bounded by the disk, and each is on it.

    Attributes:
        ledger: where they are kept.
        pool: for what blocks.
    """

    def __init__(self, session: Session, topic: str, ledger: Ledger[D, R], pool: Executor, unconfirmed: Gauge) -> None:
        """Begin with what an earlier process left.

        Args:
            session: with the broker.
            topic: to report on.
            ledger: where reports are kept.
            pool: for what blocks.
            unconfirmed: where the number of reports is shown.
        """
        self._session = session
        self._topic = topic
        self.ledger = ledger
        self.pool = pool
        self._reports: dict[str, R] = {}
        self._due_s: dict[str, float] = {}
        self._stirred = asyncio.Event()
        unconfirmed.set_function(lambda: len(self._reports))
        for report in ledger.unconfirmed():
            self.add(report)

    def add(self, report: R) -> None:
        """Report what the ledger has already."""
        self._reports[report.id] = report
        self._due_s[report.id] = 0.0
        self._stirred.set()

    async def confirm(self, names: Iterable[str]) -> None:
        """The database holds these."""
        for name in names:
            self._due_s.pop(name, None)
            if (report := self._reports.pop(name, None)) is not None:
                await asyncio.get_running_loop().run_in_executor(self.pool, self.ledger.confirm, report)

    async def run(self) -> None:
        """Report for ever."""
        while True:
            try:
                await self.say()
            except TransportError as error:
                log.debug("not reported yet", extra={"error": str(error)})
            self._stirred.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    async def say(self) -> None:
        """Publish what is due, oldest first, as much as one look allows.

        Raises:
            TransportError: the broker did not take it.
        """
        now_s = time.monotonic()
        due = [name for name, at_s in self._due_s.items() if at_s <= now_s]
        for name in due[:PER_LOOK_MAX]:
            if (report := self._reports.get(name)) is not None:
                await self._session.publish(self._topic, report.encode())
                self._due_s[name] = now_s + REPEAT_S
