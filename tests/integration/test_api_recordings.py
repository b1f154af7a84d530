"""Recordings that the server made: who finds them, who plays them, and what a player may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

CONTENT = bytes(range(256)) * 4


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Platform]:
    """A folder with one recording, and a secret beside it."""
    folder = tmp_path / "recordings"
    (folder / "R1").mkdir(parents=True)
    (folder / "R1" / "a.mp4").write_bytes(CONTENT)
    (tmp_path / "secret").write_text("nobody's business")
    (folder / "link.mp4").symlink_to(tmp_path / "secret")
    async with running_platform(database, broker, recordings=folder) as running:
        await running.sql(
            "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2001', '王小明');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) values"
            " ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved'),"
            " ('R2', 'main', 3, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'approved');"
            "insert into recording (id, device_id, officer_id, why, file, started_at, ended_at, size_bytes, sha256,"
            " gaps, complete) select id, device, officer, 'hand', file, '2026-03-02T08:00:00Z'::timestamptz + after,"
            " '2026-03-02T08:10:00Z'::timestamptz + after, 1024, repeat('0', 64),"
            ' \'[{"from_ms": 1000, "to_ms": 2000}]\', true'
            " from (values ('a', 1, 1, 'R1/a.mp4', interval '0'), ('b', 1, 1, '../secret', interval '1 h'),"
            "  ('c', 1, 1, 'link.mp4', interval '2 h'), ('d', 1, 1, 'R1/lost.mp4', interval '3 h'),"
            "  ('e', 2, null, 'R2/e.mp4', interval '4 h')) r (id, device, officer, file, after)"
        )
        yield running


async def test_recordings_are_listed_newest_first_with_who_wore_the_device(platform: Platform) -> None:
    caller = await platform.sign_in("evidence")
    page = (await caller.get("/recordings", params={"limit": 3})).json()
    assert [item["id"] for item in page["items"]] == ["e", "d", "c"]
    rest = (await caller.get("/recordings", params={"after": page["next"]})).json()
    assert [item["id"] for item in rest["items"]] == ["b", "a"]
    one = (await caller.get("/recordings/a")).json()
    assert one == rest["items"][1]
    assert (one["did"], one["officer"]["number"], one["unit"]["name"]) == ("R1", "D2001", "东街中队")
    assert (one["gaps"], one["complete"], "file" in one) == ([{"from_ms": 1000, "to_ms": 2000}], True, False)


async def test_a_time_finds_every_recording_that_overlaps_it(platform: Platform) -> None:
    caller = await platform.sign_in("evidence")
    period = {"from": "2026-03-02T08:05:00Z", "to": "2026-03-02T09:05:00Z", "did": "R1"}
    items = (await caller.get("/recordings", params=period)).json()["items"]
    assert [item["id"] for item in items] == ["b", "a"]


async def test_another_squad_finds_none_of_them(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher", unit=3)
    assert [item["id"] for item in (await caller.get("/recordings")).json()["items"]] == ["e"]
    for address in ("/recordings/a", "/recordings/a/file"):
        assert (await caller.get(address)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "part", "content_range"),
    [
        (None, 200, slice(None), None),
        ("bytes=0-99", 206, slice(0, 100), "bytes 0-99/1024"),
        ("bytes=1000-", 206, slice(1000, None), "bytes 1000-1023/1024"),
        ("bytes=-24", 206, slice(1000, None), "bytes 1000-1023/1024"),
        ("bytes=0-99999", 206, slice(None), "bytes 0-1023/1024"),
        ("bytes=1024-", 416, None, "bytes */1024"),
    ],
)
async def test_a_player_gets_the_ranges_it_asks_for(
    platform: Platform, asked: str | None, status: int, part: slice | None, content_range: str | None
) -> None:
    caller = await platform.sign_in("supervisor")
    answer = await caller.get("/recordings/a/file", headers={"Range": asked} if asked else {})
    assert (answer.status_code, answer.headers.get("content-range")) == (status, content_range)
    if part is not None:
        assert (answer.content, answer.headers["content-type"]) == (CONTENT[part], "video/mp4")
        assert answer.headers["accept-ranges"] == "bytes"


async def test_one_playback_is_one_row_of_the_audit_whatever_its_first_range(platform: Platform) -> None:
    first, second = await platform.sign_in("dispatcher"), await platform.sign_in("evidence")
    for asked in ("bytes=512-", "bytes=0-", "bytes=100-200"):
        await first.get("/recordings/a/file", headers={"Range": asked})
    rows = await platform.sql("select action, target, detail from audit")
    assert rows == [("recording.play", "R1", {"id": "a"})]
    await second.get("/recordings/a/file")
    await platform.sql("update audit set at = at - interval '2 hours'")
    await first.get("/recordings/a/file")
    assert await platform.sql("select count(*) from audit") == [(3,)]


async def test_a_recording_in_vp8_is_handed_out_as_what_it_is(platform: Platform) -> None:
    folder = platform.services.settings.recordings / "R1"
    (folder / "a.mp4").rename(folder / "a.webm")
    await platform.sql("update recording set file = 'R1/a.webm' where id = 'a'")
    answer = await (await platform.sign_in("evidence")).get("/recordings/a/file")
    assert (answer.content, answer.headers["content-type"]) == (CONTENT, "video/webm")
    assert 'filename="R1-20260302-080000.webm"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("name", ["b", "c", "d", "nothing", "..%2f..%2fsecret", "%00"])
async def test_no_name_leads_out_of_the_folder(platform: Platform, name: str) -> None:
    caller = await platform.sign_in("administrator")
    answer = await caller.get(f"/recordings/{name}/file")
    assert answer.status_code in {404, 422}
    assert "business" not in answer.text
    assert await platform.sql("select count(*) from audit where action = 'recording.play'") == [(0,)]


@pytest.mark.parametrize("role", ["api", "ingest", "jobs"])
async def test_nobody_may_alter_or_delete_a_recording(database: TestDatabase, role: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn(role), autocommit=True) as connection:
        for statement in ("update recording set file = ''", "delete from recording", "delete from viewing"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement.encode())
