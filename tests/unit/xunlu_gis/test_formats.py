import csv
import io
import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from pathlib import Path

import gpxpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repository import ROOT
from tests.unit.xunlu_gis.real_data import real
from tests.unit.xunlu_gis.tracks import START, track_at
from xunlu_gis.datum import wgs84_to_gcj02
from xunlu_gis.errors import MapError, TrackError
from xunlu_gis.formats import COLUMNS, playback, read_track, to_csv, to_geojson, to_gpx, write_kml
from xunlu_gis.formats.page import to_page
from xunlu_gis.formats.playback import ExplainedGap, Footage, Playback, Walked
from xunlu_gis.track import Track, TrackPoint, pieces, segments

LEAFLET = ROOT / "platform" / "xunlu_platform" / "console" / "vendor" / "leaflet-1.9.4"

WALK = track_at([(0, 0), (6, 0), (12, 0), (400, 90), (406, 90)], seconds=[0, 5, 10, 1000, 1005], speed_mps=1.2)

moments = st.integers(0, 10**15).map(lambda us: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
numbers = st.none() | st.floats(0, 300).map(lambda value: round(value, 3))
counts = st.none() | st.integers(0, 60)
point = st.builds(
    TrackPoint,
    sid=st.integers(0, 2**53),
    seq=st.integers(0, 2**53),
    fix_time=moments,
    received_at=moments,
    lat=st.floats(1, 90),
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


def test_geojson_has_a_line_for_each_segment_and_each_gap_in_order_of_time() -> None:
    features = to_geojson(Track.of_points(WALK))["features"]
    assert [feature["properties"]["kind"] for feature in features] == ["segment", "gap", "segment"]
    first = features[0]
    assert first["geometry"]["coordinates"][0] == [WALK[0].lon, WALK[0].lat]
    assert first["properties"] == {
        "kind": "segment",
        "start": START.isoformat(),
        "end": (START + timedelta(seconds=10)).isoformat(),
        "points": 3,
        "distance_m": 12.0,
        "times_ms": [int(START.timestamp() * 1000) + ms for ms in (0, 5000, 10000)],
        "speeds_mps": [1.2, 1.2, 1.2],
    }
    assert features[1]["properties"]["duration_s"] == 990


def test_every_format_is_cut_where_a_look_back_draws_nothing() -> None:
    places = [(6.0 * i, 0.0) for i in range(9)]
    seconds = [0.0, 5, 10, 15, 75, 80, 141, 146, 151]
    walk = track_at([*places, (90_000, 0), (90_006, 0)], seconds=[*seconds, 156, 161])
    track, whole = Track.of_points(walk), segments(walk)
    cut = [end - first for first, end, _ in pieces(track)]
    assert cut == [6, 3, 2]
    features = to_geojson(track)["features"]
    assert [f["properties"]["kind"] for f in features] == ["segment", "gap", "segment", "segment"]
    assert [f["properties"]["points"] for f in features if f["properties"]["kind"] == "segment"] == cut
    [gpx] = gpxpy.parse(to_gpx("rec-1", whole)).tracks
    assert [len(segment.points) for segment in gpx.segments] == cut
    kml = "".join(write_kml("rec-1", (segment.points for segment in whole.segments)))
    assert [one.count("<gx:coord>") for one in kml.split("<gx:Track>")[1:]] == cut
    assert [gap.duration_s for gap in whole.gaps] == [61]


def test_a_simplified_line_keeps_what_was_measured() -> None:
    straight = track_at([(6 * step, 0) for step in range(20)])
    (feature,) = to_geojson(Track.of_points(straight), tolerance_m=1)["features"]
    assert feature["geometry"]["coordinates"] == [[p.lon, p.lat] for p in (straight[0], straight[-1])]
    assert [len(feature["properties"][name]) for name in ("times_ms", "speeds_mps")] == [2, 2]
    assert (feature["properties"]["points"], feature["properties"]["distance_m"]) == (20, 114.0)


def test_nothing_is_a_collection_of_nothing() -> None:
    assert to_geojson(Track.of_points([]))["features"] == []


def test_a_single_fix_is_still_a_line_of_geojson() -> None:
    (feature,) = to_geojson(Track.of_points(WALK[:1]))["features"]
    assert len(feature["geometry"]["coordinates"]) == 2
    assert feature["properties"]["points"] == 1


def test_csv_begins_with_the_columns_that_others_rely_on() -> None:
    header, first, *_ = csv.reader(io.StringIO(to_csv("rec-1", WALK)))
    assert ",".join(header) == (
        "device,sid,seq,fix_time,received_at,lat,lon,alt_m,speed_mps,course_deg,accuracy_m,fix,sat,bds,hdop,late"
    )
    assert header == list(COLUMNS)
    assert first[:4] == ["rec-1", "1", "1", "2026-03-01T08:00:00+00:00"]
    assert first[-1] == "false"


@settings(deadline=None)
@given(st.lists(point, min_size=1, max_size=5, unique_by=lambda p: p.fix_time))
def test_what_csv_says_is_read_back(tmp_path_factory: pytest.TempPathFactory, points: list[TrackPoint]) -> None:
    points = sorted(points, key=lambda p: p.fix_time)
    path = tmp_path_factory.getbasetemp() / "track.csv"
    path.write_text(to_csv("d", points), "utf-8", newline="")
    assert read_track(path) == points


def test_gpx_keeps_stretches_apart_and_carries_what_the_standard_has_no_element_for(tmp_path: Path) -> None:
    points = [p._replace(alt_m=4.5, hdop=0.8, sat=21, bds=11, fix=1, received_at=p.fix_time) for p in WALK]
    text = to_gpx("rec-1", segments(points))
    document = gpxpy.parse(text)
    assert document.version == "1.1"
    assert [len(segment.points) for segment in document.tracks[0].segments] == [3, 2]
    path = tmp_path / "track.gpx"
    path.write_text(text, "utf-8")
    assert read_track(path) == points


def playback_of(title: str, points: list[TrackPoint], zone: tzinfo = UTC) -> Playback:
    """A page of one walk; its gaps are planned."""
    whole = segments(points)
    gaps = (ExplainedGap(start=g.before.fix_time, end=g.after.fix_time, reason="off_planned") for g in whole.gaps)
    walked = Walked(name=title, pieces=tuple(tuple(one.points) for one in whole.segments), gaps=tuple(gaps))
    return Playback(title=title, walked=(walked,), zone=zone)


def test_the_page_needs_nothing_from_a_network(demo_bundle: Path) -> None:
    page = to_page(playback_of("周敏 016 </title><script>alert(1)</script>", WALK), LEAFLET, demo_bundle)
    assert not re.findall(r"<link|<script[^>]+src|<img|@import", page)
    assert not re.findall(r"url\((?!data:)[^)]*\.(?:png|css)", page)
    assert "sourceMappingURL" not in page
    assert "<script>alert(1)" not in page
    assert "演示数据" in page
    assert "L.map(" in page


def test_the_page_shows_times_of_the_place_with_their_offset() -> None:
    page = to_page(playback_of("x", WALK, timezone(timedelta(hours=8))), LEAFLET)
    assert "2026-03-01 16:00:00 – 2026-03-01 16:16:45" in page
    assert "UTC+08:00" in page
    assert 'title="2026-03-01 16:16:40">16:16:40' in page


def test_a_page_says_why_there_is_no_line_and_for_how_long() -> None:
    page = to_page(playback_of("x", WALK), LEAFLET)
    assert "关机（计划内）" in page
    assert "0:16:30" in page


def test_a_page_of_too_much_and_a_file_beside_it_that_is_not_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "POINTS_MAX", 4)
    with pytest.raises(TrackError, match="5 positions, more than 4"):
        playback_of("x", WALK)
    for href in ("../x", "/etc/passwd", "https://x", "//x/y", "a\\b", "a/../../b"):
        with pytest.raises(TrackError, match="out of the folder"):
            Footage(kind="burst", start=START, end=START, who="", href=href)


def test_a_page_without_a_map_is_still_a_page() -> None:
    assert "<h1>无数据</h1>" in to_page(playback_of("无数据", []), LEAFLET)


def test_a_name_on_a_page_is_text_and_no_program_of_its_template() -> None:
    for name in ("{{ 6 * 7 }}", "{% raw %}", "{# gone #}", "{{ lipsum.__globals__.os.getcwd() }}"):
        assert f"<h1>{name}</h1>" in to_page(playback_of(name, []), LEAFLET)


def test_a_page_without_its_assets_says_which_folder(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="leaflet"):
        to_page(playback_of("x", WALK), tmp_path)


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding)
    return path


