"""Zones over the interface: who may draw what for whom, what a drawing or a file comes to, and who was there."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform, running_platform
from tests.integration.review_rig import BUREAU, walk
from tests.services import TestBroker, TestDatabase
from xunlu_gis.datum import wgs84_to_gcj02

pytestmark = pytest.mark.integration

Place = tuple[float, float]

LAT = 31.23
WORKDAY = {"from": "2026-03-02T07:00:00Z", "to": "2026-03-02T10:00:00Z"}


def at(hour: float) -> float:
    """Longitude of the walker of the rig at an hour UTC."""
    return 121.47 + hour * 3600 * 0.0000126


def polygon(corners: Sequence[Place]) -> dict[str, Any]:
    ring = [*map(list, corners), list(corners[0])]
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def block(west: float, east: float, south: float = LAT - 0.001, north: float = LAT + 0.001) -> dict[str, Any]:
    return polygon([(west, south), (east, south), (east, north), (west, north)])


BLOCK = block(121.47, 121.48)
# Follows the only area of the map, as somebody draws it who reads places off a Chinese map service.
OUTLINE: list[Place] = [(121.80, 31.23), (121.82, 31.23), (121.82, 31.25), (121.80, 31.25)]


def streets() -> Iterator[dict[str, Any]]:
    """One along the way of the walker, one that turns off to the north where they are at half past seven."""
    ways = {"东大街": [(at(7), LAT), (at(7.5), LAT), (at(8), LAT)], "北巷": [(at(7.5), LAT), (at(7.5), LAT + 0.004)]}
    for name, way in ways.items():
        line = {"type": "LineString", "coordinates": way}
        yield {"type": "Feature", "properties": {"name": name, "class": "residential"}, "geometry": line}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    area = {**polygon(OUTLINE), "properties": {"name": "东街道"}}
    files = {"streets.geojson": list(streets()), "areas.geojson": [area]}
    for name, features in files.items():
        (tmp_path / name).write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return tmp_path


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker, bundle: Path) -> AsyncIterator[Platform]:
    async with running_platform(database, broker, map=bundle) as running:
        await running.sql(BUREAU)
        yield running


async def drawn(caller: Caller, **more: Any) -> Any:
    return await caller.post("/zones", json={"unit_id": 2, "kind": "post", "name": "外滩", "shape": BLOCK, **more})


async def stood(platform: Platform, shape: dict[str, Any], **version: Any) -> int:
    """A zone of the first squad that was in force on the day of the walk."""
    [[number]] = await platform.sql("insert into zone (unit_id, kind, name) values (2, 'post', '外滩') returning id")
    await platform.sql(
        "insert into zone_version (zone_id, shape, valid_from, window_from, window_to) values (%s, %s, %s, %s, %s)",
        [number, json.dumps(shape), "2026-03-01Z", version.get("window_from"), version.get("window_to")],
    )
    return int(number)


async def test_a_zone_is_drawn_changed_and_ended_and_keeps_what_it_was(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher", unit=2)
    made = await drawn(caller, window_from="22:00", window_to="06:00", weekdays=[5, 6], officers=[1])
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    changed = await caller.put(f"/zones/{number}", json={"name": "外滩北", "shape": block(121.47, 121.49)})
    assert (changed.json()["name"], changed.json()["window_from"], changed.json()["officers"]) == ("外滩北", None, [])
    versions = (await caller.get(f"/zones/{number}/versions")).json()
    assert [(one["window_from"], one["valid_to"] is None) for one in versions] == [(None, True), ("22:00", False)]
    assert (await caller.request("DELETE", f"/zones/{number}")).status_code == 204
    assert (await caller.get("/zones")).json()["items"] == []
    assert len((await caller.get(f"/zones/{number}/versions")).json()) == 2
    actions = await platform.sql("select action from audit where action like 'zone.%%' order by id", [])
    assert actions == [("zone.create",), ("zone.change",), ("zone.end",)]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"unit_id": 3}, "unit_id"),
        ({"units": [3]}, "units"),
        ({"officers": [3]}, "officers"),
        ({"window_from": "08:00"}, "window_to"),
        ({"weekdays": [1]}, "weekdays"),
        ({"shape": {"type": "Feature", "geometry": None}}, "shape"),
        ({"name": ""}, "body.name"),
    ],
)
async def test_a_zone_for_others_or_of_nothing_is_refused(platform: Platform, more: Any, field: str) -> None:
    answer = await drawn(await platform.sign_in("dispatcher", unit=2), **more)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_nobody_sees_or_changes_a_zone_of_others(platform: Platform) -> None:
    number = (await drawn(await platform.sign_in("dispatcher", unit=2))).json()["id"]
    stranger = await platform.sign_in("dispatcher", unit=3)
    assert (await stranger.get("/zones")).json()["items"] == []
    assert (await stranger.get("/zones.geojson")).json()["features"] == []
    for path in ("versions", "presence", "coverage"):
        assert (await stranger.get(f"/zones/{number}/{path}", params=WORKDAY)).status_code == 404
    body = {"name": "x", "shape": BLOCK}
    assert (await stranger.put(f"/zones/{number}", json=body)).status_code == 404
    assert (await stranger.request("DELETE", f"/zones/{number}")).status_code == 404
    officer = await platform.sign_in("officer", unit=2, officer=1)
    assert (await officer.put(f"/zones/{number}", json=body)).status_code == 403
    assert (await officer.get(f"/zones/{number}/presence", params=WORKDAY)).status_code == 403


async def checked(platform: Platform, shape: Any) -> Any:
    return await (await platform.sign_in("dispatcher")).post("/zones/check", json={"shape": shape})


async def test_a_drawing_that_crosses_itself_is_repaired_before_it_is_saved(platform: Platform) -> None:
    bow = polygon([(121.47, 31.23), (121.48, 31.24), (121.48, 31.23), (121.47, 31.24)])
    told = (await checked(platform, bow)).json()
    assert told["shape"]["geometry"]["type"] == "MultiPolygon"
    assert [doubt["code"] for doubt in told["doubts"]] == ["repaired"]
    assert told["area_m2"] == pytest.approx(950 * 1110 / 2, rel=0.02)


@pytest.mark.parametrize(
    "shape",
    [
        block(100, 120, 25, 35),
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1e999, 0], [1, 1], [2, 2], [1e999, 0]]]}},
        {
            "type": "Feature",
            "properties": {"radius_m": -5},
            "geometry": {"type": "Point", "coordinates": [121.4, 31.2]},
        },
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": "{0.__class__}"}},
    ],
)
async def test_what_can_be_no_zone_is_refused_with_what_to_do(platform: Platform, shape: Any) -> None:
    caller = await platform.sign_in("dispatcher")
    headers = {"Content-Type": "application/json"}
    answer = await caller.post("/zones/check", content=json.dumps({"shape": shape}), headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] in {"shape", "body.shape"}


async def test_a_drawing_from_a_shifted_map_is_told_by_our_own_map(platform: Platform) -> None:
    shifted = [wgs84_to_gcj02(lat, lon)[::-1] for lon, lat in OUTLINE]
    assert [one["code"] for one in (await checked(platform, polygon(shifted))).json()["doubts"]] == ["gcj02"]
    assert (await checked(platform, polygon(OUTLINE))).json()["doubts"] == []


async def imported(platform: Platform, name: str, data: bytes, **more: Any) -> Any:
    caller = await platform.sign_in("dispatcher")
    return await caller.post("/zones/import", params={"name": name, **more}, content=data)


KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>{name}</name>
<Polygon><outerBoundaryIs><LinearRing><coordinates>121.47,31.23 121.48,31.23 121.48,31.24 121.47,31.23</coordinates>
</LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""


async def test_a_file_is_shown_before_anything_is_saved(platform: Platform) -> None:
    features = [{**BLOCK, "properties": {"name": "好"}}, {**block(100, 120, 25, 35), "properties": {"name": "太大"}}]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    told = (await imported(platform, "zones.geojson", data)).json()
    assert [(one["name"], one["problem"] is None) for one in told["items"]] == [("好", True), ("太大", False)]
    assert (told["datum"], told["datum_by"]) == ("WGS-84", "format")
    assert await platform.sql("select count(*) from zone") == [(0,)]


async def test_a_file_in_another_datum_is_converted_when_somebody_says_so(platform: Platform) -> None:
    data = KML.format(name="岗").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("doc.kml", data)
    told = (await imported(platform, "zones.kmz", packed.getvalue(), datum="GCJ-02")).json()
    assert (told["datum"], told["datum_by"]) == ("GCJ-02", "caller")
    [lon, _] = told["items"][0]["checked"]["shape"]["geometry"]["coordinates"][0][0]
    assert 0.003 < 121.47 - lon < 0.006


def hostile() -> Iterator[tuple[str, bytes]]:
    bomb = '<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + KML.split("?>")[1].format(name="&b;")
    yield "entities.kml", bomb.encode()
    yield "nested.geojson", b"[" * 100_000
    yield "numbers.geojson", b'{"type":"Polygon","coordinates":[[[1e400,1],[2,2],[3,3]]]}'
    slip = io.BytesIO()
    with zipfile.ZipFile(slip, "w") as archive:
        archive.writestr("../../etc/zones.kml", KML.format(name="x"))
    yield "slip.zip", slip.getvalue()
    flood = io.BytesIO()
    with zipfile.ZipFile(flood, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", b" " * 200_000_000)
    yield "flood.kmz", flood.getvalue()
    named = io.BytesIO()
    with zipfile.ZipFile(named, "w") as archive:
        archive.writestr("岗亭.kml", KML.format(name="x"))
    yield "name.zip", named.getvalue().replace("岗".encode(), b"\xff\xff\xff")
    yield "place.geojson", b'{"type":"LineString","coordinates":["\\ud800",[121.47,31.23]]}'
    yield "zones.exe", b"MZ"
    yield "empty.gpx", b""


@pytest.mark.parametrize(("name", "data"), [pytest.param(*one, id=one[0]) for one in hostile()])
async def test_a_hostile_file_is_refused_with_what_to_do(platform: Platform, name: str, data: bytes) -> None:
    answer = await imported(platform, name, data)
    assert answer.status_code == 422, answer.text
    [told] = answer.json()["errors"]
    assert told["reason"].startswith("zone-file-") or told["reason"] == "zone-no-place"


async def test_a_radius_beyond_all_bounds_and_half_a_character_are_told(platform: Platform) -> None:
    circle = '{"type":"Feature","properties":{"name":"岗\\ud800","radius_m":%s},"geometry":%s}'
    data = circle % ("9" * 400, '{"type":"Point","coordinates":[121.47,31.23]}')
    [told] = (await imported(platform, "zones.geojson", data.encode())).json()["items"]
    assert told["name"] == "岗?"
    assert told["problem"]["reason"] == "zone-radius"


async def test_a_file_beyond_the_bound_is_not_read(platform: Platform) -> None:
    assert (await imported(platform, "zones.kml", b" " * 1_100_000)).status_code == 413


GPX = """<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="x"><trk>
<name>巡线</name><trkseg><trkpt lat="31.23" lon="121.47"/><trkpt lat="31.231" lon="121.48"/></trkseg></trk></gpx>"""


async def test_a_line_that_names_no_width_takes_the_one_that_is_given(platform: Platform) -> None:
    [bare] = (await imported(platform, "line.gpx", GPX.encode())).json()["items"]
    assert (bare["name"], bare["checked"]) == ("巡线", None)
    assert (bare["problem"]["reason"], bare["problem"]["values"]) == ("zone-width", {"least": 5, "most": 5000})
    [wide] = (await imported(platform, "line.gpx", GPX.encode(), width_m=40)).json()["items"]
    assert wide["checked"]["shape"]["properties"] == {"width_m": 40}
    named = '{"type":"Feature","properties":{"width_m":25},"geometry":{"type":"LineString","coordinates":%s}}'
    data = (named % "[[121.47,31.23],[121.48,31.23]]").encode()
    [kept] = (await imported(platform, "line.geojson", data, width_m=40)).json()["items"]
    assert kept["checked"]["shape"]["properties"] == {"width_m": 25}
    assert (await imported(platform, "line.gpx", GPX.encode(), width_m=1)).status_code == 422


@pytest.mark.parametrize("form", ["geojson", "kml"])
async def test_what_is_exported_comes_back_equal(platform: Platform, form: str) -> None:
    caller = await platform.sign_in("dispatcher")
    await drawn(caller, window_from="22:00", window_to="06:00", weekdays=[1, 5])
    circle = {
        "type": "Feature",
        "properties": {"radius_m": 80.0},
        "geometry": {"type": "Point", "coordinates": [121.47, 31.23]},
    }
    await drawn(caller, name="岗亭", shape=circle)
    file = await caller.get(f"/zones.{form}")
    told = (await imported(platform, f"zones.{form}", file.content)).json()
    assert [one["name"] for one in told["items"]] == ["外滩", "岗亭"]
    assert [one["checked"]["shape"] for one in told["items"]] == [BLOCK, circle]


async def test_patrol_lines_go_out_as_gpx_and_areas_stay(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    line = {
        "type": "Feature",
        "properties": {"width_m": 30.0},
        "geometry": {"type": "LineString", "coordinates": [[121.47, 31.23], [121.48, 31.23]]},
    }
    await drawn(caller)
    await drawn(caller, name="巡线", kind="patrol", shape=line)
    file = await caller.get("/zones.gpx")
    assert file.headers["content-disposition"] == 'attachment; filename="zones.gpx"'
    [told] = (await imported(platform, "zones.gpx", file.content)).json()["items"]
    assert (told["name"], told["checked"]["shape"]) == ("巡线", line)
    assert (await caller.get("/zones.shp")).status_code == 404


async def test_presence_is_told_by_officer_and_shift_in_local_time(platform: Platform) -> None:
    number = await stood(platform, block(at(7 + 1 / 6), at(8.5)))
    await walk(platform, 1, "07:00", seconds=7200)
    asked = {**WORKDAY, "shift": ["15:00-16:00", "16:00-18:00"]}
    caller = await platform.sign_in("dispatcher", unit=2)
    told = (await caller.get(f"/zones/{number}/presence", params=asked)).json()
    first, second = told["shifts"]
    assert told["concerned"] == 2
    assert (first["since"], first["expected_s"], second["expected_s"]) == ("2026-03-02T07:00:00Z", 3600, 7200)
    # R1 goes from the one to the other at eight, in the middle of the zone.
    assert [one["officer"]["number"] for one in first["officers"]] == ["D2001"]
    assert first["officers"][0]["dwell_s"] == pytest.approx(3000, abs=20)
    assert first["share"] == pytest.approx(3000 / 3600, abs=0.01)
    assert [one["officer"]["number"] for one in second["officers"]] == ["D2002"]
    assert second["manned_s"] == pytest.approx(1800, abs=40)
    looked = await platform.sql("select target from audit where action = 'zone.presence' order by target")
    assert looked == [("D2001",), ("D2002",)]


async def test_outside_of_its_window_a_zone_expects_nobody(platform: Platform) -> None:
    number = await stood(platform, block(at(7), at(9)), window_from="15:30", window_to="15:45")
    await walk(platform, 1, "07:00", seconds=7200)
    told = (await (await platform.sign_in("dispatcher")).get(f"/zones/{number}/presence", params=WORKDAY)).json()
    [shift] = told["shifts"]
    assert (shift["expected_s"], shift["manned_s"]) == (900, pytest.approx(900, abs=20))


async def test_coverage_is_cut_where_a_track_is(platform: Platform) -> None:
    number = await stood(platform, block(at(7), at(8)))
    await walk(platform, 1, "07:00", seconds=600)
    await walk(platform, 1, "07:50", seconds=600)
    caller = await platform.sign_in("dispatcher")
    share = (await caller.get(f"/zones/{number}/coverage", params=WORKDAY)).json()["street_share"]
    assert share == pytest.approx(1200 / 3600, abs=0.05)
    # A telephone that reports every other minute was there as well.
    await platform.sql("delete from position")
    await walk(platform, 1, "07:00", seconds=3600, step=120)
    share = (await caller.get(f"/zones/{number}/coverage", params=WORKDAY)).json()["street_share"]
    assert share == pytest.approx(1, abs=0.1)


async def test_coverage_names_the_street_that_nobody_walked(platform: Platform) -> None:
    number = await stood(platform, block(at(7), at(8), LAT - 0.002, LAT + 0.005))
    await walk(platform, 1, "07:00", seconds=3600)
    told = (await (await platform.sign_in("dispatcher")).get(f"/zones/{number}/coverage", params=WORKDAY)).json()
    assert [(street["name"], street["seen_at"]) for street in told["unseen"]] == [("北巷", None)]
    assert told["street_share"] == pytest.approx(4320 / (4320 + 444), abs=0.02)
    pieces = told["streets"]["features"]
    seen = [one["properties"]["seen_ms"] for one in pieces if one["properties"]["name"] == "东大街"]
    assert None not in seen
    assert seen == sorted(seen)
    assert await platform.sql("select count(*) from audit where action = 'zone.coverage'") == [(2,)]


async def test_coverage_counts_whoever_of_another_squad_was_rostered_in_the_zone(platform: Platform) -> None:
    number = await stood(platform, block(at(7), at(8), LAT - 0.002, LAT + 0.005))
    await walk(platform, 3, "07:00", seconds=3600)
    caller = await platform.sign_in("dispatcher")
    before = (await caller.get(f"/zones/{number}/coverage", params=WORKDAY)).json()
    await platform.sql(
        "insert into shift (officer_id, begins_at, ends_at, zone_id) values (3, %s, %s, %s)",
        [WORKDAY["from"], WORKDAY["to"], number],
    )
    after = (await caller.get(f"/zones/{number}/coverage", params=WORKDAY)).json()
    assert (before["street_share"], after["street_share"]) == (0, pytest.approx(4320 / (4320 + 444), abs=0.02))


async def test_a_time_before_the_zone_is_no_empty_answer(platform: Platform) -> None:
    number = await stood(platform, BLOCK)
    asked = {"from": "2025-01-01T00:00:00Z", "to": "2025-01-02T00:00:00Z"}
    answer = await (await platform.sign_in("dispatcher")).get(f"/zones/{number}/presence", params=asked)
    assert [one["reason"] for one in answer.json()["errors"]] == ["zone-not-yet"]
