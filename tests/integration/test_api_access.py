"""Every route of the application, walked without a login, with too low a role, and from a foreign squad."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import get_args

import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from tests.integration.api_client import Caller, Platform, running_platform
from tests.services import TestBroker, TestDatabase
from xunlu_kit.errors import ConfigError
from xunlu_platform.api.access import guards, require_permissions
from xunlu_platform.auth.roles import PERMISSIONS, Permission, Role

pytestmark = pytest.mark.integration

FILLED = {
    "did": "R1", "rid": "c1", "vendor": "Xunlu", "serial": "E1", "subject": "position", "name": "map.json",
    "recording_id": "rec1", "gid": "standing-1", "burst_id": "b1", "message_id": "m1",
}  # fmt: skip
CONSOLE = {"/openapi.json", "/", "/worker.js", "/{view:path}", "/static/{asked}/{name:path}"}
OPEN = {"/api/v1/auth/token", "/api/v1/auth/login", "/api/v1/export-key", "/healthz", "/readyz", "/metrics"}
# Their address is the secret: tests/integration/test_api_incidents.py knocks at them.
SHARED = "/shared/{secret}"

CIRCLE = {
    "type": "Feature",
    "properties": {"radius_m": 50},
    "geometry": {"type": "Point", "coordinates": [121.4, 31.2]},
}

SHIFT = {"officer_id": 1, "begins_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T08:00:00Z"}


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        yield running


@dataclass(frozen=True)
class Route:
    """One method of one address, as the application declares it."""

    method: str
    path: str
    permission: Permission | None

    @property
    def address(self) -> str:
        return re.sub(r"{(\w+)(:\w+)?}", lambda match: FILLED.get(match[1], "1"), self.path)


def routes(platform: Platform) -> list[Route]:
    """Every route but those of the framework and of the console's own files."""
    found = []
    for context in iter_route_contexts(platform.app.routes):
        if not context.methods or not context.path or context.path in CONSOLE or context.path.startswith(SHARED):
            continue
        found += [Route(method, context.path, next(guards(context.dependant)).permission) for method in context.methods]
    assert len(found) > 50
    return found


async def add_foreign_things(platform: Platform) -> None:
    """One of each noun in squad 2, so that somebody of squad 3 has something to be kept from."""
    await platform.sql(
        "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2001', '王小明');"
        "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status)"
        " values ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved');"
        "insert into binding (device_id, officer_id) values (1, 1);"
        "insert into expected_device (serial, vendor, model, unit_id) values ('E1', 'Xunlu', 'SIM-4G', 2);"
        "insert into command (rid, device_id, name, args, expires_at) values ('c1', 1, 'photo', '{}', now());"
        "insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at)"
        " values (1, 1, 'sos', 3, 1, 1, now(), now());"
        "insert into viewing (id, device_id, username) values ('v1', 1, 'x');"
        "insert into recording_order (id, device_id, why) values ('o1', 1, 'sos');"
        "insert into recording (id, device_id, why, file, started_at, ended_at, size_bytes, sha256, complete)"
        " values ('rec1', 1, 'sos', 'a.mp4', now(), now(), 1, repeat('0', 64), true);"
        "insert into talk_group (gid, unit_id, kind, name) values ('standing-1', 2, 'standing', '夜巡');"
        "insert into burst (id, gid, unit_id, talker, device_id, grant_number, urgency, file, started_at, ended_at,"
        " size_bytes, sha256, lost, complete) values"
        " ('b1', 'standing-1', 2, 'R1', 1, 1, 0, 'a.opus', now(), now(), 1, repeat('0', 64), 0, true);"
        "insert into zone (unit_id, kind, name) values (2, 'post', '东门');"
        "insert into zone_version (zone_id, shape) values (1, '{}');"
        "insert into incident (unit_id, title, began_at, ended_at, subjects)"
        " values (2, '占道', now() - interval '1 hour', now(), '{dR1}');"
        "insert into shift (officer_id, begins_at, ends_at) values (1, now(), now() + interval '8 hours');"
    )


