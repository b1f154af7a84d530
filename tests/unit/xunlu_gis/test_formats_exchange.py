"""Tracks out to a file and in again, whatever the format, and files that mean harm."""

import csv
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from xml.etree import ElementTree as ET

import gpxpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.xunlu_gis.tracks import START, track_at
from xunlu_gis.datum import wgs84_to_bd09, wgs84_to_gcj02
from xunlu_gis.errors import TrackError
from xunlu_gis.formats import (
    datum_named,
    parse_tracks,
    read,
    to_geojson,
    write_csv,
    write_geojson,
    write_gpx,
    write_kml,
)
from xunlu_gis.track import Track, TrackPoint

WALK = track_at([(0, 0), (6, 0), (12, 0), (400, 90), (406, 90)], seconds=[0, 5, 10, 1000, 1005], speed_mps=1.2)
PIECES = (WALK[:3], WALK[3:])

Writer = Callable[[str, Iterable[Sequence[TrackPoint]]], Iterator[str]]


def csv_of(device: str, pieces: Iterable[Sequence[TrackPoint]]) -> Iterator[str]:
    return write_csv(device, (point for piece in pieces for point in piece))


WRITERS: dict[str, Writer] = {".gpx": write_gpx, ".kml": write_kml, ".geojson": write_geojson, ".csv": csv_of}

numbers = st.none() | st.floats(-1e6, 1e6)
counts = st.none() | st.integers(0, 60)
times = st.integers(0, 10**15).map(lambda us: START + timedelta(microseconds=us))
points = st.builds(
    TrackPoint,
    sid=st.integers(0, 2**63),
    seq=st.integers(0, 2**63),
    fix_time=times,
    received_at=times,
    lat=st.floats(1e-9, 90),
    lon=st.floats(-180, 180),
    alt_m=numbers,
    speed_mps=numbers,
    course_deg=numbers,
    accuracy_m=numbers,
    fix=st.none() | st.integers(0, 8),
    sat=counts,
    bds=counts,
    hdop=numbers,
    late=st.booleans(),
)
tracks = st.lists(points, min_size=1, max_size=6, unique_by=lambda p: p.fix_time).map(
    lambda found: sorted(found, key=lambda p: p.fix_time)
)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.sampled_from(
    ["=1+1", "-2", "+x", "@SUM(A1)", "\tx", "'=x", "''", "'", "</name><!--", "]]>&amp;", '"', "周敏 016", "a,b;c"]
)


def one(suffix: str, text: str | bytes, **more: object) -> list[TrackPoint]:
    (found,) = parse_tracks(f"x{suffix}", text.encode() if isinstance(text, str) else text, **more)  # type: ignore[arg-type]
    return found.points


@pytest.mark.parametrize("suffix", WRITERS)
@settings(deadline=None)
@given(track=tracks, name=names, cut=st.integers(1, 5))
def test_what_goes_out_comes_in_again(suffix: str, track: list[TrackPoint], name: str, cut: int) -> None:
    pieces = [piece for piece in (track[:cut], track[cut:]) if piece]
    (found,) = parse_tracks(f"x{suffix}", "".join(WRITERS[suffix](name, pieces)).encode())
    assert found.points == track
    assert found.name == name
    assert found.pieces == ((0,) if suffix == ".csv" or len(pieces) == 1 else (0, cut))
    assert (found.datum, found.left_out, found.paced) == ("WGS-84", 0, False)


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_track_of_nothing_is_a_file_without_a_position(suffix: str) -> None:
    with pytest.raises(TrackError, match="no position"):
        parse_tracks(f"x{suffix}", "".join(WRITERS[suffix]("rec-1", [])).encode())


def test_strangers_read_our_gpx_and_kml() -> None:
    document = gpxpy.parse("".join(write_gpx("rec-1", PIECES)))
    assert document.version == "1.1"
    assert [len(segment.points) for segment in document.tracks[0].segments] == [3, 2]
    assert document.tracks[0].name == "rec-1"
    space = {"k": "http://www.opengis.net/kml/2.2", "g": "http://www.google.com/kml/ext/2.2"}
    root = ET.fromstring("".join(write_kml("rec-1", PIECES)))
    found = root.findall(".//g:Track", space)
    assert [(len(track.findall("k:when", space)), len(track.findall("g:coord", space))) for track in found] == [
        (3, 3),
        (2, 2),
    ]


