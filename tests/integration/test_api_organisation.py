"""Units, officers and accounts, as administrators and clerks keep them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        yield running


async def test_a_new_unit_gets_its_path_and_its_pinyin(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    answer = await administrator.post("/units", json={"parent_id": 2, "kind": "team", "name": "一分队"})
    assert answer.status_code == 201
    unit = answer.json()
    assert unit["path"] == f"/1/2/{unit['id']}/"
    assert unit["pinyin"] == "yifendui yfd"
    again = await administrator.post("/units", json={"parent_id": 2, "kind": "team", "name": "一分队"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")


async def test_moving_a_unit_moves_everything_below_it(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    team = (await administrator.post("/units", json={"parent_id": 2, "kind": "team", "name": "一分队"})).json()
    sub = (await administrator.post("/units", json={"parent_id": team["id"], "kind": "team", "name": "甲组"})).json()
    moved = await administrator.patch(f"/units/{team['id']}", json={"parent_id": 3})
    assert moved.json()["path"] == f"/1/3/{team['id']}/"
    paths = {unit["id"]: unit["path"] for unit in (await administrator.get("/units")).json()["items"]}
    assert paths[sub["id"]] == f"/1/3/{team['id']}/{sub['id']}/"
    loop = await administrator.patch(f"/units/{team['id']}", json={"parent_id": sub["id"]})
    assert loop.status_code == 422


async def test_the_top_of_what_somebody_sees_cannot_be_moved(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    assert (await administrator.patch("/units/1", json={"parent_id": 2})).status_code == 409


async def test_officers_are_found_by_number_name_pinyin_and_initials(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    await clerk.post("/officers", json={"unit_id": 2, "number": "D2001", "name": "王小明"})
    await clerk.post("/officers", json={"unit_id": 3, "number": "X3001", "name": "李大力"})
    for text in ("D2001", "小明", "xiaoming", "wxm"):
        found = (await clerk.get("/officers", params={"q": text})).json()["items"]
        assert [officer["number"] for officer in found] == ["D2001"], text
    assert (await clerk.get("/officers", params={"q": "%"})).json()["items"] == []
    below = (await clerk.get("/officers", params={"unit": 3})).json()["items"]
    assert [officer["number"] for officer in below] == ["X3001"]


async def test_pages_by_key_show_every_officer_once_the_newest_first(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    for number in range(5):
        await clerk.post("/officers", json={"unit_id": 2, "number": f"D{number}", "name": "王小明"})
    seen, after = [], None
    while True:
        page = (await clerk.get("/officers", params={"limit": 2, **({"after": after} if after else {})})).json()
        seen += [officer["number"] for officer in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [f"D{number}" for number in reversed(range(5))]


async def test_an_officer_who_left_is_inactive_and_keeps_the_number(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    officer = (await clerk.post("/officers", json={"unit_id": 2, "number": "D1", "name": "王小明"})).json()
    changed = await clerk.patch(f"/officers/{officer['id']}", json={"active": False, "name": "王晓明"})
    assert (changed.json()["active"], changed.json()["pinyin"]) == (False, "wangxiaoming wxm")
    same = await clerk.post("/officers", json={"unit_id": 2, "number": "D1", "name": "别人"})
    assert same.status_code == 409


async def test_a_new_account_gets_a_password_once_and_must_change_it(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    new = {"username": "Chen.Li", "display_name": "陈丽", "role": "dispatcher", "unit_id": 2}
    made = await administrator.post("/users", json=new)
    assert (made.status_code, made.json()["username"]) == (201, "chen.li")
    credentials = {"username": "chen.li", "password": made.json()["password"]}
    login = await platform.client.post("/api/v1/auth/login", json=credentials)
    assert login.json()["must_change_password"]
    listed = (await administrator.get("/users")).json()["items"]
    assert all("password" not in user for user in listed)


async def test_a_reset_password_ends_the_old_one_and_unlocks(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    user_id = await platform.account("dispatcher", username="lin")
    await platform.sql(
        "update account set locked_until = now() + interval '1 hour', failed_logins = 10 where id = %s", [user_id]
    )
    fresh = (await administrator.post(f"/users/{user_id}/reset-password")).json()
    assert fresh["locked_until"] is None
    login = {"username": "lin", "password": fresh["password"]}
    assert (await platform.client.post("/api/v1/auth/login", json=login)).status_code == 200


async def test_an_administrator_of_a_squad_makes_no_account_above_it(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator", unit=2)
    new = {"username": "chen", "display_name": "陈丽", "role": "administrator", "unit_id": 1}
    assert (await administrator.post("/users", json=new)).status_code == 404
    assert (await administrator.post("/users", json={**new, "unit_id": 2})).status_code == 201


async def test_nobody_disables_or_demotes_themselves(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    users = (await administrator.get("/users")).json()["items"]
    for change in ({"disabled": True}, {"role": "clerk"}):
        assert (await administrator.patch(f"/users/{users[0]['id']}", json=change)).status_code == 409


async def test_every_change_leaves_an_audit_row_that_nobody_can_alter(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")
    await administrator.post("/units", json={"parent_id": 1, "kind": "squad", "name": "南街中队"})
    await administrator.post("/officers", json={"unit_id": 2, "number": "D1", "name": "王小明"})
    auditor = await platform.sign_in("auditor")
    rows = (await auditor.get("/audit")).json()["items"]
    assert [row["action"] for row in rows] == ["officer.create", "unit.create"]
    assert rows[0]["target"] == "D1"
    found = (await auditor.get("/audit", params={"q": "南街"})).json()["items"]
    assert [row["action"] for row in found] == ["unit.create"]
    granted = await platform.sql("select has_table_privilege('xunlu_api', 'audit', 'update, delete, truncate')")
    assert granted == [(False,)]


async def test_two_moves_at_once_leave_a_tree(platform: Platform) -> None:
    """A path is a scope: one that does not follow from the parents would hide a unit, or show it to strangers."""
    administrator = await platform.sign_in("administrator")
    for _ in range(10):
        await asyncio.gather(
            administrator.patch("/units/2", json={"parent_id": 3}),
            administrator.patch("/units/3", json={"parent_id": 2}),
        )
        wrong = "select child.path, parent.path from unit child join unit parent on parent.id = child.parent_id"
        assert await platform.sql(f"{wrong} where child.path <> parent.path || child.id || '/'") == []
        for unit in (2, 3):
            await administrator.patch(f"/units/{unit}", json={"parent_id": 1})
