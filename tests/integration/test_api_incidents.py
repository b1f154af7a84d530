"""Incidents over the API: nothing is overwritten silently, and a secret address opens one of them and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform
from tests.integration.incident_rig import HOUR, SOUND, VIDEO, film, make_incident
from tests.integration.review_rig import HAPPENED, running_bureau, walk
from tests.services import TestBroker, TestDatabase
from xunlu_gis.formats import playback
from xunlu_platform.api import shared as stranger

pytestmark = pytest.mark.integration

SQUARE = {
    "type": "Feature",
    "properties": {},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[121.47, 31.22], [121.49, 31.22], [121.49, 31.24], [121.47, 31.24], [121.47, 31.22]]],
    },
}


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_bureau(
        database, broker, recordings=tmp_path / "recordings", exports=tmp_path / "exports"
    ) as running:
        yield running


async def shared(caller: Caller, incident: int, **more: Any) -> dict[str, Any]:
    answer = await caller.post(f"/incidents/{incident}/shares", json={"label": "检察院 王", **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_an_incident_has_officers_a_time_a_place_and_an_author(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher", unit=2)
    made = await make_incident(caller, place=SQUARE, subjects=["o1", "dR2", "o1"])
    assert [(one["subject"], one["name"], one["number"]) for one in made["subjects"]] == [
        ("o1", "王小明", "D2001"), ("dR2", "R2", None)
    ]  # fmt: skip
    assert (made["from"], made["to"], made["unit"]["id"]) == (HOUR["from"], HOUR["to"], 2)
    assert made["place"]["geometry"]["type"] == "Polygon"
    [listed] = (await caller.get("/incidents", params={"state": "open", "q": "走失"})).json()["items"]
    assert (listed["id"], listed["created_by"], listed["closed_at"]) == (made["id"], made["created_by"], None)
    assert (await platform.sql("select action, target from audit")) == [("incident.create", "外滩走失儿童")]


async def test_a_change_keeps_what_was_before_and_who_changed_it(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    path = f"/incidents/{made['id']}"
    changed = (await caller.patch(path, json={"title": "走失儿童已找到", "subjects": ["o1", "o2"]})).json()
    [note] = changed["notes"]
    assert (note["kind"], note["author"]) == ("change", made["created_by"])
    assert note["changed"] == {"title": ["外滩走失儿童", "走失儿童已找到"], "subjects": [["o1"], ["o1", "o2"]]}
    again = (await caller.patch(path, json={"title": "走失儿童已找到"})).json()
    assert len(again["notes"]) == 1
    placed = (await caller.patch(path, json={"place": SQUARE})).json()
    same = (await caller.patch(path, json={"place": placed["place"]})).json()
    assert (same["place"], len(same["notes"])) == (placed["place"], 2)
    removed = (await caller.patch(path, json={"place": None})).json()
    assert (removed["place"], removed["notes"][-1]["changed"]) == (None, {"place": [placed["place"], None]})
    closed = (await caller.post(f"{path}/close", json={"text": "完成"})).json()
    assert (closed["closed_at"] is None, closed["notes"][-1]["kind"]) == (False, "close")
    opened = (await caller.post(f"{path}/reopen", json={"text": "补充"})).json()
    assert opened["closed_at"] is None
    assert [note["kind"] for note in opened["notes"]] == ["change", "change", "change", "close", "reopen"]


async def test_notes_are_added_and_never_altered(platform: Platform, database: TestDatabase) -> None:
    caller = await platform.sign_in("evidence")
    made = await make_incident(caller)
    for text in ("一", "二"):
        assert (await caller.post(f"/incidents/{made['id']}/notes", json={"text": text})).status_code == 201
    notes = (await caller.get(f"/incidents/{made['id']}")).json()["notes"]
    assert [note["text"] for note in notes] == ["一", "二"]
    async with await psycopg.AsyncConnection.connect(database.dsn("api"), autocommit=True) as connection:
        for statement in (
            "update incident_note set text = ''",
            "delete from incident_note",
            "delete from incident_mark",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement.encode())


async def test_a_mark_that_is_struck_stays(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    path = f"/incidents/{(await make_incident(caller))['id']}/marks"
    mark = {"at": "2026-03-02T07:12:00Z", "subject": "o1", "text": "发现儿童"}
    [made] = (await caller.post(path, json=mark)).json()["marks"]
    assert (made["text"], made["struck_at"]) == ("发现儿童", None)
    [struck] = (await caller.post(f"{path}/{made['id']}/strike")).json()["marks"]
    [again] = (await (await platform.sign_in("dispatcher")).post(f"{path}/{made['id']}/strike")).json()["marks"]
    assert (struck["struck_by"], again) == (made["author"], struck)
    assert (await caller.post(f"{path}/9999/strike")).status_code == 404
    for wrong in ({"at": "2026-03-02T09:00:00Z"}, {"subject": "o2"}, {"text": ""}, {"text": "a\x00"}):
        assert (await caller.post(path, json={**mark, **wrong})).status_code == 422


async def test_nobody_reaches_an_incident_or_a_subject_of_another_squad(platform: Platform) -> None:
    made = await make_incident(await platform.sign_in("dispatcher", unit=2))
    stranger = await platform.sign_in("dispatcher", unit=3)
    assert (await stranger.get("/incidents")).json()["items"] == []
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("POST", "/notes"), ("POST", "/marks"), ("POST", "/close"), ("GET", "/shares"),
        ("POST", "/shares"), ("GET", "/exports"), ("POST", "/exports"),
    ):  # fmt: skip
        body = {"text": "x", "at": HOUR["from"], "label": "x"}
        answer = await stranger.request(method, f"/incidents/{made['id']}{path}", json=body)
        assert answer.status_code == 404, (method, path, answer.text)
    foreign = await stranger.post("/incidents", json={"title": "x", **HOUR, "subjects": ["o3", "o1"]})
    assert (foreign.status_code, "o1" in foreign.json()["detail"]) == (404, True)
    for role in ("clerk", "officer", "auditor"):
        assert (await (await platform.sign_in(role)).get("/incidents")).status_code == 403


async def test_the_same_alarm_is_one_incident_however_often_and_at_once_it_is_asked_for(platform: Platform) -> None:
    await platform.sql(HAPPENED)
    callers = [await platform.sign_in(role, unit=2) for role in ("dispatcher", "supervisor", "evidence")]
    new = {"title": "一键报警", **HOUR, "subjects": ["dR1"], "alarm_id": 1}
    answers = await asyncio.gather(*(caller.post("/incidents", json=new) for caller in callers for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await platform.sql("select count(*) from audit where action = 'incident.create'") == [(1,)]
    foreign = await (await platform.sign_in("dispatcher", unit=3)).post("/incidents", json={**new, "subjects": ["dR3"]})
    assert (foreign.status_code, foreign.json()["errors"][0]["reason"]) == (422, "unknown-alarm")


async def test_what_is_handed_over_says_nothing_of_other_incidents_of_the_same_officers(platform: Platform) -> None:
    caller = await platform.sign_in("administrator")
    made = await make_incident(caller)
    assert (await caller.post(f"/incidents/{made['id']}/exports", json={})).status_code == 202
    [(kinds,)] = await platform.sql("select kinds from incident_export")
    assert ("alarm" in kinds, "incident" in kinds) == (True, False)


async def test_an_export_is_there_for_whoever_may_see_all_of_it_and_for_nobody_else(platform: Platform) -> None:
    author = await platform.sign_in("supervisor")
    exports = f"/incidents/{(await make_incident(author, unit_id=2))['id']}/exports"
    asked = (await author.post(exports, json={})).json()["id"]
    folder = platform.services.settings.exports
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{asked}.zip").write_bytes(VIDEO)
    await platform.sql("update incident_export set state = 'done', finished_at = now()")
    for role, unit, seen in (
        ("supervisor", 1, True), ("administrator", 1, True), ("supervisor", 2, False), ("dispatcher", 1, False)
    ):  # fmt: skip
        reader = await platform.sign_in(role, unit=unit)
        assert [one["id"] for one in (await reader.get(exports)).json()] == ([asked] if seen else [])
        for path in (f"{exports}/{asked}", f"{exports}/{asked}/file"):
            assert (await reader.get(path)).status_code == (200 if seen else 404), (role, unit, path)


@pytest.mark.parametrize("role", ["evidence", "supervisor"])
async def test_a_drawing_is_checked_for_whoever_keeps_incidents(platform: Platform, role: str) -> None:
    crossed = {**SQUARE, "geometry": {"type": "Polygon", "coordinates": [
        [[121.47, 31.22], [121.49, 31.24], [121.49, 31.22], [121.47, 31.24], [121.47, 31.22]],
    ]}}  # fmt: skip
    told = (await (await platform.sign_in(role)).post("/zones/check", json={"shape": crossed})).json()
    assert "repaired" in [one["code"] for one in told["doubts"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\x00"},
        {"from": HOUR["to"]},
        {"to": "2026-05-30T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z", "to": "0001-01-02T00:00:00Z"},
        {"from": "2026-03-02T07:00:00"},
        {"subjects": []},
        {"subjects": ["x1"]},
        {"subjects": [f"o{n}" for n in range(1, 52)]},
        {"place": {"type": "Feature", "properties": {}, "geometry": None}},
        {"place": {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[1e9, 0]]]}}},
        {"alarm_id": 99},
    ],
)
async def test_what_cannot_be_an_incident_is_answered_with_what_to_do(
    platform: Platform, wrong: dict[str, Any]
) -> None:
    caller = await platform.sign_in("supervisor")
    answer = await caller.post("/incidents", json={"title": "x", **HOUR, "subjects": ["o1"], **wrong})
    assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), answer.text


async def test_a_secret_address_shows_one_incident_without_an_account(platform: Platform) -> None:
    await walk(platform, 1, "07:00", seconds=3600)
    await platform.sql(HAPPENED.partition("insert into recording")[0])
    await film(platform)
    caller = await platform.sign_in("dispatcher", unit=2)
    made = await make_incident(caller)
    share = await shared(caller, made["id"])
    page = await platform.client.get(share["path"])
    assert page.status_code == 200, page.text
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert "外滩走失儿童" in page.text
    assert "王小明 D2001" in page.text
    assert "media/rec-1.mp4" in page.text
    english = await platform.client.get(share["path"], headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert "Recordings" in english.text
    # Without a file, of somebody else, of another time.
    for name in ("rec-2", "rec-3", "rec-4"):
        assert f"media/{name}.mp4" not in page.text
        assert (await platform.client.get(f"{share['path']}media/{name}.mp4")).status_code == 404
    video = await platform.client.get(f"{share['path']}media/rec-1.mp4", headers={"Range": "bytes=0-2"})
    assert (video.status_code, video.content) == (206, VIDEO[:3])
    assert (await platform.client.get(f"{share['path']}media/b-1.opus")).content == SOUND
    stored = await platform.sql("select secret_hash from incident_share")
    assert share["path"].split("/")[2].encode() not in stored[0][0]


async def test_every_visit_is_written_down_and_a_withdrawn_address_shows_nothing(platform: Platform) -> None:
    await film(platform)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    share = await shared(caller, made["id"])
    for _ in range(2):
        assert (await platform.client.get(share["path"])).status_code == 200
    await platform.client.get(f"{share['path']}media/rec-1.mp4")
    [listed] = (await caller.get(f"/incidents/{made['id']}/shares")).json()
    assert "path" not in listed
    assert ([one["what"] for one in listed["openings"]], listed["openings_count"]) == (["rec-1.mp4", "page"], 2)
    rows = await platform.sql("select username, target from audit where action = 'share.open'")
    assert rows == [(f"share {share['id']}", "检察院 王")] * 2
    revoked = (await caller.post(f"/incidents/{made['id']}/shares/{share['id']}/revoke")).json()
    assert revoked["revoked_by"] == made["created_by"]
    for path in ("", "media/rec-1.mp4"):
        assert (await platform.client.get(share["path"] + path)).status_code == 404


async def test_only_what_there_is_is_written_down_and_a_full_list_ends_the_address(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await film(platform)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    share = await shared(caller, made["id"])
    monkeypatch.setattr(stranger, "OPENINGS_MAX", 2)
    for name in ("made-up", "rec-2", "rec-3"):
        assert (await platform.client.get(f"{share['path']}media/{name}.mp4")).status_code == 404
    assert await platform.sql("select count(*) from incident_share_opening") == [(0,)]
    for name in ("rec-1.mp4", "b-1.opus"):
        assert (await platform.client.get(f"{share['path']}media/{name}")).status_code == 200
    for path in ("", "media/rec-1.mp4"):
        assert (await platform.client.get(share["path"] + path)).status_code == 404
    assert await platform.sql("select detail ->> 'what' from audit where action = 'share.open' order by id") == [
        ("rec-1.mp4",), ("b-1.opus",)
    ]  # fmt: skip


async def test_a_stranger_reads_in_words_why_there_is_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await film(platform)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    share = await shared(caller, made["id"])

    async def told(path: str, **headers: str) -> tuple[int, str]:
        answer = await platform.client.get(path, headers=headers)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "sandbox" in answer.headers["content-security-policy"]
        return answer.status_code, answer.text

    for path in (
        f"/shared/{'0' * 43}/",
        "/shared/cut-off/",
        f"{share['path']}media/no.mp4",
        f"{share['path']}media/no",
    ):
        status, text = await told(path)
        assert (status, "这里没有可以看的内容" in text, 'lang="zh-CN"' in text) == (404, True, True)
    status, text = await told(f"/shared/{'0' * 43}/", **{"Accept-Language": "en"})
    assert (status, "There is nothing to see here" in text, 'lang="en"' in text) == (404, True, True)
    monkeypatch.setattr(playback, "ENTRIES_MAX", 1)
    status, text = await told(share["path"] + "?language=en")
    assert (status, "more than a page can hold" in text) == (422, True)


async def test_what_no_page_can_hold_is_not_shared(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    await film(platform)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    monkeypatch.setattr(playback, "ENTRIES_MAX", 1)
    answer = await caller.post(f"/incidents/{made['id']}/shares", json={"label": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (409, "share-too-much")
    assert await platform.sql("select count(*) from incident_share") == [(0,)]


async def test_an_address_ends_by_itself_and_within_a_month(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    too_long = await caller.post(f"/incidents/{made['id']}/shares", json={"label": "x", "hours": 721})
    assert too_long.status_code == 422
    share = await shared(caller, made["id"], hours=720)
    await platform.sql(
        "update incident_share set made_at = now() - interval '3 h', expires_at = now() - interval '1 s'"
    )
    assert (await platform.client.get(share["path"])).status_code == 404


async def test_guessing_addresses_is_slowed_down(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    share = await shared(caller, (await make_incident(caller))["id"])
    for number in range(30):
        assert (await platform.client.get(f"/shared/{number:043}/")).status_code == 404
    refused = await platform.client.get(share["path"])
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert "打开得太频繁" in refused.text
