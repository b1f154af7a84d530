"""Debian's mumble-server, and a client of it that only sends and counts.

The protocol is that of Mumble 1.3: TLS with messages of protobuf for control, UDP under OCB2-AES128 for voice, in the
legacy packet format with Opus (Mumble protocol 1.3, "Voice data"). Received packets are counted and not decrypted.
"""

import asyncio
import contextlib
import getpass
import shutil
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.benchmarks.media.peers import HOST, running_on_core
from tests.benchmarks.registry import UnavailableError
from tests.services import free_ports

VERSION, AUTHENTICATE, SERVER_SYNC, CRYPT_SETUP = 0, 2, 5, 15
OURS = 1 << 16 | 3 << 8
OPUS, UDP_PING = 4 << 5, 1 << 5
HEADER = struct.Struct(">HI")
BLOCK_BYTES = 16
BLOCK_MASK = (1 << 128) - 1
JOIN_TIMEOUT_S = 20.0
DATAGRAM_BYTES = 1500
SETTINGS = """
database={folder}/mumble.sqlite
logfile={folder}/mumble.log
uname={user}
host={host}
port={port}
users=1000
bandwidth=1000000
timeout=600
autobanAttempts=0
messageburst=1000
messagelimit=1000
bonjour=false
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class MumbleServer:
    """A running one.

    Attributes:
        name: with its version.
        pid: of its process.
        port: of TLS and of UDP.
    """

    name: str
    pid: int
    port: int


@contextlib.asynccontextmanager
async def running_mumble(folder: Path) -> AsyncIterator[MumbleServer]:
    """The server on the relay's core, with as few limits as it takes.

    Raises:
        UnavailableError: it is not installed.
    """
    program = shutil.which("murmurd") or shutil.which("mumble-server")
    if program is None:
        raise UnavailableError("mumble-server is absent. On Debian 12, install the package mumble-server.")
    [port] = free_ports(1)
    async with running_on_core(program, "-fg", "-ini", str(_configured(folder, port))) as process:
        await _answers(port)
        yield MumbleServer(name=f"mumble-server {_version(program)}", pid=process.pid, port=port)


def _configured(folder: Path, port: int) -> Path:
    """Started as root it would become a user who may not write here."""
    folder.mkdir(parents=True)
    settings = folder / "mumble.ini"
    settings.write_text(SETTINGS.format(folder=folder, user=getpass.getuser(), host=HOST, port=port), "utf-8")
    return settings


def _version(program: str) -> str:
    said = subprocess.run([program, "-version"], check=False, capture_output=True, text=True)
    return (said.stdout + said.stderr).strip().rpartition(" ")[2]


async def _answers(port: int) -> None:
    async with asyncio.timeout(JOIN_TIMEOUT_S):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                return
            await asyncio.sleep(0.05)


class MumbleClient:
    """Somebody in the only channel.

    Attributes:
        packets: of voice that came.
        arrivals_s: monotonic seconds of each.
    """

    def __init__(self) -> None:
        self.packets = 0
        self.arrivals_s: list[float] = []
        self._number = 0
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._listening: asyncio.Task[None]
        self._ocb: Ocb2
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def join(self, port: int, name: str) -> Self:
        """Authenticate, take the keys, and let the server know the address of UDP."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._reader, self._writer = await asyncio.open_connection(HOST, port, ssl=context)
        self._say(VERSION, _field(1, OURS))
        self._say(AUTHENTICATE, _field(1, name.encode()) + _field(5, 1))
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            while (kind := await self._hear()) != SERVER_SYNC:
                if kind == CRYPT_SETUP:
                    self._ocb = Ocb2(*_byte_strings(self._last)[:2])
        self._listening = asyncio.create_task(self._listen(), name="mumble-control")
        self._socket.setblocking(False)
        self._socket.connect((HOST, port))
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        # Answered by UDP, and from then on all voice comes this way.
        self._socket.send(self._ocb.encrypt(bytes((UDP_PING, 1))))
        return self

    async def press(self) -> None:
        """There is no floor: everybody may talk at any time."""

    def speak(self, opus: bytes) -> None:
        """Send 20 ms."""
        self._number += 2
        self._socket.send(self._ocb.encrypt(bytes((OPUS,)) + _varint(self._number) + _varint(len(opus)) + opus))

    async def close(self) -> None:
        """Leave."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()

    def forget(self) -> None:
        """Count from now on."""
        self.packets = 0
        self.arrivals_s.clear()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(DATAGRAM_BYTES)
                self.packets += 1
                self.arrivals_s.append(time.monotonic())

    def _say(self, kind: int, message: bytes) -> None:
        self._writer.write(HEADER.pack(kind, len(message)) + message)

    async def _hear(self) -> int:
        kind, size = HEADER.unpack(await self._reader.readexactly(HEADER.size))
        self._last = await self._reader.readexactly(size)
        return int(kind)

    async def _listen(self) -> None:
        while True:
            await self._hear()


class Ocb2:
    """OCB2 with AES-128 (Rogaway, "OCB 2.0"), the sender's side, as Mumble frames it."""

    def __init__(self, key: bytes, nonce: bytes) -> None:
        self._aes = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()
        self._nonce = int.from_bytes(nonce, "little")

    def encrypt(self, plain: bytes) -> bytes:
        """One byte of the nonce, three of the tag, and the text."""
        self._nonce = self._nonce + 1 & BLOCK_MASK
        nonce = self._nonce.to_bytes(BLOCK_BYTES, "little")
        delta, checksum, out = self._block(int.from_bytes(nonce, "big")), 0, b""
        while len(plain) > BLOCK_BYTES:
            delta = _doubled(delta)
            block, plain = int.from_bytes(plain[:BLOCK_BYTES], "big"), plain[BLOCK_BYTES:]
            out += (delta ^ self._block(delta ^ block)).to_bytes(BLOCK_BYTES, "big")
            checksum ^= block
        delta = _doubled(delta)
        pad = self._block(delta ^ len(plain) * 8).to_bytes(BLOCK_BYTES, "big")
        checksum ^= int.from_bytes(plain + pad[len(plain) :], "big")
        out += bytes(a ^ b for a, b in zip(plain, pad, strict=False))
        tag = self._block(delta ^ _doubled(delta) ^ checksum).to_bytes(BLOCK_BYTES, "big")
        return nonce[:1] + tag[:3] + out

    def _block(self, value: int) -> int:
        return int.from_bytes(self._aes.update(value.to_bytes(BLOCK_BYTES, "big")), "big")


def _doubled(value: int) -> int:
    """In GF(2¹²⁸) with x¹²⁸ + x⁷ + x² + x + 1."""
    return value << 1 & BLOCK_MASK ^ (value >> 127) * 0x87


def _varint(value: int) -> bytes:
    """Mumble's own, up to 28 bits."""
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((0x80 | value >> 8, value & 0xFF))
    return (0xC00000 | value).to_bytes(3, "big") if value < 0x200000 else (0xE0000000 | value).to_bytes(4, "big")


def _field(number: int, value: int | bytes) -> bytes:
    """A field of protobuf: a number or bytes."""
    if isinstance(value, bytes):
        return _base128(number << 3 | 2) + _base128(len(value)) + value
    return _base128(number << 3) + _base128(value)


def _base128(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _byte_strings(message: bytes) -> list[bytes]:
    """The fields of a message that has nothing else than short ones, in order: key, client's and server's nonce."""
    found, at = [], 0
    while at < len(message):
        size = message[at + 1]
        found.append(message[at + 2 : at + 2 + size])
        at += 2 + size
    return found
