"""A running process: started, watched, stopped; what it says goes to a bounded log file."""

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from xunlu_deploy.errors import DeployError
from xunlu_deploy.privilege import private_folder
from xunlu_deploy.process import Process

LOG_BYTES_MAX = 8 << 20
LOG_FILES = 3
LINE_BYTES_MAX = 64 << 10
TAIL_LINES = 20
POLL_S = 0.05

LineListener = Callable[[str, str], None]


class Child:
    """One start of a `Process`; make another for the next start.

    Attributes:
        process: what runs.
        returncode: None while it runs.
    """

    def __init__(self, process: Process, logs: Path, *, listener: LineListener | None = None) -> None:
        """Describe it; nothing runs before `start`.

        Args:
            process: what to run.
            logs: folder for `NAME.log`.
            listener: called with the name and each line; decides what the console shows.
        """
        self.process = process
        self._logs = logs
        self._listener = listener
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._running: asyncio.subprocess.Process | None = None
        self._copying: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """Whether it was ever run."""
        return self._running is not None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._child.returncode

    @property
    def _child(self) -> asyncio.subprocess.Process:
        assert self._running is not None, "start() comes first"
        return self._running

    async def start(self) -> None:
        """Run it and wait until it is healthy.

        Raises:
            DeployError: it ended, or was not healthy in time; the message carries its last words.
        """
        await self.launch()
        try:
            await self.wait_ready()
        except BaseException:
            await self.stop()
            raise

    async def launch(self) -> None:
        """Run it, without waiting for health."""
        private_folder(self._logs)
        self._running = await asyncio.create_subprocess_exec(
            *self.process.argv,
            env={**os.environ, **self.process.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_BYTES_MAX,
            # A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops all in order.
            start_new_session=True,
        )
        self._copying = asyncio.create_task(self._copy_output(), name=f"log[{self.process.name}]")

    async def wait_ready(self) -> None:
        """Wait until it is healthy; see `start`."""
        try:
            async with asyncio.timeout(self.process.start_s):
                while not await self.process.ready():
                    if self.returncode is not None:
                        code = await self.wait()
                        raise DeployError(f"{self.process.name} ended with {code}.\n{self.last_words()}")
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise DeployError(
                f"{self.process.name} was not healthy within {self.process.start_s:.0f} s.\n{self.last_words()}"
            ) from None

    async def wait(self) -> int:
        """Wait for its end; the return code."""
        code = await self._child.wait()
        if self._copying:
            await self._copying
        return code

    async def stop(self) -> None:
        """Ask it to end, then kill it."""
        self.send(self.process.stop_signal)
        try:
            async with asyncio.timeout(self.process.stop_s):
                await self._child.wait()
        except TimeoutError:
            await self.kill()
        await self.wait()

    async def kill(self) -> None:
        """Kill it at once (SIGKILL), as a power cut would."""
        self.send(signal.SIGKILL)
        await self._child.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self._tail)

    async def _copy_output(self) -> None:
        assert self._child.stdout is not None
        stream = self._child.stdout
        file = RotatingFileHandler(
            self._logs / f"{self.process.name}.log", maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES - 1, encoding="utf-8"
        )
        with contextlib.closing(file):
            while True:
                try:
                    line = await stream.readuntil(b"\n")
                except asyncio.IncompleteReadError as end:
                    if not end.partial:
                        return
                    line = end.partial
                except asyncio.LimitOverrunError as overrun:
                    line = await stream.readexactly(overrun.consumed)
                text = line.decode("utf-8", "replace").rstrip("\n")
                self._tail.append(text)
                file.emit(logging.makeLogRecord({"msg": text}))
                if self._listener:
                    self._listener(self.process.name, text)