HOLES = """lat,lon,time
31.2,121.5,2026-03-01T16:00:00+08:00
nan,121,2026-03-01T08:00:01Z
0,0,x
91,0,2026-03-01T08:00:01Z
31.3,121.6,2026-03-01T08:00:05Z
31.4,121.7,never
,,
"""


@pytest.mark.parametrize(
    "text",
    [
        "lat,lon,time\n31.2,121.5,2026-03-01T08:00:00Z\n31.3,121.6,2026-03-01T08:00:05Z\n",
        "Latitude;Longitude;Timestamp\n31.2;121.5;1772352000\n31.3;121.6;1772352005\n",
        "time\tlng\tlat\n1772352000000\t121.5\t31.2\n1772352005000\t121.6\t31.3\n",
        "time,lat,lon\n2026/03/01 08:00:05,31.3,121.6\n2026/03/01 08:00:00,31.2,121.5\n",
        HOLES,
    ],
    ids=["plain", "semicolons and seconds", "tabs and milliseconds", "slashes, out of order", "holes"],
)
def test_a_stranger_s_csv_is_understood(tmp_path: Path, text: str) -> None:
    points = read_track(written(tmp_path, "track.csv", text))
    assert [(p.lat, p.lon, p.fix_time, p.seq) for p in points] == [
        (31.2, 121.5, START, 1),
        (31.3, 121.6, START + timedelta(seconds=5), 2),
    ]


