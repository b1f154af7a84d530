"""How a benchmark talks with its load: programs of their own, each on a core that the benchmark names.

A program reads its plan as JSON from the first line of its standard input, says JSON when it is ready, and then
answers each further line with JSON. It ends when its input does, so none survives the benchmark.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

READY_TIMEOUT_S = 300.0
ANSWER_TIMEOUT_S = 60.0
LINE_BYTES_MAX = 64 << 20
RELAY_CORE = 0
LOAD_CORE = 1


def on_core(core: int, *command: str) -> tuple[str, ...]:
    """The command that runs another one on one core only; with `REALTIME=1` before all else that is there.

    That needs root. On a busy machine it keeps others from disturbing, every relay and its load alike; the scheduler
    does less then, which spares a relay of many threads more than one of a single thread.
    """
    first = ("chrt", "--rr", "1") if os.environ.get("REALTIME") == "1" else ()
    return (*first, "taskset", "--cpu-list", str(core), *command)


class Child:
    """A running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, question: str = "") -> dict[str, Any]:
        """Its answer to a line; how it stands when the line is empty."""
        assert self._process.stdin is not None
        self._process.stdin.write(question.encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer(ANSWER_TIMEOUT_S)

    async def answer(self, timeout_s: float) -> dict[str, Any]:
        """What it says next."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        assert line, "the program ended; its own words stand above"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.asynccontextmanager
async def child(module: str, plan: "DataclassInstance", core: int = LOAD_CORE) -> AsyncIterator[Child]:
    """A program of this package with its plan, ready."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *on_core(core, sys.executable, "-m", f"tests.benchmarks.media.{module}"),
        stdin=pipe, stdout=pipe, limit=LINE_BYTES_MAX,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(asdict(plan)).encode() + b"\n")
        one = Child(process)
        await one.answer(READY_TIMEOUT_S)
        yield one
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()


async def questions() -> AsyncIterator[str]:
    """Lines of the standard input, in the program."""
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


def say(answer: dict[str, Any]) -> None:
    """Answer, in the program."""
    print(json.dumps(answer), flush=True)  # noqa: T201
