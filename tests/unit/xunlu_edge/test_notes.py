"""Voice notes on the recorder: fetched from a real server, kept until they were played, played once."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sound import voice_note
from tests.unit.xunlu_edge.rig import HandClock, bench_database, bench_hardware
from xunlu_edge.errors import BusyError, DeviceError
from xunlu_edge.hardware import Playout
from xunlu_edge.notes import KEPT_MAX, Notes
from xunlu_edge.settings import AgentSettings
from xunlu_protocol.command import PlayNote

NOTE = voice_note(0.4)
PIECE_BYTES = 1920


class Shelf(ThreadingHTTPServer):
    """A server that hands one note out, to whoever has the token, and counts."""

    daemon_threads = True

    def __init__(self) -> None:
        self.data = NOTE
        self.asked = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    def wanted(self, note: str = "n1") -> PlayNote:
        return PlayNote(
            note=note,
            url=f"http://127.0.0.1:{self.server_port}/notes/{note}",
            token="good",
            sha256=hashlib.sha256(NOTE).hexdigest(),
            size_bytes=len(NOTE),
        )


class _Handler(BaseHTTPRequestHandler):
    server: Shelf

    def do_GET(self) -> None:
        self.server.asked += 1
        good = self.headers["Authorization"] == "Bearer good"
        body = self.server.data if good else b""
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """It has nothing to say."""


class Box:
    """A loudspeaker that can be broken, or held up."""

    def __init__(self) -> None:
        self.broken = False
        self.sounded = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.opened = threading.Event()

    def open(self) -> Playout:
        if self.broken:
            raise DeviceError("The loudspeaker is in use.")
        self.opened.set()
        return self

    def write(self, pcm: bytes, /) -> None:
        self.may_go_on.wait(10)
        self.sounded += len(pcm)

    def close(self) -> None:
        """Nothing is held."""


class Bench:
    """A recorder that can be started anew over the same disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.box = Box()
        self.database = bench_database(folder)
        self.notes = self._started()

    def _started(self) -> Notes:
        hardware = replace(bench_hardware(), loudspeaker=self.box)
        return Notes(hardware, AgentSettings(state=self.folder), self.database, HandClock())

    def restart(self) -> None:
        self.database.close()
        self.database = bench_database(self.folder)
        self.notes = self._started()

    def kept(self) -> set[str]:
        return {path.name for path in (self.folder / "notes").iterdir()}


@pytest_asyncio.fixture
async def shelf() -> AsyncIterator[Shelf]:
    with Shelf() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.database.close()


async def test_a_note_is_played_once_however_often_it_is_asked_for(bench: Bench, shelf: Shelf) -> None:
    await bench.notes.play(shelf.wanted())
    assert bench.box.sounded == pytest.approx(0.4 * 96_000, abs=2 * PIECE_BYTES)
    assert bench.kept() == set()
    sounded = bench.box.sounded
    bench.restart()
    await bench.notes.play(shelf.wanted())
    assert (bench.box.sounded, shelf.asked) == (sounded, 1)


async def test_a_note_that_could_not_be_played_is_kept_and_needs_no_second_fetch(bench: Bench, shelf: Shelf) -> None:
    bench.box.broken = True
    with pytest.raises(DeviceError, match="in use"):
        await bench.notes.play(shelf.wanted())
    assert bench.kept() == {"n1"}
    bench.restart()
    bench.box.broken = False
    await bench.notes.play(shelf.wanted())
    assert (bench.box.sounded > 0, shelf.asked, bench.kept()) == (True, 1, set())


async def test_a_note_that_was_cut_off_in_writing_is_fetched_again(bench: Bench, shelf: Shelf) -> None:
    (bench.folder / "notes").mkdir()
    (bench.folder / "notes" / "n1").write_bytes(NOTE[:100])
    await bench.notes.play(shelf.wanted())
    assert (shelf.asked, bench.kept()) == (1, set())


@pytest.mark.parametrize(
    "data", [b"", NOTE[:-1], NOTE + b"x", NOTE[:-1] + b"x"], ids=["none", "short", "long", "other"]
)
async def test_a_note_that_is_not_what_was_promised_is_not_played(bench: Bench, shelf: Shelf, data: bytes) -> None:
    shelf.data = data
    with pytest.raises(DeviceError, match="hash"):
        await bench.notes.play(shelf.wanted())
    assert bench.box.sounded == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"token": "bad"}, "401"),
        ({"url": "http://127.0.0.1:1/x"}, "fetched"),
        ({"url": "http://:80/x"}, "no address"),
    ],
)
async def test_a_note_that_cannot_be_fetched_says_why(
    bench: Bench, shelf: Shelf, change: dict[str, str], why: str
) -> None:
    with pytest.raises(DeviceError, match=why):
        await bench.notes.play(shelf.wanted().model_copy(update=change))


async def test_what_is_no_sound_is_told_and_not_kept_for_ever(bench: Bench, shelf: Shelf) -> None:
    shelf.data = b"no sound"
    promised = {"sha256": hashlib.sha256(shelf.data).hexdigest(), "size_bytes": len(shelf.data)}
    for number in range(KEPT_MAX + 2):
        with pytest.raises(DeviceError, match="cannot be played"):
            await bench.notes.play(shelf.wanted(f"n{number}").model_copy(update=promised))
    assert len(bench.kept()) == KEPT_MAX


async def test_two_notes_do_not_sound_at_once(bench: Bench, shelf: Shelf) -> None:
    bench.box.may_go_on.clear()
    first = asyncio.create_task(bench.notes.play(shelf.wanted()))
    await asyncio.to_thread(bench.box.opened.wait, 10)
    with pytest.raises(BusyError):
        await bench.notes.play(shelf.wanted("n2"))
    bench.box.may_go_on.set()
    await first


async def test_an_agent_that_ends_in_the_middle_plays_it_again(bench: Bench, shelf: Shelf) -> None:
    bench.box.may_go_on.clear()
    first = asyncio.create_task(bench.notes.play(shelf.wanted()))
    await asyncio.to_thread(bench.box.opened.wait, 10)
    first.cancel()
    bench.box.may_go_on.set()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert bench.kept() == {"n1"}
    bench.restart()
    await bench.notes.play(shelf.wanted())
    assert (bench.kept(), shelf.asked) == (set(), 1)
