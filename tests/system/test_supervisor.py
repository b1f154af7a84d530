"""Real processes under the supervisor: started, restarted, stopped, never left behind."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services import free_ports
from xunlu_deploy.child import Child
from xunlu_deploy.errors import DeployError
from xunlu_deploy.health import always, http_ready
from xunlu_deploy.privilege import command
from xunlu_deploy.process import Process
from xunlu_deploy.supervisor import Supervisor

pytestmark = pytest.mark.system

WAIT_S = 10.0
SLEEPER = "import signal; signal.pause()"
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    signal.pause()
"""
WRITES_ITS_END = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
print("up", flush=True)
try:
    signal.pause()
finally:
    open({book!r}, "a").write({name!r} + " ")
"""
PARENT = """
import asyncio, sys
from pathlib import Path
from xunlu_deploy.child import Child
from xunlu_deploy.health import always
from xunlu_deploy.privilege import command
from xunlu_deploy.process import Process

async def main():
    argv = command([sys.executable, "-c", "import signal; signal.pause()"])
    child = Child(Process(name="c", argv=argv, ready=always), Path(sys.argv[1]))
    await child.start()
    print(child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def python(name: str, code: str, **values: object) -> Process:
    return Process(name=name, argv=command([sys.executable, "-c", code]), ready=always, **values)  # type: ignore[arg-type]


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            if happened():
                return
            await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def test_what_dies_is_started_again(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, rng=random.Random(1)) as supervisor:
        await supervisor.start(python("worker", SLEEPER))
        keeper = supervisor.keeper("worker")
        first = keeper.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: keeper.restarts == 1 and keeper.pid not in (None, first))


async def test_leaving_stops_the_last_started_first(tmp_path: Path) -> None:
    book = tmp_path / "ends"
    up: set[str] = set()
    async with Supervisor(tmp_path, listener=lambda name, _: up.add(name)) as supervisor:
        for name in ("one", "two", "three"):
            await supervisor.start(python(name, WRITES_ITS_END.format(book=str(book), name=name)))
        await until(lambda: up == {"one", "two", "three"})
    assert book.read_text("utf-8").split() == ["three", "two", "one"]


async def test_a_process_that_does_not_listen_to_reason_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    async with Supervisor(tmp_path, listener=lambda _, line: lines.append(line)) as supervisor:
        await supervisor.start(python("stubborn", STUBBORN, stop_s=0.2))
        await until(lambda: "deaf" in lines)
        pid = supervisor.keeper("stubborn").pid
        assert pid is not None
    assert not runs(pid)


async def test_a_failing_start_tells_the_last_words_and_leaves_nothing_running(tmp_path: Path) -> None:
    port, other = free_ports(2)
    broken = Process(
        name="broken",
        argv=command([sys.executable, "-c", "print('no disk left'); raise SystemExit(3)"]),
        ready=http_ready("127.0.0.1", port),
    )
    fine = Process(name="fine", argv=command([sys.executable, "-c", SLEEPER]), ready=http_ready("127.0.0.1", other))
    with pytest.raises(DeployError, match=r"broken ended with 3.\nno disk left"):
        async with Supervisor(tmp_path) as supervisor:
            await supervisor.start(broken, fine)
    assert supervisor.keeper("fine").pid is None


async def test_a_process_that_never_gets_healthy_is_a_clear_error(tmp_path: Path) -> None:
    process = Process(
        name="slow",
        argv=command([sys.executable, "-c", SLEEPER]),
        ready=http_ready("127.0.0.1", free_ports(1)[0]),
        start_s=0.3,
    )
    child = Child(process, tmp_path)
    with pytest.raises(DeployError, match="slow was not healthy within"):
        await child.start()
    assert child.returncode is not None


async def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    # setpriv asks the kernel for the signal, then becomes the program.
    await until(lambda: b"setpriv" not in Path(f"/proc/{pid}/cmdline").read_bytes())
    parent.kill()
    await parent.wait()
    await until(lambda: not runs(pid))


async def test_a_talkative_process_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xunlu_deploy.child.LOG_BYTES_MAX", 10_000)
    child = Child(python("talker", "for n in range(5000): print('line', n, 'x' * 50)"), tmp_path)
    await child.launch()
    assert await child.wait() == 0
    assert size_of(tmp_path) < 40_000
    assert child.last_words().endswith("x" * 50)


async def test_an_endless_line_is_cut_and_the_next_ones_are_read(tmp_path: Path) -> None:
    child = Child(python("liner", "print('y' * 300_000); print('after')"), tmp_path)
    await child.launch()
    await child.wait()
    assert child.last_words().endswith("after")