def test_a_control_character_in_a_name_does_not_spoil_the_document() -> None:
    for suffix in (".gpx", ".kml"):
        (found,) = parse_tracks(f"x{suffix}", "".join(WRITERS[suffix]("a\0\x1b\ufffeb", PIECES)).encode())
        assert found.name == "a\ufffd\ufffd\ufffdb"


def test_names_that_look_like_formulas_are_disarmed_and_numbers_are_not() -> None:
    west = [WALK[0]._replace(lon=-0.25, alt_m=-4.5)]
    for name in ("=cmd|'/c calc'!A0", "+1", "-1", "@x", "\tx", "\rx", "'=x"):
        _, cells = csv.reader(io.StringIO("".join(write_csv(name, west)), newline=""))
        assert cells[0] == f"'{name}"
        assert "-0.25" in cells
        assert "-4.5" in cells
    assert next(csv.reader(io.StringIO("".join(write_csv("'quoted'", west)).partition("\n")[2])))[0] == "'quoted'"


KML = """<?xml version="1.0" encoding="GBK"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<Placemark><name>巡线</name><LineString><coordinates>121.5,31.2,4 121.501,31.2,4
121.502,31.2</coordinates></LineString></Placemark></Folder></Document></kml>"""


def test_a_stranger_s_line_of_kml_is_walked_at_an_officer_s_pace() -> None:
    (found,) = parse_tracks("x.kml", KML.encode("gbk"))
    assert [(p.lon, p.lat, p.alt_m) for p in found.points] == [
        (121.5, 31.2, 4),
        (121.501, 31.2, 4),
        (121.502, 31.2, None),
    ]
    assert found.name == "巡线"
    assert found.paced


def test_points_of_kml_with_a_time_are_a_track() -> None:
    marks = "".join(
        f"<Placemark><Point><coordinates>121.5,31.{n}</coordinates></Point>"
        f"<TimeStamp><when>2026-03-01T08:00:0{n}Z</when></TimeStamp></Placemark>"
        for n in (2, 1)
    )
    found = one(".kml", f"<kml><Document>{marks}<Placemark/></Document></kml>")
    assert [(p.lat, p.fix_time) for p in found] == [
        (31.1, START + timedelta(seconds=1)),
        (31.2, START + timedelta(seconds=2)),
    ]


def test_times_beside_the_coordinates_of_a_stranger_s_geojson_are_understood() -> None:
    line = '{"type":"LineString","coordinates":[[121.5,31.2,3],[121.6,31.3,4]]}'
    found = one(
        ".geojson",
        f'{{"type":"Feature","properties":{{"coordTimes":["2026-03-01T08:00:00Z","2026-03-01T16:00:05+08:00"]}},'
        f'"geometry":{line}}}',
    )
    assert [(p.lon, p.alt_m, p.fix_time) for p in found] == [
        (121.5, 3, START),
        (121.6, 4, START + timedelta(seconds=5)),
    ]
    assert len(one(".json", line)) == 2


def test_what_the_api_answers_as_geojson_comes_in_again_without_its_gaps() -> None:
    lone = track_at([(500, 90)], seconds=[3000], speed_mps=0)
    (found,) = parse_tracks("x.geojson", json.dumps(to_geojson(Track.of_points([*WALK, *lone]))).encode())
    assert [(p.lon, p.lat, p.fix_time, p.speed_mps) for p in found.points] == [
        (p.lon, p.lat, p.fix_time, p.speed_mps) for p in (*WALK, *lone)
    ]
    assert found.pieces == (0, 3, 5)


def test_equal_and_reversed_times_are_put_in_order_and_nothing_is_lost() -> None:
    found = one(".csv", "lat,lon,time\n31.2,121.5,9\n31.3,121.6,9\n31.1,121.4,3\n")
    assert [p.lat for p in found] == [31.1, 31.2, 31.3]
    assert [p.seq for p in found] == [1, 2, 3]


def test_what_was_left_out_is_counted() -> None:
    text = "lat,lon,time\nnan,121,1\n0,0,2\n91,0,3\n31.2,121.5,4\n31.3,121.6,never\n31,1e999,5\n"
    (found,) = parse_tracks("x.csv", text.encode())
    assert (len(found.points), found.left_out) == (1, 5)


