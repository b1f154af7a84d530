"""Where NMEA comes from: a serial line that is a pty here, and TCP; both are pulled and come back."""

import asyncio
import contextlib
import itertools
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.xunlu_edge.rig import START_MS, HandClock, epoch_bytes, settle
from xunlu_edge.gnss.nmea import NmeaDecoder
from xunlu_edge.gnss.source import open_receiver
from xunlu_edge.hardware import Gnss
from xunlu_kit.errors import ConfigError


class Pty:
    """A serial line with a receiver at its other end; `path` stays when the line is replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master = -1
        self.plug_in()

    def plug_in(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)

    async def speak(self) -> None:
        """Say one epoch after the other, as a receiver does, whether somebody listens or not."""
        for second in itertools.count():
            with contextlib.suppress(BlockingIOError):
                os.write(self.master, epoch_bytes(START_MS + second * 1000))
            await asyncio.sleep(0.005)

    def unplug(self) -> None:
        os.close(self.master)


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[Pty]:
    pty = Pty(tmp_path / "ttyGNSS")
    yield pty
    pty.unplug()


@pytest.fixture
def serial_line(pty: Pty) -> Iterator[Gnss]:
    receiver = open_receiver(f"serial://{pty.path}?baud=115200", HandClock())
    yield receiver
    receiver.close()


def reading(receiver: Gnss, count: int) -> asyncio.Task[list[int]]:
    """Times of the next fixes."""

    async def read() -> list[int]:
        decoder = NmeaDecoder()
        times: list[int] = []
        async with asyncio.timeout(10):
            while len(times) < count:
                times += [epoch.utc_ms or 0 for epoch in decoder.feed(await receiver.read())]
        return times

    return asyncio.create_task(read(), name="reading")


def epochs(first: int, last: int) -> bytes:
    return b"".join(epoch_bytes(START_MS + second * 1000) for second in range(first, last + 1))


async def test_a_serial_line_is_read_as_it_speaks(pty: Pty, serial_line: Gnss) -> None:
    fixes = reading(serial_line, 3)
    await settle()
    os.write(pty.master, epochs(0, 3))
    assert await fixes == [START_MS, START_MS + 1000, START_MS + 2000]


async def test_a_serial_line_that_was_pulled_is_opened_again(pty: Pty, serial_line: Gnss) -> None:
    speaking = asyncio.create_task(pty.speak(), name="speaking")
    before = await reading(serial_line, 3)
    pty.unplug()
    pty.plug_in()
    after = await reading(serial_line, 3)
    speaking.cancel()
    assert before == sorted(set(before))
    assert after == sorted(set(after))
    assert after[0] > before[-1]


async def test_reading_may_be_cancelled_without_losing_a_byte(pty: Pty, serial_line: Gnss) -> None:
    for part in (b"$", b"GN", b"RMC"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await serial_line.read()
        os.write(pty.master, part)
        assert await serial_line.read() == part


async def test_a_tcp_receiver_that_hangs_up_is_called_again() -> None:
    calls = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        writer.write(epochs(calls * 10, calls * 10 + 1))
        calls += 1
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        receiver = open_receiver(f"tcp://127.0.0.1:{port}", HandClock())
        times = await reading(receiver, 2)
        receiver.close()
    assert times[0] == START_MS
    assert calls >= 2


@pytest.mark.parametrize("url", ["", "serial:", "tcp://host", "tcp://host:x", "usb://1", "serial:///dev/x?baud=fast"])
def test_a_setting_that_names_no_receiver_says_what_it_should_look_like(url: str) -> None:
    with pytest.raises(ConfigError, match="receiver"):
        open_receiver(url, HandClock())
