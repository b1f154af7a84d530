"""A relay that no client can reach by itself: a whole ICE agent for each session, and a TURN server between."""

import asyncio
import contextlib
import functools
import secrets
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route

import xunlu_platform
from tests.chromium import chromium
from tests.integration.ingest_rig import eventually
from tests.integration.test_media_interop import own_address
from tests.integration.test_relay import Client
from tests.media import Relay, free_udp_port, running_relay
from tests.media_camera import new_path
from tests.media_client import figures
from tests.services import TestBroker
from xunlu_streaming.http.signalling import IceServer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not own_address(), reason="aioice uses no loopback, and this machine has no other address"),
]

USERNAME = "relay"
ENDED_S = 30.0
SEEN_S = 30.0
CONSOLE = Path(xunlu_platform.__file__).parent / "console"

# The console's own sessions: one sends a canvas that changes, one plays it.
PUBLISH_AND_PLAY = """async ([whip, publish, whep, play]) => {
  const { WhipSession } = await import("/app/phone/whip.js");
  const { WhepSession } = await import("/app/net/whep.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 100);
  const publisher = new WhipSession(canvas.captureStream(10), publish);
  const viewer = new WhepSession({ whep, token: play });
  const video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true, srcObject: viewer.media });
  document.body.append(video);
  await publisher.publish(whip, { bitrate_bps_max: 500_000, fps_max: 10 });
  await viewer.play();
  globalThis.sessions = [publisher, viewer];
}"""
# A video without a frame has a size, too, after a while.
PLAYS = """async () => {
  const figures = [...(await globalThis.sessions[1].stats()).values()];
  return figures.some(({ framesDecoded }) => framesDecoded > 5);
}"""


class BehindTurn(Client):
    """Believes in candidates of the TURN server alone."""

    def read(self, answer: str) -> str:
        return behind_turn(answer)


def behind_turn(answer: str) -> str:
    """An answer whose only candidates are the TURN server's."""
    lines = [line for line in answer.splitlines() if not line.startswith("a=candidate") or " typ relay" in line]
    assert any(line.startswith("a=candidate") for line in lines)
    return "\r\n".join([*lines, ""])


@contextlib.asynccontextmanager
async def pair(relay: Relay, kind: type[Client]) -> AsyncIterator[tuple[Client, Client]]:
    """A stock publisher and a stock viewer that sees and hears it."""
    path = new_path()
    publisher, viewer = kind(relay, path), kind(relay, path)
    try:
        await viewer.play()
        await publisher.publish()
        await viewer.sees()
        await viewer.sees(kind="audio")
        yield publisher, viewer
    finally:
        await viewer.close()
        await publisher.close()


