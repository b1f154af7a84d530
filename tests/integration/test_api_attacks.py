"""What an attacker tries at the doors: guessing in parallel, forged addresses, other pages of the same machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.integration.api_client import PASSWORD, PASSWORD_HASH, Platform, running_platform
from tests.services import TestBroker, TestDatabase
from xunlu_platform.store.store import SYSTEM

pytestmark = pytest.mark.integration

PROXY = "10.0.0.1"


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker, trusted_proxies=f"{PROXY}, fd00::/8") as running:
        yield running


async def log_in(platform: Platform, address: str, headers: Mapping[str, str] | None = None, **typed: Any) -> int:
    """The status that somebody at an address gets."""
    transport = httpx2.ASGITransport(platform.app, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://xunlu.test") as client:
        typed = {"username": "nobody", "password": "wrong", **typed}
        return (await client.post("/api/v1/auth/login", json=typed, headers=headers)).status_code


async def test_guesses_sent_all_at_once_meet_the_same_bound_of_an_address(platform: Platform) -> None:
    statuses = await asyncio.gather(*(log_in(platform, "192.0.2.1") for _ in range(120)))
    assert statuses.count(401) <= 34
    assert statuses.count(401) + statuses.count(429) == 120


async def test_the_right_password_among_guesses_sent_all_at_once_finds_the_account_locked(platform: Platform) -> None:
    await platform.account("administrator", username="lin")
    guesses = ["wrong"] * 25 + [PASSWORD]
    attempts = (
        log_in(platform, f"192.0.2.{number}", username="lin", password=guess) for number, guess in enumerate(guesses)
    )
    assert set(await asyncio.gather(*attempts)) == {401}
    assert await platform.sql("select count(*) from login") == [(0,)]


async def test_a_password_replaced_after_it_was_read_admits_nobody(platform: Platform) -> None:
    user_id = await platform.account("administrator")
    for password_hash, admitted in (("an older one", 0), (PASSWORD_HASH, 1)):
        async with platform.services.store.session(SYSTEM) as session:
            assert await session.run("accounts", "admit", {"id": user_id, "password_hash": password_hash}) == admitted


async def test_the_addresses_of_one_ipv6_network_count_as_one(platform: Platform) -> None:
    for number in range(30):
        assert await log_in(platform, f"2001:db8::{number:x}") == 401
    assert await log_in(platform, "2001:db8::ffff") == 429
    assert await log_in(platform, "2001:db8:0:1::1") == 401


async def test_behind_a_trusted_proxy_everybody_is_counted_alone(platform: Platform) -> None:
    for _ in range(30):
        assert await log_in(platform, PROXY, {"X-Forwarded-For": "192.0.2.1"}) == 401
    assert await log_in(platform, PROXY, {"X-Forwarded-For": "192.0.2.1"}) == 429
    assert await log_in(platform, f"::ffff:{PROXY}", {"X-Forwarded-For": "192.0.2.2, fd00::7"}) == 401
    for forged in ("192.0.2.2, 192.0.2.1", "192.0.2.1, fd00::7", "rubbish, 192.0.2.1"):
        assert await log_in(platform, PROXY, {"X-Forwarded-For": forged}) == 429, forged
    await platform.account("dispatcher", username="lin")
    assert await log_in(platform, PROXY, {"X-Forwarded-For": "192.0.2.3"}, username="lin", password=PASSWORD) == 200
    assert await platform.sql("select host(address) from login") == [("192.0.2.3",)]


async def test_nobody_else_may_say_where_they_come_from(platform: Platform) -> None:
    for number in range(30):
        assert await log_in(platform, "198.51.100.1", {"X-Forwarded-For": f"192.0.2.{number}"}) == 401
    assert await log_in(platform, "198.51.100.1", {"X-Forwarded-For": "192.0.2.99"}) == 429


@pytest.mark.parametrize(("peer", "secure"), [(PROXY, True), ("198.51.100.1", False)])
async def test_the_cookie_is_secure_when_a_trusted_proxy_says_https(
    platform: Platform, peer: str, secure: bool
) -> None:
    await platform.account("dispatcher", username="lin")
    transport = httpx2.ASGITransport(platform.app, client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://xunlu.test") as client:
        typed = {"username": "lin", "password": PASSWORD}
        answer = await client.post("/api/v1/auth/login", json=typed, headers={"X-Forwarded-Proto": "https"})
    assert ("; secure" in answer.headers["set-cookie"].lower()) == secure


async def stream_closed_with(platform: Platform, headers: Mapping[str, str]) -> int | None:
    """The code with which the event stream ends right after a handshake; None when it would go on."""
    scope = {
        "type": "websocket", "path": "/api/v1/events/stream", "raw_path": b"/api/v1/events/stream", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "scheme": "ws",
        "client": ("192.0.2.1", 1), "server": ("xunlu.test", 80), "subprotocols": [], "root_path": "",
    }  # fmt: skip
    heard = iter([{"type": "websocket.connect"}])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(heard, {"type": "websocket.disconnect", "code": 1000})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await platform.app(scope, receive, send)
    return next((message["code"] for message in sent if message["type"] == "websocket.close"), None)


async def test_no_other_page_uses_the_cookie_for_the_event_stream_whatever_else_it_sends(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    await platform.client.post("/api/v1/auth/login", json={"username": "lin", "password": PASSWORD})
    ours = {"host": "xunlu.test", "cookie": f"xunlu_session={platform.client.cookies['xunlu_session']}"}
    assert await stream_closed_with(platform, {**ours, "origin": "http://xunlu.test"}) is None
    for foreign in ({}, {"origin": "http://xunlu.test:9000"}, {"origin": "null"}):
        assert await stream_closed_with(platform, {**ours, **foreign}) == 4403
        assert await stream_closed_with(platform, {**ours, **foreign, "authorization": "Basic eDp5"}) == 4403


async def test_no_body_reaches_into_a_foreign_squad(platform: Platform) -> None:
    """The highest role of squad 3 names units, officers and accounts of squad 2 and of the district above."""
    await platform.sql(
        "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2', '王'), ('main', 3, 'X3', '李');"
        "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status)"
        " values ('R2', 'main', 2, 'recorder', 'S2', 'V', 'M', 'approved'),"
        " ('R3', 'main', 3, 'recorder', 'S3', 'V', 'M', 'approved')"
    )
    above, beside = await platform.account("clerk", unit=1), await platform.account("clerk", unit=2)
    own = await platform.account("clerk", unit=3)
    caller = await platform.sign_in("administrator", unit=3)
    team = (await caller.post("/units", json={"parent_id": 3, "kind": "team", "name": "一分队"})).json()["id"]
    user = {"username": "mole", "display_name": "x", "role": "administrator"}
    device = {"did": "R4", "kind": "recorder", "serial": "S4", "vendor": "V", "model": "M"}
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        *(("PATCH", f"/users/{foreign}", {"role": "administrator"}) for foreign in (above, beside)),
        *(("POST", f"/users/{foreign}/reset-password", {}) for foreign in (above, beside)),
        *(("POST", "/users", {**user, "unit_id": unit}) for unit in (1, 2)),
        ("POST", "/users", {**user, "unit_id": 3, "officer_id": 1}),
        *(("PATCH", f"/users/{own}", change) for change in ({"unit_id": 1}, {"unit_id": 2}, {"officer_id": 1})),
        *(("POST", "/units", {"parent_id": parent, "kind": "team", "name": "x"}) for parent in (1, 2)),
        *(("PATCH", f"/units/{team}", {"parent_id": parent}) for parent in (1, 2)),
        ("PATCH", "/units/2", {"parent_id": 3}),
        *(("POST", "/officers", {"unit_id": unit, "number": "N", "name": "x"}) for unit in (1, 2)),
        ("PATCH", "/officers/2", {"unit_id": 2}),
        ("PATCH", "/officers/1", {"unit_id": 3}),
        *(("POST", "/devices", {**device, "unit_id": unit}) for unit in (1, 2)),
        ("PATCH", "/devices/R3", {"unit_id": 2}),
        ("PATCH", "/devices/R2", {"unit_id": 3}),
        ("POST", "/devices/R3/bind", {"officer_id": 1}),
        ("POST", "/devices/R2/bind", {"officer_id": 2}),
    ]
    before = await platform.sql("select unit_id, role, officer_id, password_hash from account order by id")
    for method, path, body in attempts:
        answer = await caller.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, body, answer.text)
    assert await platform.sql("select unit_id, role, officer_id, password_hash from account order by id") == before
    for line in ("S9,V,M,东街中队,", "S9,V,M,一分队,D2"):
        text = f"serial,vendor,model,unit,officer_number\n{line}\n"
        assert (await caller.post("/expected-devices", content=text.encode())).status_code == 422
    for path in ("/officers?unit=2", "/devices?unit=2", "/officers?q=D2"):
        assert (await caller.get(path)).json()["items"] == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_no_form_of_another_page_signs_a_browser_in(platform: Platform, kind: str | None) -> None:
    await platform.account("dispatcher", username="lin")
    body = f'{{"username": "lin", "password": "{PASSWORD}", "x": "="}}'
    headers = {"Origin": "http://elsewhere.test"} | ({"Content-Type": kind} if kind else {})
    answer = await platform.client.post("/api/v1/auth/login", content=body.encode(), headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)


async def test_without_a_token_metrics_are_for_this_machine_only(platform: Platform) -> None:
    statuses = {}
    for address in ("127.0.0.1", "::1", "192.0.2.1", PROXY):
        transport = httpx2.ASGITransport(platform.app, client=(address, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://xunlu.test") as client:
            forged = {"X-Forwarded-For": "127.0.0.1"} if address == "192.0.2.1" else {}
            statuses[address] = (await client.get("/metrics", headers=forged)).status_code
    assert statuses == {"127.0.0.1": 200, "::1": 200, "192.0.2.1": 401, PROXY: 401}