async def call(platform: Platform, route: Route, token: str | None) -> tuple[str, int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await platform.client.request(route.method, route.address, headers=headers, json={})
    return f"{route.method} {route.path}", answer.status_code, answer.headers.get("content-type", "")


async def test_without_a_login_every_route_but_signing_in_and_health_is_refused(platform: Platform) -> None:
    answers = [await call(platform, route, None) for route in routes(platform) if route.path not in OPEN]
    assert [name for name, status, kind in answers if status != 401 or kind != "application/problem+json"] == []


async def test_with_a_made_up_token_every_route_is_refused(platform: Platform) -> None:
    answers = [await call(platform, route, "x" * 43) for route in routes(platform) if route.path not in OPEN]
    assert [name for name, status, _ in answers if status != 401] == []


@pytest.mark.parametrize("role", get_args(Role))
async def test_a_role_is_refused_by_every_route_that_it_has_no_permission_for(platform: Platform, role: Role) -> None:
    officer = None
    if role == "officer":
        await add_foreign_things(platform)
        officer = 1
    token = await platform.token(role, officer=officer)
    refused = 0
    for route in routes(platform):
        if route.permission is None or route.permission in PERMISSIONS[role]:
            continue
        name, status, _ = await call(platform, route, token)
        assert status == 403, name
        refused += 1
    assert (refused == 0) == (role == "administrator")


async def test_a_foreign_squad_finds_none_of_the_things_by_their_address(platform: Platform) -> None:
    """The highest role of squad 3 asks for everything of squad 2 by name: it is not there."""
    await add_foreign_things(platform)
    # A recorder shows a token of its own for a voice note.
    of_no_unit = ("/api/v1/auth", "/api/v1/retention", "/api/v1/voice-notes", "/map", "/api/v1/map")
    administrator = await platform.sign_in("administrator", unit=3)
    bodies = {
        "bind": {"officer_id": 1}, "shadow": {"config": {}}, "commands": {"name": "photo"}, "resolve": {}, "false": {},
        "recording": {"on": True}, "zones/1": {"name": "东门", "shape": CIRCLE}, "roster/1": SHIFT,
        "notes": {"text": "x"}, "close": {"text": "x"}, "reopen": {"text": "x"},
        "marks": {"at": "2026-01-01T00:00:00Z", "text": "x"}, "shares": {"label": "x"},
    }  # fmt: skip
    for route in routes(platform):
        if "{" not in route.path or route.path.startswith(of_no_unit):
            continue
        if "{user_id}" in route.path:
            continue
        path = route.address.removeprefix("/api/v1").replace("/units/1", "/units/2")
        options = {"params": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}}
        body = next((body for end, body in bodies.items() if path.endswith(f"/{end}")), {})
        answer = await administrator.request(route.method, path, json=body, **options)
        assert answer.status_code == 404, f"{route.method} {path}: {answer.text}"


async def test_lists_hold_nothing_of_a_foreign_squad(platform: Platform) -> None:
    await add_foreign_things(platform)
    await platform.account("dispatcher", unit=2)
    caller = await platform.sign_in("administrator", unit=3)
    for path in (
        "/devices",
        "/officers",
        "/alarms?state=all",
        "/expected-devices",
        "/rollups",
        "/viewings",
        "/recordings",
        "/bursts",
        "/messages",
    ):
        answer = await caller.get(path)
        assert answer.json()["items"] == [], path
    groups = (await caller.get("/talk/groups")).json()["items"]
    assert [group["gid"] for group in groups] == ["unit-3"]
    assert [unit["id"] for unit in (await caller.get("/units")).json()["items"]] == [3]
    assert [user["role"] for user in (await caller.get("/users")).json()["items"]] == ["administrator"]
    assert (await caller.get("/system")).status_code == 403


async def test_a_list_imported_by_one_squad_takes_no_device_from_another(platform: Platform) -> None:
    await add_foreign_things(platform)
    clerk = await platform.sign_in("clerk", unit=3)
    text = "serial,vendor,model,unit\nE1,Xunlu,SIM-4G,西街中队\n"
    answer = await clerk.post("/expected-devices", content=text.encode())
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert await platform.sql("select unit_id from expected_device") == [(2,)]


async def test_an_officer_sees_the_device_they_wear_and_no_other(platform: Platform) -> None:
    await add_foreign_things(platform)
    await platform.sql(
        "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status)"
        " values ('R2', 'main', 2, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'approved');"
        "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2002', '李大力')"
    )
    officer = await platform.sign_in("officer", unit=2, officer=1)
    assert [device["did"] for device in (await officer.get("/devices")).json()["items"]] == ["R1"]
    assert (await officer.get("/devices/R2")).status_code == 404
    assert [each["number"] for each in (await officer.get("/officers")).json()["items"]] == ["D2001"]


def test_a_route_without_a_permission_keeps_the_application_from_starting() -> None:
    app = FastAPI()
    router = APIRouter()
    router.add_api_route("/open-by-mistake", lambda: None)
    app.include_router(router)
    with pytest.raises(ConfigError, match="/open-by-mistake"):
        require_permissions(app)


async def test_every_answer_carries_the_security_headers(platform: Platform) -> None:
    for path in ("/", "/api/v1/units", "/healthz", "/api/v1/nowhere"):
        headers = (await platform.client.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/units", None, 405),
        ("POST", "/officers", b"{", 422),
        ("POST", "/officers", b'{"unit_id": 1, "number": "a\\u0000", "name": "x"}', 422),
        ("GET", "/devices?after=%00%ff", None, 422),
        ("GET", "/devices?after=bnVsbA", None, 422),
        ("GET", "/devices?limit=501", None, 422),
        ("GET", "/devices?q=%00", None, 422),
        ("GET", "/units/99999999999999999999/x", None, 404),
        ("POST", "/officers", b"x" * 2_000_000, 413),
    ],
)
async def test_hostile_input_is_answered_by_a_problem(
    platform: Platform, method: str, path: str, body: bytes | None, status: int
) -> None:
    caller: Caller = await platform.sign_in("administrator")
    answer = await caller.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= answer.json().keys()
