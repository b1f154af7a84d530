"""Whatever is thrown at a route, it answers with a problem of the caller's, never with a fault of ours."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform, running_platform
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

HOSTILE = (
    *("", "\x00", "null", "-1", "0", "1e400", "NaN", "9" * 40, "'; drop table unit; --", "%", "../../etc/passwd"),
    *("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "王" * 5000, "\ud7ff\uffff"),
)
NAMES = ("%00", "-1", "9" * 30, "%E7%8E%8B", "..%2F..", "%2e", "a" * 3000, "%FF")
BODIES = (b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 5000, b'{"a": NaN}')
VALUES: tuple[Any, ...] = (None, "", "\x00", "x" * 5000, -1, 0, 2**63, 1e308, True, [], {}, {"a": [{"b": None}]})


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        await running.services.mqtt.wait_connected()
        await running.sql(
            "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2001', '王小明');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status)"
            " values ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved')"
        )
        yield running


def operations(page: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in page["paths"].items():
        for method, operation in methods.items():
            # Ending one's own login would end the test.
            if path.startswith("/api/v1") and path != "/api/v1/auth/logout":
                yield method.upper(), path.removeprefix("/api/v1"), operation


def fields_of(page: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = page["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return list(schema.get("properties", {}))


def address(path: str, **given: str) -> str:
    values = {"did": "R1", "rid": "c1", "vendor": "V", "serial": "S", "subject": "position", **given}
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, values.get(part[1:-1], "1"))
    return path


async def fault(caller: Caller, method: str, path: str, **options: Any) -> str | None:
    answer = await caller.request(method, path, **options)
    if answer.status_code < 500 and (answer.status_code < 400 or "problem+json" in answer.headers["content-type"]):
        return None
    return f"{method} {path[:80]} {options!r:.200}: {answer.status_code} {answer.text[:200]}"


async def test_no_query_makes_a_route_fail(platform: Platform) -> None:
    caller = await platform.sign_in("administrator")
    page = (await platform.client.get("/openapi.json")).json()
    good = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "q": "x"}
    faults = []
    for method, path, operation in operations(page):
        names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        for name in names:
            needed = {each: good[each] for each in names if each in good}
            faults += [await fault(caller, method, address(path), params={**needed, name: text}) for text in HOSTILE]
    assert [each for each in faults if each] == []


async def test_no_body_makes_a_route_fail(platform: Platform) -> None:
    caller = await platform.sign_in("administrator")
    page = (await platform.client.get("/openapi.json")).json()
    headers = {"Content-Type": "application/json"}
    faults = []
    for method, path, operation in operations(page):
        if "requestBody" not in operation:
            continue
        faults += [await fault(caller, method, address(path), content=body, headers=headers) for body in BODIES]
        for name in fields_of(page, operation):
            bodies = (json.dumps({name: value}).encode() for value in VALUES)
            faults += [await fault(caller, method, address(path), content=body, headers=headers) for body in bodies]
    assert [each for each in faults if each] == []


async def test_no_address_makes_a_route_fail(platform: Platform) -> None:
    caller = await platform.sign_in("administrator")
    page = (await platform.client.get("/openapi.json")).json()
    faults = []
    for method, path, operation in operations(page):
        for each in operation.get("parameters", []):
            if each["in"] == "path":
                paths = (address(path, **{each["name"]: text}) for text in NAMES)
                faults += [await fault(caller, method, hostile, json={}) for hostile in paths]
    assert [each for each in faults if each] == []
