"""Relays that others wrote, each in a process of its own on the relay's core."""

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.media.conversation import RELAY_CORE, on_core
from tests.benchmarks.media.link import own_address
from tests.benchmarks.media.receivers import ReceiversPlan
from tests.benchmarks.media.sender import PLAIN_PAYLOAD_TYPE, SenderPlan
from tests.benchmarks.registry import UnavailableError
from tests.processes import answers
from tests.services import free_ports

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 15.0
JANUS = """
general: {{
  configs_folder = "{folder}", plugins_folder = "{folder}/plugins", transports_folder = "{folder}/transports"
  events_folder = "{folder}/none", loggers_folder = "{folder}/none", debug_level = 2, session_timeout = 600
}}
nat: {{ ice_lite = true, ice_enforce_list = "{address}" }}
media: {{ ipv6 = false }}
"""
TRANSPORT = """
general: {{ json = "compact", base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1", https = false }}
admin: {{ admin_http = false, admin_https = false }}
"""
MOUNTPOINT = """
load{number}: {{
  type = "rtp", id = {number}, audio = false, video = true, videoport = {rtp_port}, videoiface = "lo"
  videopt = {payload_type}, videocodec = "h264", videofmtp = "profile-level-id=42e01f;packetization-mode=1"
}}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """A running relay with one stream or more.

    Attributes:
        name: for the table.
        pid: of the process whose processor time counts.
        sender: how to publish so many packets a frame to each of its streams.
        receivers: how so many viewers watch each of its streams.
    """

    name: str
    pid: int
    sender: Callable[[int], SenderPlan]
    receivers: Callable[[int], ReceiversPlan]


@contextlib.asynccontextmanager
async def running_janus(folder: Path, *, streams: int = 1) -> AsyncIterator[Relay]:
    """Debian's Janus: its Streaming plugin with a mountpoint for each stream that takes plain RTP; ICE-lite as ours.

    Raises:
        UnavailableError: it is not installed.
    """
    program, parts = _installed_janus()
    port, *rtp_ports = free_ports(1 + streams)
    _configure(folder, parts, port, rtp_ports)
    command = (program, "--configs-folder", str(folder), "--disable-colors", "--disable-stdout")
    async with running_on_core(*command) as process:
        url = f"http://{HOST}:{port}/janus"
        await answers(f"{url}/info", process)
        sources = [(HOST, str(rtp_port)) for rtp_port in rtp_ports]
        yield Relay(
            name=f"Janus {_janus_version(program)}",
            pid=process.pid,
            sender=lambda packets: SenderPlan(kind="rtp", targets=sources, packets=packets),
            receivers=lambda count: ReceiversPlan(
                kind="janus", targets=[(url, str(number)) for number in range(1, streams + 1) for _ in range(count)]
            ),
        )


@contextlib.asynccontextmanager
async def running_naive() -> AsyncIterator[Relay]:
    """aiortc's peer connection and `MediaRelay`."""
    [port] = free_ports(1)
    url = f"http://{HOST}:{port}"
    command = (sys.executable, "-m", "tests.benchmarks.media.naive", "--port", str(port))
    async with running_on_core(*command) as process:
        await answers(f"{url}/ready", process)
        yield Relay(
            name="aiortc MediaRelay",
            pid=process.pid,
            sender=lambda packets: SenderPlan(kind="whip", targets=[(f"{url}/whip", "none")], packets=packets),
            receivers=lambda count: ReceiversPlan(kind="whep", targets=[(f"{url}/whep", "none")] * count),
        )


def _installed_janus() -> tuple[str, Path]:
    program, parts = shutil.which("janus"), next(Path("/usr/lib").glob("*/janus"), None)
    if program is None or parts is None:
        raise UnavailableError("Janus is absent. On Debian 12, install the package janus.")
    return program, parts


def _configure(folder: Path, parts: Path, port: int, rtp_ports: Sequence[int]) -> None:
    """Only what is needed is loaded."""
    for kind, name in (("plugins", "libjanus_streaming.so"), ("transports", "libjanus_http.so")):
        (folder / kind).mkdir(parents=True)
        (folder / kind / name).symlink_to(parts / kind / name)
    mountpoints = [
        MOUNTPOINT.format(number=number, rtp_port=rtp_port, payload_type=PLAIN_PAYLOAD_TYPE)
        for number, rtp_port in enumerate(rtp_ports, 1)
    ]
    texts = {
        "janus.jcfg": JANUS.format(folder=folder, address=own_address()),
        "janus.transport.http.jcfg": TRANSPORT.format(port=port),
        "janus.plugin.streaming.jcfg": "".join(mountpoints),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "ascii")


def _janus_version(program: str) -> str:
    said = subprocess.run([program, "--help"], check=False, capture_output=True, text=True).stdout
    found = re.search(r"\((\d+\.\d+\.\d+)\)", said)
    return found[1] if found else ""


@contextlib.asynccontextmanager
async def running_on_core(
    *command: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A relay's process on the relay's core; what it writes to its standard output is nobody's."""
    process = await asyncio.create_subprocess_exec(
        *on_core(RELAY_CORE, *command), env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
