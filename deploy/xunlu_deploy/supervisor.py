"""Keeps processes running: starts them in stages, restarts what dies, stops all in reverse."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from xunlu_deploy.child import Child, LineListener
from xunlu_deploy.errors import DeployError
from xunlu_deploy.process import Process
from xunlu_kit.backoff import backoff_s

log = logging.getLogger(__name__)

RESTART_FIRST_S = 0.2
"""Whoever hears the net waits for it: a killed talk server has two seconds to be back."""
RESTART_CAP_S = 30.0
STEADY_S = 60.0
"""Who ran this long has recovered: its next end is the first again."""


class Keeper:
    """Owner of one process: at any time one child of it, or a wait before the next.

    Attributes:
        restarts: how often it was started again.
    """

    def __init__(self, process: Process, logs: Path, listener: LineListener | None, rng: random.Random | None) -> None:
        self.process = process
        self.restarts = 0
        self._logs = logs
        self._listener = listener
        self._rng = rng
        self._child: Child | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child that runs now."""
        child = self._child
        return child.pid if child and child.started and child.returncode is None else None

    async def start(self) -> None:
        """Start it for the first time: here a failure is the caller's.

        Raises:
            DeployError: see `Child.start`.
        """
        self._child = self._make_child()
        await self._child.start()
        self._keeping = asyncio.create_task(self._keep(self._child), name=f"keep[{self.process.name}]")

    async def stop(self) -> None:
        """Stop it for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._child is not None and self._child.started:
            await self._child.stop()

    def _make_child(self) -> Child:
        return Child(self.process, self._logs, listener=self._listener)

    async def _keep(self, child: Child) -> None:
        waits = backoff_s(first_s=RESTART_FIRST_S, cap_s=RESTART_CAP_S, rng=self._rng)
        while True:
            since = time.monotonic()
            code = await child.wait() if child.started else None
            if time.monotonic() - since > STEADY_S:
                waits = backoff_s(first_s=RESTART_FIRST_S, cap_s=RESTART_CAP_S, rng=self._rng)
            wait_s = next(waits)
            fields = {"child": self.process.name, "code": code, "restart_in_s": round(wait_s, 2)}
            log.warning("process ended by itself", extra=fields)
            await asyncio.sleep(wait_s)
            child = self._child = self._make_child()
            self.restarts += 1
            try:
                await child.start()
                log.warning("process runs again", extra={"child": self.process.name, "restarts": self.restarts})
            except (DeployError, OSError) as error:
                log.warning("process did not start", extra={"child": self.process.name, "error": str(error)})


class Supervisor:
    """An async context manager: leaving it stops everything, the last started first.

    Attributes:
        stages: what runs, in order of start; those of one stage start and stop together.
    """

    def __init__(self, logs: Path, *, listener: LineListener | None = None, rng: random.Random | None = None) -> None:
        """Describe it.

        Args:
            logs: folder of one log file for each process.
            listener: gets the processes' lines.
            rng: jitter of the restarts; seeded in tests.
        """
        self.stages: list[list[Keeper]] = []
        self._logs = logs
        self._listener = listener
        self._rng = rng

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stage in reversed(self.stages):
            await asyncio.gather(*(keeper.stop() for keeper in stage))

    async def start(self, *processes: Process) -> None:
        """Start processes that do not need each other, and wait until all are healthy.

        Raises:
            DeployError: the first that failed.
        """
        stage = [Keeper(process, self._logs, self._listener, self._rng) for process in processes]
        self.stages.append(stage)
        try:
            async with asyncio.TaskGroup() as group:
                for keeper in stage:
                    group.create_task(keeper.start(), name=f"start[{keeper.process.name}]")
        except* DeployError as errors:
            raise first_of(errors.exceptions) from None

    def keeper(self, name: str) -> Keeper:
        """The keeper of a process.

        Raises:
            KeyError: no process has this name.
        """
        for stage in self.stages:
            for keeper in stage:
                if keeper.process.name == name:
                    return keeper
        raise KeyError(name)


def first_of(errors: Sequence[BaseException]) -> BaseException:
    """The first single exception of nested groups: several may fail, a person mends one at a time."""
    first = errors[0]
    return first_of(first.exceptions) if isinstance(first, BaseExceptionGroup) else first
