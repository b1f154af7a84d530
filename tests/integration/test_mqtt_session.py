"""A session heals itself from whatever happens to it."""

import asyncio
import itertools
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import TestBroker
from xunlu_deploy.tls import ensure_certificate
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Broker, Session, SessionOptions, session

pytestmark = pytest.mark.integration

CONNACK = b"\x20\x03\x00\x00\x00"
PUBLISH = b"\x30\x05\x00\x01t\x00x"
WAIT_S = 15


async def test_a_birth_that_fails_for_any_reason_is_tried_again(broker: TestBroker) -> None:
    births = itertools.count(1)
    born = asyncio.Event()

    async def be_born(_: Session) -> None:
        if next(births) == 1:
            raise RuntimeError
        born.set()

    options = SessionOptions(client_id="kit-born")
    async with Session(broker.account("xunlu-api"), options, on_connect=be_born) as made, asyncio.timeout(WAIT_S):
        await born.wait()
        assert made.connection == 2


async def test_connections_that_end_at_once_come_ever_more_slowly(
    broker: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = itertools.count(1)
    starts: list[int] = []

    def waits(**_: Any) -> Iterator[float]:
        starts.append(next(started))
        return itertools.repeat(0.01)

    monkeypatch.setattr(session, "backoff_s", waits)
    births = itertools.count(1)
    enough = asyncio.Event()

    async def be_refused(_: Session) -> None:
        if next(births) == 5:
            enough.set()
        raise TransportError

    options = SessionOptions(client_id="kit-refused")
    async with Session(broker.account("xunlu-api"), options, on_connect=be_refused), asyncio.timeout(WAIT_S):
        await enough.wait()
    assert starts == [1]


async def test_a_tls_record_with_many_messages_is_read_to_its_end(tmp_path: Path) -> None:
    certificate = ensure_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    messages = 3 * session.PACKETS_PER_TURN

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(CONNACK + PUBLISH * messages)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    at = Broker(host="127.0.0.1", port=port, username="u", password="p", ca_file=certificate.authority)
    async with server, Session(at, SessionOptions(client_id="kit-tls")) as made, asyncio.timeout(5):
        taken = 0
        while taken < messages:
            taken += len(await made.batch(messages, 1))
