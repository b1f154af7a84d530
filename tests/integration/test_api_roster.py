"""The roster over the interface: who may put whom on a shift, what a file comes to, and what nobody can do twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import psycopg
import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform
from tests.integration.review_rig import running_bureau, states_of, track, walk
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

WEEK = {"from": "2026-03-02T00:00:00+08:00", "to": "2026-03-09T00:00:00+08:00"}
NIGHT = {"begins_at": "2026-03-02T22:00:00+08:00", "ends_at": "2026-03-03T06:00:00+08:00"}
HEADING = "number,name,date,shift,post,note\n"


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    """D2001 王小明 (1) and D2002 李大力 (2) of the first squad, D3001 周敏 (3) of the second; a post of the first."""
    async with running_bureau(database, broker) as running:
        await running.sql("insert into zone (unit_id, kind, name) values (2, 'post', '外滩')")
        yield running


async def put(caller: Caller, officer: int = 1, **more: Any) -> httpx2.Response:
    return await caller.post("/roster", json={"officer_id": officer, **NIGHT, **more})


async def made(caller: Caller, officer: int = 1, **more: Any) -> dict[str, Any]:
    answer = await put(caller, officer, **more)
    assert answer.status_code == 201, answer.text
    shift: dict[str, Any] = answer.json()
    return shift


async def listed(caller: Caller, **more: Any) -> list[dict[str, Any]]:
    answer = await caller.get("/roster", params={**WEEK, **more})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def reasons(answer: httpx2.Response) -> list[str]:
    return [one["reason"] for one in answer.json()["errors"]]


async def sent(caller: Caller, what: str, text: str | bytes, **more: Any) -> httpx2.Response:
    body = text.encode() if isinstance(text, str) else text
    return await caller.post(f"/roster/{what}", params=more, content=body, headers={"Content-Type": "text/csv"})


async def test_a_night_shift_belongs_to_both_of_its_days(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk", unit=2)
    shift = await made(clerk, zone_id=1, note="带班")
    assert shift["zone"] == {"id": 1, "name": "外滩", "kind": "post"}
    dispatcher = await platform.sign_in("dispatcher", unit=2)
    for first, last, found in (("02", "03", 1), ("03", "04", 1), ("04", "05", 0)):
        day = {"from": f"2026-03-{first}T00:00:00+08:00", "to": f"2026-03-{last}T00:00:00+08:00"}
        assert len(await listed(dispatcher, **day)) == found


async def test_a_roster_is_paged_in_order_of_time(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    await made(clerk, 2)
    await made(clerk, 1)
    first = (await clerk.get("/roster", params={**WEEK, "limit": 1})).json()
    second = (await clerk.get("/roster", params={**WEEK, "limit": 1, "after": first["next"]})).json()
    assert [one["officer"]["id"] for page in (first, second) for one in page["items"]] == [2, 1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        ({"ends_at": "2026-03-02T22:00:00+08:00"}, 422, "period-order"),
        ({"ends_at": "2026-03-02T06:00:00+08:00"}, 422, "period-order"),
        ({"ends_at": "2026-03-03T22:00:01+08:00"}, 422, "shift-length"),
        ({"note": "x" * 201}, 422, "string_too_long"),
        ({"begins_at": "2026-03-02T22:00:00"}, 422, "timezone_aware"),
    ],
)
async def test_a_shift_that_cannot_be_is_refused(
    platform: Platform, more: dict[str, Any], status: int, reason: str
) -> None:
    answer = await put(await platform.sign_in("clerk"), **more)
    assert (answer.status_code, reasons(answer)) == (status, [reason])


async def test_nobody_is_on_two_shifts_at_once(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    await made(clerk)
    answer = await put(clerk, begins_at="2026-03-03T05:59:00+08:00", ends_at="2026-03-03T14:00:00+08:00")
    assert (answer.status_code, reasons(answer)) == (409, ["shift-overlap"])
    await made(clerk, begins_at="2026-03-03T06:00:00+08:00", ends_at="2026-03-03T14:00:00+08:00")
    await made(clerk, 2)


async def test_of_two_who_write_at_once_one_is_told(platform: Platform) -> None:
    clerks = [await platform.sign_in("clerk") for _ in range(4)]
    for officer in (1, 2, 3):
        answers = await asyncio.gather(*(put(clerk, officer) for clerk in clerks))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await listed(clerks[0])) == 3


async def test_files_that_are_imported_at_once_do_not_wait_for_each_other(platform: Platform) -> None:
    clerks = [await platform.sign_in("clerk") for _ in range(4)]
    rows = ["D2001,,2026-03-03,08:00-16:00\n", "D2002,,2026-03-03,08:00-16:00\n"]
    texts = ["number,name,date,shift\n" + "".join(rows[:: 1 if n % 2 else -1]) for n in range(4)]
    answers = await asyncio.gather(*(sent(clerk, "import", text) for clerk, text in zip(clerks, texts, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


async def test_a_change_leaves_what_was_and_only_the_first_of_two_counts(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    shift = await made(clerk)
    body = {"officer_id": 1, **NIGHT, "ends_at": "2026-03-03T04:00:00+08:00"}
    changed = (await clerk.put(f"/roster/{shift['id']}", json=body)).json()
    assert changed["id"] != shift["id"]
    again = await clerk.put(f"/roster/{shift['id']}", json=body)
    assert (again.status_code, reasons(again)) == (409, ["shift-withdrawn"])
    assert [one["id"] for one in await listed(clerk)] == [changed["id"]]
    assert (await clerk.request("DELETE", f"/roster/{changed['id']}")).status_code == 204
    everything = await listed(clerk, withdrawn=True)
    assert [one["withdrawn_at"] is not None for one in everything] == [True, True]
    told = await platform.sql("select action, target from audit where action like 'shift.%%' order by id", [])
    assert told == [("shift.create", "D2001"), ("shift.change", "D2001"), ("shift.delete", "D2001")]
    async with await psycopg.AsyncConnection.connect(platform.database.dsn("api"), autocommit=True) as connection:
        for statement in ("delete from shift", "update shift set note = ''", "update shift set ends_at = now()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement.encode())


async def test_who_has_left_keeps_old_shifts_and_gets_no_new_ones(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    shift = await made(clerk)
    await clerk.patch("/officers/1", json={"active": False})
    assert reasons(await put(clerk, begins_at="2026-03-03T20:00:00Z", ends_at="2026-03-03T21:00:00Z")) == [
        "officer-inactive"
    ]
    assert [one["id"] for one in await listed(clerk)] == [shift["id"]]
    assert (await clerk.request("DELETE", f"/roster/{shift['id']}")).status_code == 204


async def test_a_roster_is_seen_and_made_within_ones_own_squad(platform: Platform) -> None:
    shift = await made(await platform.sign_in("clerk", unit=2), zone_id=1)
    stranger = await platform.sign_in("supervisor", unit=3)
    assert await listed(stranger) == []
    assert (await put(stranger)).status_code == 404
    assert (await put(stranger, 3, zone_id=1)).status_code == 404
    body = {"officer_id": 3, **NIGHT}
    assert (await stranger.put(f"/roster/{shift['id']}", json=body)).status_code == 404
    assert (await stranger.request("DELETE", f"/roster/{shift['id']}")).status_code == 404
    preview = await sent(stranger, "check", HEADING + "D2001,,2026-03-05,08:00-16:00,外滩,\n")
    assert [one["reason"] for one in preview.json()["wrong"]] == ["no-such-officer"]
    dispatcher = await platform.sign_in("dispatcher")
    assert len(await listed(dispatcher)) == 1
    assert (await put(dispatcher, 2)).status_code == 403
    own, other = [await platform.sign_in("officer", unit=2, officer=officer) for officer in (1, 2)]
    assert (len(await listed(own)), len(await listed(other))) == (1, 0)


async def test_a_file_is_shown_before_it_is_imported_and_comes_out_again(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk", unit=2)
    rows = (
        "警号,姓名,日期,班次,岗位,备注",
        "D2001,,2026/3/2,22:00－6:00,外滩,带班",
        ",李大力,2026-03-02,16:00-24:00,,",
        ",,,",
    )
    text = "\n".join(rows)
    preview = (await sent(clerk, "check", text.encode("gb18030"), unit=2)).json()
    assert preview["wrong"] == []
    assert [(one["officer"]["number"], one["zone"], one["begins_at"], one["ends_at"]) for one in preview["shifts"]] == [
        ("D2001", "外滩", "2026-03-02T14:00:00Z", "2026-03-02T22:00:00Z"),
        ("D2002", None, "2026-03-02T08:00:00Z", "2026-03-02T16:00:00Z"),
    ]
    assert await listed(clerk) == []
    assert (await sent(clerk, "import", text)).json() == {"imported": 2}
    written = await clerk.get("/roster/export", params={**WEEK, "unit": 2})
    assert written.text.splitlines() == [
        "\ufeff编号,姓名,日期,班次,岗位,备注",
        "D2002,李大力,2026-03-02,16:00-00:00,,",
        "D2001,王小明,2026-03-02,22:00-06:00,外滩,带班",
    ]
    again = await sent(clerk, "import", written.content)
    assert (again.status_code, set(reasons(again))) == (422, {"shift-overlaps"})
    for shift in await listed(clerk):
        await clerk.request("DELETE", f"/roster/{shift['id']}")
    assert (await sent(clerk, "import", written.content)).json() == {"imported": 2}


async def test_every_bad_row_of_a_file_is_named_and_nothing_is_written(platform: Platform) -> None:
    await platform.sql(
        "insert into officer (tenant, unit_id, number, name, active) values"
        " ('main', 2, 'D2003', '王小明', true), ('main', 2, 'D2004', '赵六', false)"
    )
    clerk = await platform.sign_in("clerk")
    await made(clerk, 2)
    rows = {
        "D2001,,2026-03-05,08:00-16:00,外滩,": None,
        "D9999,,2026-03-05,08:00-16:00,,": "no-such-officer",
        ",王小明,2026-03-05,08:00-16:00,,": "ambiguous-officer",
        "D2001,李大力,2026-03-06,08:00-16:00,,": "other-name",
        "D2004,,2026-03-05,08:00-16:00,,": "officer-inactive",
        "D2001,,2026-02-30,08:00-16:00,,": "roster-date",
        "D2001,,2026-03-06,8-16,,": "roster-shift",
        "D2001,,2026-03-06,25:00-26:00,,": "roster-shift",
        "D2001,,2026-03-06,08:00-16:00,南门,": "no-such-zone",
        "D2001,,2026-03-06,08:00-16:00,=1+1,": "cell-formula",
        ",,2026-03-06,08:00-16:00,,": "missing",
        f"D2001,,2026-03-06,08:00-16:00,,{'x' * 201}": "string_too_long",
        "D2001,,2026-03-05,15:00-23:00,,": "shift-overlaps",
        "D2002,,2026-03-03,05:00-13:00,,": "shift-overlaps",
    }
    told = (await sent(clerk, "check", HEADING + "\n".join(rows))).json()
    wrong = [(number, reason) for number, reason in enumerate(rows.values(), 2) if reason]
    assert [(one["row"], one["reason"]) for one in told["wrong"]] == wrong
    answer = await sent(clerk, "import", HEADING + "\n".join(rows))
    assert (answer.status_code, reasons(answer)) == (422, [reason for _, reason in wrong])
    assert len(await listed(clerk)) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "csv-columns"),
        (b"a,b,c\n1,2,3\n", "csv-columns"),
        (HEADING.encode(), "roster-empty"),
        (HEADING.encode("utf-16"), "csv-encoding"),
        (b"number,date,shift\n\xff\xff\xff\n", "csv-encoding"),
        (b'number,date,shift\n"' + b"x" * 200_000, "csv-form"),
        (b"number,date,shift\n" + b"D2001,2026-03-05,08:00-16:00\n" * 5001, "roster-rows"),
        (b"number,date,shift\n" + b"\n" * 1_000_000, "roster-rows"),
    ],
)
async def test_a_file_that_is_no_roster_is_refused(platform: Platform, body: bytes, reason: str) -> None:
    answer = await sent(await platform.sign_in("clerk"), "check", body)
    assert (answer.status_code, reasons(answer)) == (422, [reason])


async def test_a_file_of_a_million_rows_is_refused_before_it_is_read(platform: Platform) -> None:
    body = b"number,date,shift\n" + b"D2001,2026-03-05,08:00-16:00\n" * 1_000_000
    assert (await sent(await platform.sign_in("clerk"), "import", body)).status_code == 413


async def test_a_week_is_copied_at_the_same_local_times_and_nobody_is_put_on_two_shifts(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    await platform.sql("update officer set active = false where id = 3")
    for officer in (1, 2, 3):
        await platform.sql(
            "insert into shift (officer_id, begins_at, ends_at, zone_id)"
            " values (%s, '2026-03-02T22:00+08', '2026-03-03T06:00+08', 1)",
            [officer],
        )
    await made(clerk, 2, begins_at="2026-03-10T00:00:00+08:00", ends_at="2026-03-10T08:00:00+08:00")
    wanted = {"unit_id": 1, "from": "2026-03-02", "into": "2026-03-09"}
    assert (await clerk.post("/roster/copy", json=wanted)).json() == {"copied": 1, "left_out": 2}
    [copied] = await listed(clerk, **{"from": "2026-03-09T00:00:00+08:00", "to": "2026-03-10T00:00:00+08:00"})
    assert (copied["officer"]["id"], copied["begins_at"]) == (1, "2026-03-09T14:00:00Z")
    itself = await clerk.post("/roster/copy", json={**wanted, "into": "2026-03-05"})
    assert reasons(itself) == ["copy-itself"]


async def test_a_list_of_officers_tells_who_is_on_a_shift_now(platform: Platform) -> None:
    await platform.sql(
        "insert into shift (officer_id, begins_at, ends_at, withdrawn_at) values"
        " (1, now() - interval '1 h', now() + interval '1 h', null),"
        " (2, now() - interval '1 h', now() + interval '1 h', now()),"
        " (3, now() + interval '1 h', now() + interval '2 h', null)"
    )
    told = (await (await platform.sign_in("dispatcher")).get("/officers")).json()["items"]
    assert [one["on_shift_until"] is not None for one in told] == [False, False, True]


async def shifts(platform: Platform, officer: int, *times: tuple[str, str]) -> None:
    for begin, end in times:
        await platform.sql(
            "insert into shift (officer_id, begins_at, ends_at) values (%s, %s, %s)",
            [officer, f"2026-03-{begin}:00Z", f"2026-03-{end}:00Z"],
        )


async def test_the_roster_says_whether_a_device_may_be_off(platform: Platform) -> None:
    """D3001 walks from 7 to 8 and, after the recorder started anew, from 12 to 13."""
    await walk(platform, 3, "07:00", seconds=3600)
    await walk(platform, 3, "12:00", seconds=3600, sid=2)

    async def off() -> list[tuple[str, float, float]]:
        states = states_of(await track(platform, "o3"))
        return [(state, round(begin, 2), round(end, 2)) for state, begin, end in states if 7.5 < begin < 11.9]

    assert [state for state, _, _ in await off()] == ["off_unplanned"]
    await shifts(platform, 3, ("02T06", "02T09"), ("02T11", "02T14"))
    assert await off() == [
        ("off_unplanned", 8, 9),
        ("off_planned", 9, 11),
        ("off_unplanned", 11, 12),
    ]


async def test_presence_is_told_by_the_shifts_of_the_roster_and_names_who_has_none(platform: Platform) -> None:
    """R1 walks from 7 to 9 UTC through the zone; D2001 wears it until 8, D2002 from then on."""
    west, east = (121.47 + hour * 3600 * 0.0000126 for hour in (6.9, 9.1))
    ring = [[west, 31.22], [east, 31.22], [east, 31.24], [west, 31.24], [west, 31.22]]
    shape = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    await platform.sql(
        "insert into zone_version (zone_id, shape, valid_from) values (1, %s, '2026-03-01Z')", [json.dumps(shape)]
    )
    await walk(platform, 1, "07:00", seconds=7200)
    await platform.sql("insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2009', '赵六')")
    await shifts(platform, 1, ("02T06", "02T10"))
    await shifts(platform, 3, ("02T06", "02T10"))
    await platform.sql("update shift set zone_id = 1 where officer_id = 3")
    caller = await platform.sign_in("dispatcher")
    asked = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    told = (await caller.get("/zones/1/presence", params=asked)).json()
    assert told["rostered"]
    assert [one["number"] for one in told["unrostered"]] == ["D2002", "D2009"]
    [shift] = told["shifts"]
    assert (shift["since"], shift["until"]) == ("2026-03-02T06:00:00Z", "2026-03-02T10:00:00Z")
    officers = {
        one["officer"]["number"]: (one["rostered"], one["post"], one["dwell_s"] > 0) for one in shift["officers"]
    }
    # Who is not rostered and was there is told as well; who is rostered and was nowhere, too.
    assert officers == {"D2001": (True, None, True), "D2002": (False, None, True), "D3001": (True, "外滩", False)}
    typed = (await caller.get("/zones/1/presence", params={**asked, "shift": "14:00-18:00"})).json()
    assert (typed["rostered"], typed["unrostered"], typed["concerned"]) == (False, [], told["concerned"])
    assert {one["rostered"] for one in typed["shifts"][0]["officers"]} == {None}