def test_a_chinese_csv_in_the_encoding_of_old_spreadsheets_is_understood(tmp_path: Path) -> None:
    path = written(tmp_path, "轨迹.csv", "时间,纬度,经度\n2026-03-01 08:00:00,31.2,121.5\n", "gb18030")
    assert read_track(path)[0][2:6] == (START, START, 31.2, 121.5)


def test_another_datum_is_taken_off_at_the_border(tmp_path: Path) -> None:
    lat, lon = wgs84_to_gcj02(31.2, 121.5)
    path = written(tmp_path, "track.csv", f"lat,lon,time\n{lat},{lon},1772352000\n")
    (read,) = read_track(path, datum="GCJ-02")
    assert (read.lat, read.lon) == pytest.approx((31.2, 121.5), abs=1e-8)


def test_a_drawn_track_is_walked_at_an_officer_s_pace(tmp_path: Path) -> None:
    path = written(tmp_path, "track.csv", "lat,lon\n31.2,121.5\n31.201,121.5\n31.202,121.5\n")
    first, second, third = read_track(path)
    assert (second.fix_time - first.fix_time).total_seconds() == pytest.approx(110.87 / 1.3, abs=0.1)
    assert third.fix_time > second.fix_time


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("track.shp", "", "neither"),
        ("track.kml", "<kml/>", "no position"),
        ("track.csv", "a,b\n1,2\n", "column lat"),
        ("track.csv", "", "column lat"),
        ("track.csv", "lat,lon,time\n95,121,2026-03-01\n", "no position"),
        ("track.gpx", "<gpx", "cannot be read"),
        ("track.gpx", "hello", "cannot be read"),
        ("track.gpx", '<gpx version="1.1" creator="x"></gpx>', "no position"),
        ("track.gpx", '<gpx><trk><trkseg><trkpt lat="a" lon="1"/></trkseg></trk></gpx>', "cannot be read"),
        ("track.csv", f"lat,lon\n{'9' * 200_000},1\n", "cannot be read"),
    ],
)
def test_what_is_no_track_says_so(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(TrackError, match=says):
        read_track(written(tmp_path, name, text))


GPX_PIECES = st.sampled_from([
    b"<gpx>", b"</gpx>", b"<trk>", b"</trk>", b"<trkseg>", b"</trkseg>", b'<trkpt lat="31" lon="121">', b"</trkpt>",
    b'<trkpt lat="" lon="nan"/>', b"<time>2026-13-01T00:00:00Z</time>", b"<time>2026-03-01T00:00:00Z</time>",
    b"<ele>x</ele>", b"<extensions><a/></extensions>", b"&", b"\xff",
])  # fmt: skip
CSV_PIECES = st.sampled_from(
    [b"lat", b"lon", b"time", b",", b"\n", b"31", b"121", b'"', b"\0", b"1e999", b"\xff", b"\xcb\xb1"]
)


@settings(deadline=None)
@given(st.sampled_from([".gpx", ".csv"]), st.lists(GPX_PIECES) | st.lists(CSV_PIECES), st.booleans())
def test_broken_files_are_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, pieces: list[bytes], headed: bool
) -> None:
    path = (tmp_path_factory.getbasetemp() / "broken").with_suffix(suffix)
    head = {".gpx": b"<gpx><trk><trkseg>", ".csv": b"lat,lon,time\n"}[suffix] if headed else b""
    tail = b"</trkseg></trk></gpx>" if headed and suffix == ".gpx" else b""
    path.write_bytes(head + b"".join(pieces) + tail)
    with suppress(TrackError):
        assert all(-90 <= p.lat <= 90 and -180 <= p.lon <= 180 for p in read_track(path))


def test_every_real_gpx_file_is_read_or_refused_with_a_reason() -> None:
    counts = {}
    for path in sorted(real("gpx").glob("*.gpx")):
        if "<trkpt" not in (text := path.read_text("utf-8", errors="replace")) and "<rtept" not in text:
            with pytest.raises(TrackError, match="no position"):
                read_track(path)
            continue
        points = read_track(path)
        counts[path.name] = len(points)
        assert all(one.fix_time <= other.fix_time for one, other in pairwise(points))
    assert counts["cerknicko-jezero.gpx"] == 296
    assert counts["around-visnjan-with-car.gpx"] == 104
    assert counts["route.gpx"] == 55


def test_geojson_is_json() -> None:
    assert json.loads(json.dumps(to_geojson(Track.of_points(WALK))))["type"] == "FeatureCollection"