@pytest.mark.parametrize(
    ("spelled", "shift"),
    [("gcj02", wgs84_to_gcj02), ("GCJ-02", wgs84_to_gcj02), ("火星坐标", wgs84_to_gcj02), ("BD09", wgs84_to_bd09)],
)
def test_a_named_datum_is_taken_off_and_said(
    spelled: str, shift: Callable[[float, float], tuple[float, float]]
) -> None:
    lat, lon = shift(31.2, 121.5)
    by_file = parse_tracks("x.csv", f"lat,lon,time,datum\n{lat},{lon},1,{spelled}\n".encode())[0]
    by_caller = parse_tracks("x.csv", f"lat,lon,time\n{lat},{lon},1\n".encode(), datum_named(spelled))[0]
    for found, source in ((by_file, "file"), (by_caller, "caller")):
        assert (found.points[0].lat, found.points[0].lon) == pytest.approx((31.2, 121.5), abs=1e-8)
        assert (found.datum, found.datum_by) == (datum_named(spelled), source)


def test_a_datum_that_nobody_named_is_said_to_be_assumed_or_the_format_s() -> None:
    assert parse_tracks("x.csv", b"lat,lon,time\n31,121,1\n")[0].datum_by == "nobody"
    assert parse_tracks("x.gpx", "".join(write_gpx("d", PIECES)).encode())[0].datum_by == "format"


@pytest.mark.parametrize(
    ("name", "datum"),
    [("urn:ogc:def:crs:OGC:1.3:CRS84", "WGS-84"), ("urn:ogc:def:crs:EPSG::4490", "WGS-84"), ("EPSG:4326", "WGS-84")],
)
def test_the_datum_of_old_geojson_is_understood(name: str, datum: str) -> None:
    text = '{"type":"LineString","coordinates":[[121.5,31.2],[121.6,31.3]],"crs":{"properties":{"name":"%s"}}}'
    (found,) = parse_tracks("x.geojson", (text % name).encode())
    assert (found.datum, found.datum_by) == (datum, "file")
    with pytest.raises(TrackError, match=r"EPSG:2154.*WGS-84"):
        parse_tracks("x.geojson", (text % "EPSG:2154").encode())


def test_two_datums_in_one_file_are_refused() -> None:
    with pytest.raises(TrackError, match="mixes"):
        one(".csv", "lat,lon,time,datum\n31,121,1,gcj02\n31,121,2,wgs84\n")


LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(f"<!ENTITY a{n} '{'&a;' * 50}'>" for n in range(9)) + "]>"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{LAUGHS}<gpx>&a8;</gpx>", "entities"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx>&a;</gpx>', "entities"),
        ('<!DOCTYPE x SYSTEM "http://localhost/x.dtd"><gpx/>', "entities"),
        ("<gpx>&undefined;</gpx>", "no XML"),
        ("<a>" * 100_000, "nested deeper"),
        ("<gpx>" + "<a>" * 41 + "</a>" * 41 + "</gpx>", "nested deeper"),
        ("", "no XML"),
        ("<kml><Track><when>2026-03-01T08:00:00Z</when></Track></kml>", "1 times for 0 places"),
    ],
    ids=["laughs", "file", "dtd", "undefined", "endless", "deep", "empty", "unpaired"],
)
def test_a_bomb_of_xml_is_refused(text: str, says: str) -> None:
    for suffix in (".gpx", ".kml"):
        if suffix == ".kml" or "Track" not in text:
            with pytest.raises(TrackError, match=says):
                one(suffix, text)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", "7", "null", '{"type":"FeatureCollection","features":7}'])
def test_a_broken_geojson_is_refused(text: str) -> None:
    with pytest.raises(TrackError, match="GeoJSON"):
        one(".geojson", text)


JSON = st.recursive(
    st.sampled_from([None, True, 0, 31.2, 1e308, float("nan"), "x", "LineString", "Point", [121.5, 31.2]]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "geometry", "properties", "fix_time", "sid"]), inner)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(["LineString", "MultiLineString", "Point", 7]), JSON, JSON)
