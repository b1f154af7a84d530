"""MQTT 3.1.1, just enough to publish at QoS 1 as fast as a broker takes it: a load generator must not be the load.

The whole of paho costs a tenth of a millisecond for each message; this costs a few microseconds. Devices use the kit.
"""

import asyncio
import ssl
from types import TracebackType
from typing import Self

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Broker

IN_FLIGHT_MAX = 2000
WRITE_BYTES = 16_384
CONNECT, CONNACK, PUBLISH_QOS_1, PUBACK = 0x10, 0x20, 0x32, 0x40
CLEAN_SESSION, WITH_PASSWORD, WITH_USERNAME = 0x02, 0x40, 0x80


class Publisher:
    """One connection; an async context manager, not reusable.

    Attributes:
        acknowledged: messages that the broker has taken.
    """

    def __init__(self, broker: Broker, client_id: str) -> None:
        self.acknowledged = 0
        self._broker = broker
        self._client_id = client_id
        self._sent = 0
        self._waiting = bytearray()
        self._room = asyncio.Event()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        broker = self._broker
        context = ssl.create_default_context(cafile=str(broker.ca_file)) if broker.ca_file else None
        self._reader, self._writer = await asyncio.open_connection(broker.host, broker.port, ssl=context)
        self._writer.write(_connect(self._client_id, broker.username, broker.password))
        answer = await self._reader.readexactly(4)
        if answer[0] != CONNACK or answer[3]:
            raise TransportError(f"The broker refused {broker.username} with code {answer[3]} (MQTT 3.1.1 §3.2.2.3).")
        self._reading = asyncio.create_task(self._count(), name="pubacks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        self._writer.close()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send; waits only while too many are unacknowledged.

        Raises:
            TransportError: the connection broke.
        """
        self._sent += 1
        name = topic.encode()
        number = self._sent % 65_535 + 1
        body = len(name).to_bytes(2) + name + number.to_bytes(2) + payload
        self._waiting += bytes([PUBLISH_QOS_1]) + _length(len(body)) + body
        if len(self._waiting) >= WRITE_BYTES:
            await self.flush()
        while self._sent - self.acknowledged >= IN_FLIGHT_MAX:
            await self.flush()
            await self._wait()

    async def flush(self) -> None:
        """Hand everything to the network."""
        self._writer.write(bytes(self._waiting))
        self._waiting.clear()
        await self._writer.drain()

    async def settle(self) -> None:
        """Wait until the broker has taken everything.

        Raises:
            TransportError: the connection broke.
        """
        await self.flush()
        while self.acknowledged < self._sent:
            await self._wait()

    async def _wait(self) -> None:
        if self._reading.done():
            raise TransportError("The broker hung up.")
        self._room.clear()
        await self._room.wait()

    async def _count(self) -> None:
        """Count acknowledgements: with 3.1.1 each is four bytes, and nothing else comes."""
        rest = 0
        try:
            while chunk := await self._reader.read(65_536):
                acknowledged, rest = divmod(rest + len(chunk), 4)
                self.acknowledged += acknowledged
                self._room.set()
        finally:
            self._room.set()


def _connect(client_id: str, username: str, password: str) -> bytes:
    flags = CLEAN_SESSION | WITH_PASSWORD | WITH_USERNAME
    head = _text("MQTT") + bytes([4, flags]) + (0).to_bytes(2)
    body = head + _text(client_id) + _text(username) + _text(password)
    return bytes([CONNECT]) + _length(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


def _length(value: int) -> bytes:
    """Remaining length (§2.2.3): seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
