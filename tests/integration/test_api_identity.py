"""Signing in, staying signed in, and what ends it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.api_client import PASSWORD, Platform, running_platform
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        yield running


async def log_in(platform: Platform, username: str, password: str = PASSWORD) -> tuple[int, dict[str, object]]:
    answer = await platform.client.post("/api/v1/auth/login", json={"username": username, "password": password})
    return answer.status_code, answer.json()


async def test_a_program_gets_a_bearer_token_and_is_recognised_by_it(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    answer = await platform.client.post("/api/v1/auth/token", data={"username": "Lin", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = (await platform.client.get("/api/v1/auth/me", headers=headers)).json()
    assert (me["username"], me["role"], me["unit"]["path"]) == ("lin", "dispatcher", "/1/")
    assert "command" in me["permissions"]


async def test_the_console_gets_a_cookie_that_scripts_cannot_read_and_must_show_its_csrf_token(
    platform: Platform,
) -> None:
    await platform.account("dispatcher", username="lin")
    answer = await platform.client.post("/api/v1/auth/login", json={"username": "lin", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert (await platform.client.get("/api/v1/auth/me")).status_code == 200
    refused = await platform.client.post("/api/v1/auth/logout")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/csrf")
    ended = await platform.client.post("/api/v1/auth/logout", headers={"X-CSRF-Token": answer.json()["csrf_token"]})
    assert ended.status_code == 204
    assert (await platform.client.get("/api/v1/auth/me")).status_code == 401


async def test_a_cookie_token_is_no_bearer_token(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    await log_in(platform, "lin")
    token = platform.client.cookies["xunlu_session"]
    platform.client.cookies.clear()
    answer = await platform.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_wrong_password_unknown_user_and_disabled_account_are_answered_alike(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    await platform.account("dispatcher", username="gone")
    await platform.sql("update account set disabled_at = now() where username = 'gone'")
    answers = [
        await log_in(platform, "lin", "wrong"),
        await log_in(platform, "nobody", "wrong"),
        await log_in(platform, "gone"),
    ]
    assert answers[0][0] == 401
    assert answers[0] == answers[1] == answers[2]


async def test_ten_failures_lock_the_account_even_for_the_right_password(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    for _ in range(12):
        await log_in(platform, "lin", "wrong")
    assert await platform.sql("select count(*) from audit where action = 'login.refused'") == [(10,)]
    assert (await log_in(platform, "lin"))[0] == 401
    await platform.sql("update account set locked_until = now() where username = 'lin'")
    assert (await log_in(platform, "lin"))[0] == 200


async def test_an_address_that_keeps_failing_has_to_wait(platform: Platform) -> None:
    attempts = [log_in(platform, f"nobody{n}", "wrong") for n in range(30)]
    await asyncio.gather(*attempts)
    status, body = await log_in(platform, "nobody", "wrong")
    assert (status, body["type"]) == (429, "/problems/too-many-sign-ins")


async def test_a_first_password_must_be_changed_before_anything_else(platform: Platform) -> None:
    headers = {"Authorization": f"Bearer {await platform.token('administrator', must_change=True)}"}
    refused = await platform.client.get("/api/v1/units", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/password-change-required")
    change = {"old": PASSWORD, "new": "another good phrase"}
    assert (await platform.client.post("/api/v1/auth/password", headers=headers, json=change)).status_code == 204
    assert (await platform.client.get("/api/v1/units", headers=headers)).status_code == 200


async def test_a_weak_new_password_is_refused_with_the_reason(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    for new in ("short", "aaaaaaaaaaaa", PASSWORD):
        answer = await caller.post("/auth/password", json={"old": PASSWORD, "new": new})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


async def test_a_change_of_password_ends_the_other_logins(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    tokens = [
        (await platform.client.post("/api/v1/auth/token", data={"username": "lin", "password": PASSWORD})).json()
        for _ in range(2)
    ]
    first, second = ({"Authorization": f"Bearer {token['access_token']}"} for token in tokens)
    change = {"old": PASSWORD, "new": "another good phrase"}
    await platform.client.post("/api/v1/auth/password", headers=first, json=change)
    assert (await platform.client.get("/api/v1/auth/me", headers=first)).status_code == 200
    assert (await platform.client.get("/api/v1/auth/me", headers=second)).status_code == 401


async def test_disabling_an_account_ends_its_logins_at_once(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    other = await platform.sign_in("dispatcher")
    users = (await administrator.get("/users")).json()["items"]
    target = next(user for user in users if user["role"] == "dispatcher")
    assert (await administrator.patch(f"/users/{target['id']}", json={"disabled": True})).json()["disabled"]
    assert (await other.get("/auth/me")).status_code == 401


async def test_tokens_and_passwords_are_stored_as_hashes_only(platform: Platform) -> None:
    await platform.account("dispatcher", username="lin")
    answer = await platform.client.post("/api/v1/auth/token", data={"username": "lin", "password": PASSWORD})
    rows = await platform.sql("select token_hash from login")
    assert answer.json()["access_token"].encode() not in bytes(rows[0][0])
    assert (await platform.sql("select password_hash from account"))[0][0].startswith("$argon2id$")
