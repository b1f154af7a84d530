"""Zones out to a file and in again, and shapes that strangers drew."""

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xunlu_gis.datum import wgs84_to_gcj02
from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import read_drawing
from xunlu_gis.formats import parse_zones, zones_to_geojson, zones_to_gpx, zones_to_kml

Feature = dict[str, Any]

positions = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
lines = st.lists(positions, min_size=2, max_size=4)
rings = st.lists(positions, min_size=3, max_size=5).map(lambda ring: [*ring, ring[0]])
polygons = st.lists(rings, min_size=1, max_size=2)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.sampled_from(
    ["30", "null", "NaN", '"x"', "[1]", "]]>", "<b>", "&amp;", "a\nb"]
)
values = (
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
properties = st.dictionaries(st.text('abc_中"<&', min_size=1, max_size=6), values, max_size=3)


def feature(kind: str, coordinates: object, named: str, more: Feature) -> Feature:
    return {
        "type": "Feature",
        "properties": {**more, "name": named},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def drawn(
    kind: str, coordinates: st.SearchStrategy[Any], **sizes: st.SearchStrategy[float]
) -> st.SearchStrategy[Feature]:
    more = st.tuples(properties, st.fixed_dictionaries(sizes)).map(lambda parts: parts[0] | parts[1])
    return st.builds(feature, st.just(kind), coordinates, texts, more)


corridor = drawn("LineString", lines, width_m=st.floats(5, 500)) | drawn("LineString", lines)
circle = drawn("Point", positions, radius_m=st.integers(5, 500))
area = drawn("Polygon", polygons) | drawn("MultiPolygon", st.lists(polygons, min_size=1, max_size=2))


@settings(deadline=None)
@given(st.lists(corridor | circle | area, min_size=1, max_size=3))
def test_zones_that_go_out_as_geojson_or_kml_come_in_again(features: list[Feature]) -> None:
    for name, text in (("x.geojson", zones_to_geojson(features)), ("x.kml", zones_to_kml(features))):
        found = parse_zones(name, text.encode())
        assert found.features == features
        assert (found.datum, found.datum_by, found.left_out) == ("WGS-84", "format", 0)


@settings(deadline=None)
@given(st.lists(corridor, min_size=1, max_size=3))
def test_patrol_lines_that_go_out_as_gpx_come_in_again(features: list[Feature]) -> None:
    assert parse_zones("x.gpx", zones_to_gpx(features).encode()).features == features


SQUARE = [[121.47, 31.22], [121.48, 31.22], [121.48, 31.23], [121.47, 31.23], [121.47, 31.22]]


def test_an_area_stays_out_of_gpx_and_several_lines_come_back_as_as_many_corridors() -> None:
    several = feature("MultiLineString", [SQUARE[:2], SQUARE[2:4]], "巡线", {"width_m": 30.0})
    parts = [feature("LineString", line, "巡线", {"width_m": 30.0}) for line in (SQUARE[:2], SQUARE[2:4])]
    whole = [feature("Polygon", [SQUARE], "责任区", {}), several]
    assert parse_zones("x.gpx", zones_to_gpx(whole).encode()).features == parts
    assert parse_zones("x.kml", zones_to_kml(whole).encode()).features == [whole[0], *parts]
    assert parse_zones("x.geojson", zones_to_geojson(whole).encode()).features == [whole[0], *parts]


def test_a_stranger_s_kml_gives_polygons_with_holes_lines_and_what_was_left_out() -> None:
    ring = "<LinearRing><coordinates>{}</coordinates></LinearRing>"
    outer = ring.format(" ".join(f"{lon},{lat},0" for lon, lat in SQUARE))
    hole = ring.format("121.472,31.222 121.475,31.222 121.475,31.225 121.472,31.222")
    text = f"""<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><Placemark><name>外滩</name>
      <Polygon><innerBoundaryIs>{hole}</innerBoundaryIs><outerBoundaryIs>{outer}</outerBoundaryIs></Polygon></Placemark>
      <Placemark><LineString><coordinates>121.47,31.22
        121.48,31.23</coordinates></LineString></Placemark>
      <Placemark><Point><coordinates>121.47,31.22</coordinates></Point></Placemark></Folder></Document></kml>"""
    found = parse_zones("x.kml", text.encode())
    first, second = found.features
    assert first["geometry"]["coordinates"][0] == SQUARE
    assert len(first["geometry"]["coordinates"]) == 2
    assert first["properties"] == {"name": "外滩"}
    assert second["geometry"] == {"type": "LineString", "coordinates": [[121.47, 31.22], [121.48, 31.23]]}
    assert found.left_out == 1
    assert read_drawing(first).shape.area_m2 > 900_000


def test_each_piece_of_a_track_is_a_line() -> None:
    point = '<trkpt lat="31.{}" lon="121.5"><name>p</name></trkpt>'
    pieces = "".join(f"<trkseg>{point.format(n)}{point.format(n + 1)}</trkseg>" for n in (1, 3))
    found = parse_zones("x.gpx", f"<gpx><trk><name>夜巡</name>{pieces}</trk></gpx>".encode())
    assert [one["properties"] for one in found.features] == [{"name": "夜巡"}] * 2
    assert found.features[1]["geometry"]["coordinates"] == [[121.5, 31.3], [121.5, 31.4]]


def test_an_open_ring_is_closed_and_several_lines_are_as_many_corridors() -> None:
    found = parse_zones("x.json", json.dumps({"type": "Polygon", "coordinates": [SQUARE[:-1]]}).encode())
    assert found.features[0]["geometry"]["coordinates"] == [SQUARE]
    assert found.features[0]["properties"] == {"name": ""}
    both = parse_zones("x.json", json.dumps({"type": "MultiLineString", "coordinates": [SQUARE, SQUARE]}).encode())
    assert len(both.features) == 2


def test_another_datum_is_taken_off_and_said() -> None:
    shifted = [list(wgs84_to_gcj02(lat, lon))[::-1] for lon, lat in SQUARE]
    text = json.dumps({"type": "Polygon", "coordinates": [shifted]}).encode()
    found = parse_zones("x.geojson", text, "GCJ-02")
    assert (found.datum, found.datum_by) == ("GCJ-02", "caller")
    (ring,) = found.features[0]["geometry"]["coordinates"]
    assert [pytest.approx(place, abs=1e-8) for place in SQUARE] == ring
    stated = json.dumps({"type": "FeatureCollection", "datum": "gcj02", "features": [
        {"type": "Feature", "properties": {"radius_m": 30}, "geometry": {"type": "Point", "coordinates": shifted[0]}}
    ]}).encode()  # fmt: skip
    found = parse_zones("x.geojson", stated)
    assert found.datum_by == "file"
    assert found.features[0]["geometry"]["coordinates"] == pytest.approx(SQUARE[0], abs=1e-8)


def packed(*members: tuple[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def test_archives_are_read_together() -> None:
    square = [feature("Polygon", [SQUARE], "a", {})]
    data = packed(("doc.kml", zones_to_kml(square)), ("b.geojson", zones_to_geojson(square)), ("x.png", ""))
    assert parse_zones("x.zip", data).features == square * 2
    with pytest.raises(ZoneError, match="leads out"):
        parse_zones("x.kmz", packed(("../doc.kml", zones_to_kml(square))))


MANY = json.dumps({"type": "Polygon", "coordinates": [[[121 + n / 1e6, 31] for n in range(200_001)]]})
CROWD = json.dumps({"type": "FeatureCollection", "features": [{}] * 5_001})


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.shp", "", "neither"),
        ("x.geojson", "{", "no GeoJSON"),
        ("x.geojson", "[" * 100_000, "no GeoJSON"),
        ("x.geojson", '{"type":"FeatureCollection","features":[]}', "no zone"),
        ("x.geojson", '{"type":"Polygon","coordinates":[]}', "no coordinates"),
        ("x.geojson", '{"type":"Polygon","coordinates":[[[1,2],[3,4]]]}', "only 3 places"),
        ("x.geojson", '{"type":"LineString","coordinates":[[1,2]]}', "only 1 places"),
        ("x.geojson", '{"type":"LineString","coordinates":[[31.2,121.5],[31.3,121.6]]}', "longitude, then latitude"),
        ("x.geojson", '{"type":"LineString","coordinates":[[NaN,1],[1,2]]}', "is no place"),
        ("x.geojson", '{"type":"LineString","coordinates":[["1","2"],{}]}', "is no place"),
        ("x.geojson", '{"type":"GeometryCollection","coordinates":[1]}', "no zone"),
        ("x.geojson", MANY, "200000 places"),
        ("x.geojson", CROWD, "5000 shapes"),
        ("x.kml", "<kml><Placemark><Polygon/></Placemark></kml>", "no coordinates"),
        ("x.kml", '<!DOCTYPE a [<!ENTITY b "c">]><kml>&b;</kml>', "entities"),
        ("x.gpx", '<gpx><rte><rtept lat="x"/><rtept/></rte></gpx>', "is no place"),
        ("x.gpx", "<gpx><trk><trkseg/></trk></gpx>", "no zone"),
        ("x.zip", "PK", "no archive"),
    ],
)
def test_what_is_no_zone_says_so(name: str, text: str, says: str) -> None:
    with pytest.raises(ZoneError, match=says):
        parse_zones(name, text.encode())


JSON = st.recursive(
    st.sampled_from([None, True, 0, 31.2, float("nan"), "x", [121.5, 31.2]]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "radius_m", "name"]), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "MultiLineString", 7]), JSON, JSON)
def test_any_shape_is_read_or_refused_and_nothing_else(kind: object, coordinates: object, properties: object) -> None:
    text = {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}
    try:
        found = parse_zones("x.geojson", json.dumps(text).encode())
    except ZoneError:
        return
    assert zones_to_geojson(found.features)
