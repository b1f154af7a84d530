"""The kit: waiting, logging, health pages."""

import asyncio
import itertools
import json
import logging
import random
from http import HTTPStatus

import pytest

from xunlu_kit.backoff import backoff_s
from xunlu_kit.clock import SystemClock
from xunlu_kit.health import REQUEST_BYTES_MAX, Page, health_page, serve_pages
from xunlu_kit.logs import JsonFormatter, TextFormatter


def test_waits_grow_to_the_cap_and_are_spread() -> None:
    waits = list(itertools.islice(backoff_s(first_s=1, cap_s=8, rng=random.Random(7)), 200))
    bounds = [1, 2, 4, *[8] * 197]
    assert all(0.1 * bound <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert len(set(waits)) == 200


def test_two_recorders_do_not_knock_in_step() -> None:
    assert next(backoff_s()) != next(backoff_s())


async def test_the_system_clock_waits_and_tells_utc() -> None:
    clock = SystemClock()
    before = clock.monotonic_s()
    await clock.sleep(0)
    assert clock.monotonic_s() >= before
    assert clock.time_ms() > 1_700_000_000_000


def record(**fields: object) -> logging.LogRecord:
    made = logging.LogRecord("xunlu.test", logging.INFO, __file__, 1, "broker connected", None, None)
    vars(made).update(fields)
    return made


def test_a_json_line_carries_the_message_and_its_fields() -> None:
    line = json.loads(JsonFormatter().format(record(client="设备1")))
    assert (line["message"], line["client"], line["level"]) == ("broker connected", "设备1", "INFO")


def test_a_text_line_carries_its_fields_behind_the_message() -> None:
    assert TextFormatter().format(record(client="d1")).endswith("broker connected  client=d1")


@pytest.mark.parametrize("text", ["d1\n21:04:05 INFO    forged", "\x1b[2J", "a\u2028b"])
def test_a_value_makes_no_line_of_its_own_and_steers_no_terminal(text: str) -> None:
    line = TextFormatter().format(record(client=text))
    assert line.isprintable()


async def get(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"503"),
        (b"GET /healthz?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", b"503"),
        (b"GET /other HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /healthz HTTP/1.1\r\n\r\n", b"405"),
    ],
)
async def test_pages_are_served_and_nothing_else(request_line: bytes, status: bytes) -> None:
    async def healthz() -> Page:
        return health_page({"broker": {"ok": True}, "database": {"ok": False, "lag_s": 3}})

    async with serve_pages("127.0.0.1", 0, {"/healthz": healthz}) as port:
        answer = await get(port, request_line)
    assert answer.split(b" ", 2)[1] == status


async def test_a_request_without_end_is_dropped() -> None:
    async with serve_pages("127.0.0.1", 0, {}) as port:
        assert await get(port, b"GET /" + b"x" * REQUEST_BYTES_MAX * 2) == b""


def test_health_names_every_dependency() -> None:
    page = health_page({"broker": {"ok": True}, "outbox": {"ok": True, "waiting": 3}})
    assert page.status is HTTPStatus.OK
    assert json.loads(page.body)["checks"]["outbox"] == {"ok": True, "waiting": 3}
