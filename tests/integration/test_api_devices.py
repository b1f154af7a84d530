"""Devices, what they wear and are told, their tracks, events and alarms."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase
from xunlu_gis.formats import read_track
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.store import positions
from xunlu_protocol.command import Request
from xunlu_protocol.shadow import Shadow

pytestmark = pytest.mark.integration

DAY = datetime(2026, 3, 2, tzinfo=UTC)
PERIOD = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_platform(database, broker) as running:
        await running.sql(
            "insert into officer (tenant, unit_id, number, name, pinyin) values"
            " ('main', 2, 'D2001', '王小明', 'wangxiaoming wxm'), ('main', 3, 'D3001', '李大力', 'lidali ldl');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) values"
            " ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved'),"
            " ('R2', 'main', 3, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'pending')"
        )
        yield running


async def add_track(platform: Platform, points: int, *, gap_after: int | None = None) -> None:
    await platform.sql(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, fix, sat, bds, late)"
        " select 1, %(day)s + make_interval(secs => n * 5 + case when n >= %(gap)s then 3600 else 0 end), 1, n + 1,"
        "  %(day)s + make_interval(secs => n * 5 + 1), 31.2 + n * 0.00001, 121.4, 1.1, 1, 12, 8, false"
        " from generate_series(0, %(points)s - 1) n",
        {"day": DAY, "points": points, "gap": points if gap_after is None else gap_after},
    )


async def test_a_device_shows_its_newest_position_with_its_age_and_who_wears_it(platform: Platform) -> None:
    await platform.sql(
        "insert into binding (device_id, officer_id) values (1, 1);"
        "insert into device_state (device_id, availability, availability_sid, availability_at, fix_at, lat, lon,"
        " accuracy_m, sat, bds, telemetry, telemetry_at) values"
        " (1, 'online', 3, now(), now() - interval '9 seconds', 31.2, 121.4, 4.5, 12, 8, '{\"batt\": 81}', now())"
    )
    dispatcher = await platform.sign_in("dispatcher")
    device = (await dispatcher.get("/devices/R1")).json()
    assert device["officer"] == {"id": 1, "number": "D2001", "name": "王小明"}
    assert device["state"]["availability"] == "online"
    assert device["telemetry"]["batt"] == 81
    assert 9 <= device["position"]["age_s"] < 60
    assert (device["position"]["bds"], device["position"]["course_deg"]) == (8, None)
    assert device["shadow"]["desired_version"] == 0
    for text in ("wxm", "S1", "2001"):
        found = (await dispatcher.get("/devices", params={"q": text})).json()["items"]
        assert [each["did"] for each in found] == ["R1"], text
    pending = (await dispatcher.get("/devices", params={"status": "pending", "unit": 1})).json()["items"]
    assert [each["did"] for each in pending] == ["R2"]


async def test_bindings_keep_their_history_and_move_the_device_to_the_unit_of_its_officer(platform: Platform) -> None:
    clerk = await platform.sign_in("clerk")
    assert (await clerk.post("/devices/R1/bind", json={"officer_id": 1})).status_code == 200
    history = (await clerk.post("/devices/R1/bind", json={"officer_id": 2})).json()["items"]
    assert [binding["officer"]["number"] for binding in history] == ["D3001", "D2001"]
    assert history[0]["released_at"] is None
    assert history[1]["released_by"].startswith("clerk-")
    assert (await clerk.get("/devices/R1")).json()["unit"]["id"] == 3
    taken = await clerk.post("/devices/R2/bind", json={"officer_id": 2})
    assert (taken.status_code, "R1" in taken.json()["title"]) == (409, True)
    [complaint] = taken.json()["errors"]
    assert (complaint["reason"], complaint["values"]) == ("officer-wears", {"device": "R1"})
    released = (await clerk.post("/devices/R1/unbind")).json()["items"]
    assert all(binding["released_at"] for binding in released)
    worn = (await clerk.get("/officers/2/bindings")).json()["items"]
    assert [each["did"] for each in worn] == ["R1"]


async def test_a_command_reaches_the_device_with_its_expiry_and_is_followed_by_its_id(
    platform: Platform, broker: TestBroker
) -> None:
    await platform.services.mqtt.wait_connected()
    dispatcher = await platform.sign_in("dispatcher")
    options = SessionOptions(client_id="listener", subscriptions=[Subscription(topic="xunlu/v1/main/d/R1/dn/rpc/#")])
    async with Session(broker.account("xunlu-ingest"), options) as listener:
        await listener.wait_connected()
        sent = await dispatcher.post("/devices/R1/commands", json={"name": "say_text", "args": {"text": "请回话"}})
        assert (sent.status_code, sent.json()["state"]) == (202, "queued")
        message = await anext(listener.messages())
    request = Request.decode(message.payload)
    assert (request.name, request.args["text"]) == ("say_text", "请回话")
    assert message.topic.endswith(f"/{sent.json()['id']}")
    followed = await dispatcher.get(f"/devices/R1/commands/{request.rid}")
    assert followed.json() == sent.json()
    assert [each["id"] for each in (await dispatcher.get("/devices/R1/commands")).json()["items"]] == [request.rid]


@pytest.mark.parametrize(
    ("did", "body", "status"),
    [
        ("R1", {"name": "self_destruct"}, 422),
        ("R1", {"name": "say_text", "args": {}}, 422),
        ("R1", {"name": "track_interval", "args": {"interval_s": -1}}, 422),
        ("R2", {"name": "photo"}, 409),
        ("R9", {"name": "photo"}, 404),
    ],
)
async def test_a_command_that_cannot_be_is_refused(
    platform: Platform, did: str, body: dict[str, Any], status: int
) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    assert (await dispatcher.post(f"/devices/{did}/commands", json=body)).status_code == status


async def test_a_desired_configuration_is_kept_and_retained_for_the_device(
    platform: Platform, broker: TestBroker
) -> None:
    await platform.services.mqtt.wait_connected()
    clerk = await platform.sign_in("clerk")
    await clerk.put("/devices/R1/shadow", json={"config": {"moving_s": 3}})
    answer = await clerk.put("/devices/R1/shadow", json={"config": {"moving_s": 4}})
    assert (answer.json()["desired_version"], answer.json()["desired"]["moving_s"]) == (2, 4)
    options = SessionOptions(client_id="device", subscriptions=[Subscription(topic="xunlu/v1/main/d/R1/dn/shadow")])
    async with Session(broker.account("xunlu-ingest"), options) as device:
        shadow = Shadow.decode((await anext(device.messages())).payload)
    assert (shadow.version, shadow.config.moving_s) == (2, 4)
    assert (await clerk.put("/devices/R1/shadow", json={"config": {"moving_s": 0}})).status_code == 422


async def test_a_track_comes_as_geojson_with_its_gap_and_leaves_an_audit_row(platform: Platform) -> None:
    await add_track(platform, 100, gap_after=60)
    supervisor = await platform.sign_in("supervisor")
    answer = await supervisor.get("/devices/R1/track", params=PERIOD)
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert [feature["properties"].get("kind") for feature in features] == ["segment", "gap", "segment"]
    assert [len(feature["geometry"]["coordinates"]) for feature in features] == [60, 2, 40]
    [row] = (await supervisor.get("/audit")).json()["items"]
    assert (row["action"], row["target"], row["detail"]["format"]) == ("track.read", "R1", "geojson")
    simple = await supervisor.get("/devices/R1/track", params={**PERIOD, "tolerance_m": 5})
    assert [len(feature["geometry"]["coordinates"]) for feature in simple.json()["features"]] == [2, 2, 2]


async def test_a_long_track_comes_in_pieces_without_losing_or_doubling_a_row(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "PIECE_POINTS", 7)
    await add_track(platform, 40)
    await platform.sql("update position set sid = 2 where seq between 14 and 16")
    supervisor = await platform.sign_in("supervisor")
    answer = await supervisor.get("/devices/R1/track", params={**PERIOD, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.text.startswith(
        "device,sid,seq,fix_time,received_at,lat,lon,alt_m,speed_mps,course_deg,accuracy_m,fix,sat,bds,hdop,late\r\n"
    )
    assert [int(row["seq"]) for row in rows] == list(range(1, 41))
    assert {row["device"] for row in rows} == {"R1"}
    assert {row["speed_mps"] for row in rows} == {"1.1"}
    [line] = (await supervisor.get("/devices/R1/track", params=PERIOD)).json()["features"]
    moments = [datetime.fromisoformat(row["fix_time"]).timestamp() * 1000 for row in rows]
    assert (line["properties"]["times_ms"], set(line["properties"]["speeds_mps"])) == (moments, {1.1})
    gpx = (await supervisor.get("/devices/R1/track", params={**PERIOD, "format": "gpx"})).text
    assert gpx.count("<trkpt") == 40


async def test_csv_says_the_same_whether_the_database_or_the_program_writes_it(
    platform: Platform, tmp_path: Path
) -> None:
    await add_track(platform, 20, gap_after=10)
    await platform.sql(
        "update position set lat = lat + 0.01 * random(), lon = lon + 0.01 * random(),"
        " fix_at = fix_at + seq * interval '1.000001 s', alt_m = 3.1 * seq, hdop = nullif(seq, 7),"
        " bds = nullif(seq, 8), late = seq > 9"
    )
    supervisor = await platform.sign_in("supervisor")
    read = []
    # A micrometre leaves out nothing, but what it leaves in goes through the program.
    for tolerance_m in (0, 1e-6):
        params = {**PERIOD, "format": "csv", "tolerance_m": tolerance_m}
        path = tmp_path / f"{tolerance_m}.csv"
        path.write_bytes((await supervisor.get("/devices/R1/track", params=params)).content)
        read.append(read_track(path))
    assert read[0] == read[1]
    assert len(read[0]) == 20


async def test_a_track_comes_as_gpx_kml_and_as_a_page_that_loads_nothing(platform: Platform) -> None:
    await add_track(platform, 20)
    supervisor = await platform.sign_in("supervisor")
    gpx = await supervisor.get("/devices/R1/track", params={**PERIOD, "format": "gpx"})
    points = ET.fromstring(gpx.text).iter("{http://www.topografix.com/GPX/1/1}trkpt")
    assert len(list(points)) == 20
    kml = await supervisor.get("/devices/R1/track", params={**PERIOD, "format": "kml"})
    assert kml.headers["content-type"] == "application/vnd.google-earth.kml+xml"
    assert kml.text.count("<when>") == 20
    page = await supervisor.get("/devices/R1/track", params={**PERIOD, "format": "html"})
    assert "attachment" in page.headers["content-disposition"]
    assert 'src="http' not in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"to": "2026-05-03T00:00:00Z"},
        {"to": "2026-03-01T00:00:00Z"},
        {"from": "2026-03-02T00:00:00"},
        {"format": "shp"},
        {"tolerance_m": "-1"},
        {"tolerance_m": "nan"},
    ],
)
async def test_a_track_without_sensible_bounds_is_refused(platform: Platform, change: dict[str, str]) -> None:
    supervisor = await platform.sign_in("supervisor")
    assert (await supervisor.get("/devices/R1/track", params={**PERIOD, **change})).status_code == 422


async def test_events_come_newest_first_and_page_by_key(platform: Platform) -> None:
    await platform.sql(
        "insert into event (device_id, at, received_at, sid, seq, type, payload, late)"
        " select 1, %(day)s + make_interval(secs => n / 2), %(day)s, 1, n, 'mark', '{}', false"
        " from generate_series(0, 4) n",
        {"day": DAY},
    )
    dispatcher = await platform.sign_in("dispatcher")
    first = (await dispatcher.get("/devices/R1/events", params={**PERIOD, "limit": 3})).json()
    rest = (await dispatcher.get("/devices/R1/events", params={**PERIOD, "limit": 3, "after": first["next"]})).json()
    ids = [event["id"] for event in first["items"] + rest["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["next"]) == (5, None)
    assert (await dispatcher.get("/devices/R1/events")).json()["items"] == []


async def test_the_first_to_acknowledge_an_alarm_wins_and_the_second_gets_it_as_it_is(platform: Platform) -> None:
    await platform.sql(
        "insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at)"
        " values (1, 1, 'sos', 3, 1, 1, now(), now())"
    )
    first, second = await platform.sign_in("dispatcher"), await platform.sign_in("dispatcher")
    [alarm] = (await first.get("/alarms")).json()["items"]
    assert (alarm["state"], alarm["officer"]["name"], alarm["unit"]["name"]) == ("new", "王小明", "东街中队")
    won = (await first.post(f"/alarms/{alarm['id']}/acknowledge")).json()
    lost = (await second.post(f"/alarms/{alarm['id']}/acknowledge")).json()
    assert won == lost
    assert won["state"] == "acknowledged"
    closed = (await second.post(f"/alarms/{alarm['id']}/resolve", json={"note": "已处置"})).json()
    assert (closed["state"], closed["note"], closed["acknowledged_by"]) == (
        "resolved",
        "已处置",
        won["acknowledged_by"],
    )
    assert (await first.post(f"/alarms/{alarm['id']}/false", json={})).json() == closed
    assert (await first.get("/alarms")).json()["items"] == []
    assert len((await first.get("/alarms", params={"state": "closed"})).json()["items"]) == 1


@pytest.mark.parametrize(
    ("text", "says", "reason"),
    [
        (b"serial,vendor\nS1,Xunlu\n", "columns", "csv-columns"),
        ("serial,vendor,model,unit\nS 1,Xunlu,M,东街中队\n".encode(), "Row 2, serial", "string_pattern_mismatch"),
        ("serial,vendor,model,unit\nS1,Xunlu,M,没有中队\n".encode(), "Row 2: there is no unit", "no-such-unit"),
        ("serial,vendor,model,unit,officer_number\nS1,Xunlu,M,东街中队,X\n".encode(), "no officer", "no-such-officer"),
        (b"\xff\xfe\x00", "UTF-8", "csv"),
    ],
)
async def test_an_imported_list_is_taken_whole_or_not_at_all(
    platform: Platform, text: bytes, says: str, reason: str
) -> None:
    clerk = await platform.sign_in("clerk")
    good = "serial,vendor,model,unit\nS9,Xunlu,M,东街中队\n".encode()
    assert (await clerk.post("/expected-devices", content=good)).json() == {"imported": 1}
    answer = await clerk.post("/expected-devices", content=text)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert [error["reason"] for error in answer.json()["errors"]] == [reason]
    listed = (await clerk.get("/expected-devices")).json()["items"]
    assert [each["serial"] for each in listed] == ["S9"]
    assert (await clerk.request("DELETE", "/expected-devices/Xunlu/S9")).status_code == 204
    assert (await clerk.request("DELETE", "/expected-devices/Xunlu/S9")).status_code == 404


async def test_retention_tells_what_a_dry_run_would_erase(platform: Platform) -> None:
    await add_track(platform, 10)
    administrator = await platform.sign_in("administrator")
    rule = {"keep_days": 30, "enabled": True}
    assert (await administrator.put("/retention/position", json=rule)).json()["last_run"] is None
    run = (await administrator.post("/retention/position/dry-run")).json()
    assert (run["dry_run"], run["rows_affected"] in (0, 10)) == (True, True)
    rules = (await administrator.get("/retention")).json()["items"]
    shown = next(each for each in rules if each["subject"] == "position")
    assert shown["last_run"]["rows_affected"] == run["rows_affected"]


async def test_the_system_page_names_versions_sizes_and_what_was_refused(platform: Platform) -> None:
    await platform.sql(
        "insert into dead_letter (topic, reason, message, payload) values ('t', 'json', 'not JSON', '\\x7b')"
    )
    administrator = await platform.sign_in("administrator")
    system = (await administrator.get("/system")).json()
    assert system["versions"]["timescaledb"]
    assert system["checks"] == {}
    assert system["lags"]["devices_pending"] == 1
    assert system["refused"][0]["reason"] == "json"
    assert {table["name"] for table in system["tables"]}
    [letter] = (await administrator.get("/dead-letters")).json()["items"]
    assert (letter["reason"], letter["bytes"]) == ("json", 1)


async def test_rollups_tell_how_many_hours_are_still_due(platform: Platform) -> None:
    hour, due = DAY.isoformat(), (DAY + timedelta(hours=1)).isoformat()
    await platform.sql(
        "insert into position_hour (device_id, hour, fixes, late_fixes, first_fix_at, last_fix_at, distance_m,"
        " moving_s, lat_min, lat_max, lon_min, lon_max)"
        f" values (1, '{hour}', 720, 0, '{hour}', '{hour}', 900, 800, 31, 32, 121, 122);"
        f"insert into position_hour_due values (1, '{due}')"
    )
    dispatcher = await platform.sign_in("dispatcher")
    hours = (await dispatcher.get("/rollups", params={**PERIOD, "did": "R1"})).json()
    assert (hours["items"][0]["fixes"], hours["hours_due"], hours["next"]) == (720, 1, None)


async def test_the_map_is_served_in_ranges_and_its_places_are_found_by_pinyin(
    database: TestDatabase, broker: TestBroker, tmp_path: Path
) -> None:
    described = {
        "name": "示范区", "attribution": "演示", "bounds": [121, 31, 122, 32], "center": [121.5, 31.5],
        "source": {"type": "pmtiles", "layers": []},
    }  # fmt: skip
    place = {
        "name": "人民广场",
        "name_en": "",
        "kind": "square",
        "pinyin": "ren min guang chang",
        "lat": 31.2,
        "lon": 121.4,
    }
    (tmp_path / "map.json").write_text(json.dumps(described))
    (tmp_path / "places.json").write_text(json.dumps([place]))
    (tmp_path / "basemap.pmtiles").write_bytes(bytes(range(100)))
    (tmp_path / "source.json").write_text("{}")
    async with running_platform(database, broker, map=tmp_path) as platform:
        officer = await platform.sign_in("dispatcher")
        assert (await officer.get("/map")).json()["name"] == "示范区"
        for text in ("广场", "renmin", "rmgc"):
            assert [each["name"] for each in (await officer.get("/places", params={"q": text})).json()["items"]] == [
                "人民广场"
            ]
        headers = {"Authorization": f"Bearer {officer.token}", "Range": "bytes=10-19"}
        part = await platform.client.get("/map/basemap.pmtiles", headers=headers)
        assert (part.status_code, part.content, "etag" in part.headers) == (206, bytes(range(10, 20)), True)
        for hidden in ("source.json", "..%2Fsource.json", "%2e%2e"):
            assert (await platform.client.get(f"/map/{hidden}", headers=headers)).status_code == 404
        assert (await platform.client.get("/map/basemap.pmtiles")).status_code == 401


async def test_the_system_page_judges_the_processes_of_each_name(platform: Platform) -> None:
    administrator = await platform.sign_in("administrator")

    async def checks() -> dict[str, tuple[bool, int, int]]:
        told = (await administrator.get("/system")).json()["checks"]
        return {name: (one["ok"], one["online"], one["offline"]) for name, one in told.items()}

    await platform.sql("insert into server_watch default values")
    await platform.sql(
        "insert into server_state (host, at, online) values"
        " ('ingest-1@old', now() - interval '2 h', false), ('ingest-1@a', now() - interval '1 h', true),"
        " ('ingest-2@a', now() - interval '1 h', false), ('ptt@a', now(), false), ('jobs@a', now(), true)"
    )
    assert await checks() == {"ingest": (True, 1, 1), "jobs": (True, 1, 0), "ptt": (False, 0, 1)}
    await platform.sql("update server_watch set since = now() - interval '1 h', until = now() - interval '1 min'")
    assert (await checks())["jobs"] == (False, 0, 1), "nobody else says that jobs are gone"
    await platform.sql(
        "update device_state set availability = 'online', changed_at = now() - interval '10 min';"
        " insert into device_state (device_id, availability, changed_at)"
        " select id, 'online', now() - interval '10 min' from device on conflict do nothing"
    )
    assert not (await checks())["ingest"][0], "devices are there and nothing was stored"