@pytest_asyncio.fixture
async def relay(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(broker, tmp_path, ice="full") as one:
        yield one


def sockets_of(relay: Relay) -> int:
    """How many sockets the worker has open."""
    found = 0
    for each in Path(f"/proc/{relay.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(each.readlink()).startswith("socket:")
    return found


async def test_stock_clients_reach_a_worker_with_an_agent_for_each(relay: Relay) -> None:
    async with pair(relay, Client) as (publisher, viewer):
        assert "a=ice-lite" not in publisher.connection.remoteDescription.sdp
        assert await viewer.delete() == 200
        await eventually(viewer.ended)


async def test_agents_leave_no_socket_behind(relay: Relay) -> None:
    async with pair(relay, Client):
        pass

    async def empty() -> bool:
        return not (await figures(relay))["sessions"]

    await eventually(empty, timeout_s=ENDED_S)
    before = sockets_of(relay)
    for _ in range(3):
        async with pair(relay, Client) as (publisher, viewer):
            await viewer.delete()
            await publisher.delete()
    # These never come: nobody is there to be checked.
    absent = [Client(relay, new_path()) for _ in range(5)]
    for one in absent:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await one.play()
        await one.close()
    await eventually(empty, timeout_s=ENDED_S)

    async def as_before() -> bool:
        return sockets_of(relay) <= before

    await eventually(as_before)


@contextlib.asynccontextmanager
async def turn_server(folder: Path, password: str) -> AsyncIterator[int]:
    """Debian's coturn on loopback; its port."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed")
    port = free_udp_port()
    process = await asyncio.create_subprocess_exec(
        *(program, "-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file", str(folder / "turn.log"), "--simple-log"),
        *("--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", str(port)),
        *("--pidfile", str(folder / "turn.pid"), "--userdb", str(folder / "turn.db")),
        *("--lt-cred-mech", "--user", f"{USERNAME}:{password}", "--realm", "xunlu", "--allow-loopback-peers"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

    async def listens() -> bool:
        assert process.returncode is None, (folder / "turn.log").read_text("utf-8", "replace")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
        return False

    try:
        await eventually(listens)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def relay_behind_turn(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    """A worker with a TURN server of its own."""
    password = secrets.token_hex(8)
    secret_files = tmp_path / "secrets"
    shutil.copytree(broker.secrets, secret_files)
    (secret_files / "turn-password").write_text(password, "utf-8")
    async with (
        turn_server(tmp_path, password) as port,
        running_relay(
            broker,
            tmp_path,
            ice="full",
            turn_url=f"turn:127.0.0.1:{port}",
            turn_username=USERNAME,
            secrets=secret_files,
        ) as relay,
    ):
        yield relay


async def test_media_flows_through_a_turn_server(broker: TestBroker, tmp_path: Path) -> None:
    async with relay_behind_turn(broker, tmp_path) as relay, pair(relay, BehindTurn) as (publisher, _):
        assert " typ host" not in publisher.connection.remoteDescription.sdp


# -- Chromium with the console's own sessions -------------------------------------------------------------------------


@contextlib.contextmanager
def console_files() -> Iterator[str]:
    """The console's modules behind a web server; its URL."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=CONSOLE)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A page that may load the console's modules, and shows none of it."""
    with console_files() as url:
        async with chromium("--autoplay-policy=no-user-gesture-required") as browser:
            page = await browser.new_page()
            await page.goto(f"{url}/style/")
            yield page


async def publishes_and_plays(page: Page, relay: Relay) -> None:
    path = new_path()
    whip, whep = f"{relay.url}/whip/{path}", f"{relay.url}/whep/{path}"
    tokens = relay.token(path, "publish"), relay.token(path, "play")
    await page.evaluate(PUBLISH_AND_PLAY, [whip, tokens[0], whep, tokens[1]])

    async def plays() -> object:
        return await page.evaluate(PLAYS)

    await eventually(plays, timeout_s=SEEN_S)


async def test_browsers_reach_a_worker_with_an_agent_for_each(page: Page, relay: Relay) -> None:
    await publishes_and_plays(page, relay)


async def test_browsers_take_the_turn_server_that_the_relay_names(
    page: Page, broker: TestBroker, tmp_path: Path
) -> None:
    async def answer(route: Route) -> None:
        if route.request.method != "POST":
            return await route.continue_()
        response = await route.fetch()
        return await route.fulfill(response=response, body=behind_turn(await response.text()))

    async with relay_behind_turn(broker, tmp_path) as relay:
        await page.route(f"{relay.url}/**", answer)
        await publishes_and_plays(page, relay)


async def test_a_page_reads_the_servers_that_a_relay_names(page: Page) -> None:
    servers = [
        IceServer(url="turn:turn.example:3478?transport=tcp", username='a"b, c', credential="d\\e; f"),
        IceServer(url="stun:stun.example"),
    ]
    header = ", ".join([*(server.link for server in servers), '<https://example.org/>; rel="help"'])
    read = "async (header) => (await import('/app/net/ice.js')).iceServersOf(header)"
    assert await page.evaluate(read, header) == [
        {"urls": one.url, "username": one.username or "", "credential": one.credential or ""} for one in servers
    ]
