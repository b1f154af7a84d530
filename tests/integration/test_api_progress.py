"""Answers that take a while: told line by line, and ended with whoever waits for them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import psycopg
import pytest
import pytest_asyncio

from tests.integration.api_client import Platform
from tests.integration.ingest_rig import eventually
from tests.integration.review_rig import running_bureau, walk
from tests.processes import Api, running_api
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

Asked = dict[str, str | int]

DAY: Asked = {"officer": 1, "date": "2026-03-02"}
WEEK: Asked = {"unit": 2, "week": "2026-W10"}


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


@asynccontextmanager
async def held(database: TestDatabase) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The shapes of tracks are locked: whoever wants to read them waits until it is released."""
    async with await psycopg.AsyncConnection.connect(database.dsn("superuser")) as connection:
        await connection.execute("lock table track_piece in access exclusive mode")
        yield connection.rollback


@asynccontextmanager
async def desk(api: Api, token: str) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"{api.url}/api/v1/reports", headers=headers, timeout=60) as client:
        yield client


async def waiting(database: TestDatabase) -> int:
    async with await psycopg.AsyncConnection.connect(database.dsn("superuser"), autocommit=True) as connection:
        cursor = await connection.execute(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        row = await cursor.fetchone()
        return int(row[0]) if row else 0


def lines(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_last_line_is_the_answer_itself(platform: Platform) -> None:
    await walk(platform, 1, "02:00", seconds=1200)
    caller = await platform.sign_in("supervisor")
    for kind, asked in (("officer-day", DAY), ("squad-week", WEEK)):
        plain = await caller.get(f"/reports/{kind}", params=asked)
        told = lines(await caller.get(f"/reports/{kind}", params={**asked, "progress": True}))[-1]
        assert told["status"] == 200
        assert told["headers"]["content-type"] == "application/json"
        assert json.loads(base64.b64decode(told["body"])) == plain.json()
    told = lines(await caller.get("/reports/officer-day", params={**DAY, "format": "pdf", "progress": True}))[-1]
    assert base64.b64decode(told["body"]).startswith(b"%PDF-")
    assert "officer-day-2026-03-02.pdf" in told["headers"]["content-disposition"]


async def test_who_waits_is_told_how_much_is_done_of_all(
    platform: Platform, database: TestDatabase, broker: TestBroker
) -> None:
    async with running_api(database, broker) as api, desk(api, await platform.token("supervisor")) as client:
        asked: Asked = {**WEEK, "progress": True}
        async with held(database) as release, client.stream("GET", "/squad-week", params=asked) as answer:
            told = answer.aiter_lines()
            assert json.loads(await anext(told)) == {"done": 0, "of": 14}
            await release()
            *_, last = [json.loads(line) async for line in told]
    assert last["status"] == 200


async def test_what_is_refused_before_the_work_is_refused_as_ever(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    answer = await caller.get("/reports/officer-day", params={"officer": 9, "date": "2026-03-02", "progress": True})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_what_goes_wrong_during_the_work_is_told_as_a_problem(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    await platform.sql("revoke select on track_piece from xunlu_api")
    told = lines(await caller.get("/reports/officer-day", params={**DAY, "progress": True}))[-1]
    assert (told["status"], told["headers"]["content-type"]) == (500, "application/problem+json")
    assert json.loads(base64.b64decode(told["body"]))["type"] == "/problems/unexpected"


@pytest.mark.parametrize("progress", [False, True])
async def test_whoever_leaves_ends_the_work_on_the_server(
    platform: Platform, database: TestDatabase, broker: TestBroker, progress: bool
) -> None:
    asked: Asked = {**WEEK, "progress": progress}
    token = await platform.token("supervisor")
    async with running_api(database, broker) as api, desk(api, token) as client, held(database):
        asking = asyncio.create_task(client.get("/squad-week", params=asked))
        try:
            await eventually(lambda: waiting(database))
        finally:
            # The connection closes; the lock stays, so nothing else ends the statement.
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

        async def ended() -> bool:
            return await waiting(database) == 0

        await eventually(ended)