def test_any_geojson_is_read_or_refused_and_nothing_else(kind: object, coordinates: object, properties: object) -> None:
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}
    try:
        found = one(".geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    except TrackError:
        return
    assert all(-90 <= p.lat <= 90 and -180 <= p.lon <= 180 for p in found)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    for suffix, writer in WRITERS.items():
        text = "".join(writer("周敏", PIECES)).removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n')
        (found,) = parse_tracks(f"x{suffix}", text.encode(encoding))
        assert found.name == "周敏"
        assert found.points == WALK


def packed(*members: tuple[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name) if compression == zipfile.ZIP_STORED else name, content)
    return data.getvalue()


GPX = "".join(write_gpx("rec-1", PIECES))


def test_a_kmz_and_each_track_of_a_zip_are_read() -> None:
    kmz = packed(("doc.kml", "".join(write_kml("rec-1", PIECES))), ("files/icon.png", b"\x89PNG"))
    assert parse_tracks("x.kmz", kmz)[0].points == WALK
    both = parse_tracks("x.zip", packed(("a/one.gpx", GPX), ("two.csv", "lat,lon\n31,121\n"), ("readme.txt", "x")))
    assert [len(found.points) for found in both] == [5, 1]


@pytest.mark.parametrize(
    "name", ["../x.gpx", "a/../../x.gpx", "/etc/x.gpx", "C:\\x.gpx", "..\\x.gpx", "a\\..\\..\\x.gpx", "../icon.png"]
)
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(TrackError, match="leads out"):
        parse_tracks("x.zip", packed((name, GPX), compression=zipfile.ZIP_STORED))


def test_a_link_in_an_archive_is_refused() -> None:
    link = zipfile.ZipInfo("x.gpx")
    link.external_attr = 0o120777 << 16
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(TrackError, match="link"):
        parse_tracks("x.zip", data.getvalue())


def test_an_archive_that_unpacks_to_a_flood_is_refused() -> None:
    bomb = packed(("x.gpx", b"<" + b" " * 30_000_000))
    with pytest.raises(TrackError, match="200 times"):
        parse_tracks("x.zip", bomb)
    lying = bytearray(bomb)
    for header, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lying.index(header) + offset
        lying[at : at + 4] = struct.pack("<I", 1000)
    with pytest.raises(TrackError, match=r"200 times|no archive"):
        parse_tracks("x.zip", bytes(lying))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no archive"),
        (b"PK\x03\x04" + b"\0" * 40, "no archive"),
        (packed(("x.gpx", GPX))[:-30], "no archive"),
        (packed(*((f"{n}.gpx", GPX) for n in range(501))), "501 files"),
        (packed(("inner.zip", packed(("x.gpx", GPX)))), "another archive"),
        (packed(("readme.txt", "x")), "no file of a track"),
    ],
    ids=["empty", "torn", "cut", "many", "nested", "nothing"],
)
def test_an_archive_that_is_no_archive_of_tracks_says_so(data: bytes, says: str) -> None:
    with pytest.raises(TrackError, match=says):
        parse_tracks("x.zip", data)


def test_a_locked_archive_is_refused() -> None:
    data = bytearray(packed(("x.gpx", GPX)))
    for header, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(header) + offset] |= 1
    with pytest.raises(TrackError, match="password"):
        parse_tracks("x.zip", bytes(data))


@pytest.mark.timeout(300)
def test_a_million_points_are_read() -> None:
    block = "".join(f"{31 + n / 1e5},{121 + n / 1e5},{n}\n" for n in range(1, 10_001))
    (found,) = parse_tracks("x.csv", f"lat,lon,time\n{block * 100}".encode())
    assert len(found.points) == 1_000_000
    assert found.points[-1].seq == 1_000_000


def test_more_points_than_a_file_may_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "POINTS_MAX", 4)
    with pytest.raises(TrackError, match="more than 4 positions; import it in parts"):
        parse_tracks("x.gpx", GPX.encode())


@pytest.mark.parametrize("suffix", [".gpx", ".kml", ".geojson"])
def test_a_long_track_is_written_piece_by_piece(suffix: str) -> None:
    written: list[int] = []

    def pieces() -> Iterator[list[TrackPoint]]:
        for number in range(1_000):
            written.append(number)
            yield WALK[:3]

    out = WRITERS[suffix]("rec-1", pieces())
    while not written:
        next(out)
    assert len(written) == 1
    assert "".join(out)
    assert len(written) == 1_000
