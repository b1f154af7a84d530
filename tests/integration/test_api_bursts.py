"""What was said: who finds it, who plays it, and what stands around it in the floor log."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

CONTENT = b"OggS" + bytes(range(250))


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Platform]:
    """Burst `a` of R1 and `b` of a desk in squad 2, `c` outside of the folder, `d` of R2 in squad 3."""
    folder = tmp_path / "recordings"
    (folder / "ptt").mkdir(parents=True)
    (folder / "ptt" / "a.opus").write_bytes(CONTENT)
    (tmp_path / "secret").write_text("nobody's business")
    async with running_platform(database, broker, recordings=folder) as running:
        await running.sql(
            "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2001', '王小明');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) values"
            " ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM', 'approved'),"
            " ('R2', 'main', 3, 'recorder', 'S2', 'Xunlu', 'SIM', 'approved');"
            "insert into binding (device_id, officer_id, bound_at) values (1, 1, '2026-03-01T08:00:00Z');"
        )
        desk = await running.account("dispatcher", username="desk")
        await running.sql(
            "insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file,"
            " started_at, ended_at, size_bytes, sha256, lost, complete, lat, lon, fix_at)"
            " select id, 'unit-' || unit, unit, talker, device, officer, grant_number, 0, file, at,"
            " at + interval '4 s', 254, repeat('0', 64), 0, true, lat, lat * 4, at - interval '7 s' * sign(lat)"
            " from (select *, '2026-03-02T08:00:00Z'::timestamptz + after as at from (values"
            " ('a', 2, 'R1', 1, 1, 1, 'ptt/a.opus', interval '0', 30.0),"
            f" ('b', 2, 'u-{desk}', null, null, 2, 'ptt/b.opus', interval '1 min', null),"
            " ('c', 2, 'R1', 1, 1, 3, '../secret', interval '2 min', null),"
            " ('d', 3, 'R2', 2, null, 1, 'ptt/d.opus', interval '3 min', null))"
            " v (id, unit, talker, device, officer, grant_number, file, after, lat)) w;"
            "insert into floor_entry (id, gid, unit_id, at, what, who, grant_number, urgency, priority) values"
            " ('e1', 'unit-2', 2, '2026-03-02T07:59:59Z', 'granted', 'R1', 1, 0, 100),"
            " ('e2', 'unit-2', 2, '2026-03-02T08:00:02Z', 'denied', 'R9', null, 0, 100),"
            " ('e3', 'unit-2', 2, '2026-03-02T08:00:30Z', 'denied', 'R9', null, 0, 100),"
            " ('e4', 'unit-3', 3, '2026-03-02T08:00:02Z', 'granted', 'R2', 1, 0, 100)"
        )
        yield running


async def test_bursts_are_listed_newest_first_by_group_device_talker_and_time(platform: Platform) -> None:
    caller = await platform.sign_in("evidence")

    async def listed(**query: str) -> list[str]:
        return [item["id"] for item in (await caller.get("/bursts", params=query)).json()["items"]]

    assert await listed() == ["d", "c", "b", "a"]
    assert await listed(gid="unit-2") == ["c", "b", "a"]
    assert await listed(did="R1") == ["c", "a"]
    assert await listed(talker="R2") == ["d"]
    assert await listed(officer="1") == ["c", "a"]
    assert await listed(**{"from": "2026-03-02T08:00:03Z", "to": "2026-03-02T08:01:00Z"}) == ["a"]
    page = (await caller.get("/bursts?limit=3")).json()
    assert await listed(after=page["next"]) == ["a"]


async def test_what_bursts_can_be_narrowed_down_to_follows_the_time_and_the_scope(platform: Platform) -> None:
    caller = await platform.sign_in("evidence")
    await platform.sql("update talk_group set closed_at = now() where gid = 'unit-3'")
    told = (await caller.get("/bursts/heard")).json()
    assert [(group["gid"], group["open"]) for group in told["groups"]] == [("unit-2", True), ("unit-3", False)]
    people = [(who["name"], who["officer"] and who["officer"]["number"]) for who in told["talkers"]]
    assert sorted(people, key=str) == [("R2", None), ("dispatcher", None), ("王小明", "D2001")]
    early = (await caller.get("/bursts/heard", params={"to": "2026-03-02T08:00:03Z"})).json()
    assert [who["name"] for who in early["talkers"]] == ["王小明"]
    other = (await (await platform.sign_in("dispatcher", unit=3)).get("/bursts/heard")).json()
    assert [group["gid"] for group in other["groups"]] == ["unit-3"]


async def test_a_burst_says_who_talked_where(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    items = {item["id"]: item for item in (await caller.get("/bursts")).json()["items"]}
    told = items["a"]
    assert (told["officer"]["number"], told["group_name"], told["talker_name"]) == ("D2001", "东街中队", "王小明")
    assert (told["place"]["lat"], told["place"]["lon"], told["place"]["age_s"]) == (30, 120, 7)
    assert (items["b"]["talker_name"], items["b"]["place"], "file" in told) == ("dispatcher", None, False)


async def test_another_squad_finds_none_of_them(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher", unit=3)
    assert [item["id"] for item in (await caller.get("/bursts")).json()["items"]] == ["d"]
    for address in ("/bursts/a/audio", "/bursts/a/log"):
        assert (await caller.get(address)).status_code == 404


async def test_a_player_gets_ranges_and_one_row_of_the_audit(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    answer = await caller.get("/bursts/a/audio", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"OggS", "audio/ogg")
    assert (await caller.get("/bursts/a/audio")).content == CONTENT
    assert await platform.sql("select action, target, detail from audit") == [("burst.play", "R1", {"id": "a"})]


@pytest.mark.parametrize("name", ["b", "c", "nothing", "..%2fsecret"])
async def test_no_name_leads_out_of_the_folder(platform: Platform, name: str) -> None:
    answer = await (await platform.sign_in("administrator")).get(f"/bursts/{name}/audio")
    assert answer.status_code in {404, 422}
    assert "business" not in answer.text
    assert await platform.sql("select count(*) from audit") == [(0,)]


async def test_the_log_of_a_burst_is_that_of_its_grant_and_of_what_happened_around_it(platform: Platform) -> None:
    caller = await platform.sign_in("evidence")
    items = (await caller.get("/bursts/a/log")).json()["items"]
    assert [(item["id"], item["what"], item["who"], item["grant"]) for item in items] == [
        ("e1", "granted", "R1", 1), ("e2", "denied", "R9", None),
    ]  # fmt: skip
    assert [(item["who_name"], item["by_name"]) for item in items] == [("王小明", None), (None, None)]
