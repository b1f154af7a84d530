import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
import shapely.geometry

from tests.unit.xunlu_gis.bundles import EXTRACT, features, names, places, tiles
from tests.unit.xunlu_gis.real_data import real
from xunlu_gis.errors import MapError
from xunlu_gis.map.bundle import RasterSource, read_map
from xunlu_gis.map.prepare import prepare
from xunlu_gis.streets import StreetGraph


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extract") / "map"
    prepare(EXTRACT, folder)
    return folder


class TestExtract:
    def test_streets_become_a_graph_without_the_expressway(self, bundle: Path) -> None:
        assert names(bundle, "streets.geojson") == {"东西大道", "南北路"}
        streets = StreetGraph.load(bundle)
        assert (len(streets.corners), len(streets.edges)) == (5, 4)
        (primary,) = (f for f in features(bundle, "streets.geojson") if f["properties"]["name"] == "东西大道")
        assert primary["properties"]["class"] == "primary"
        assert primary["properties"]["speed_kmh"] == 50

    def test_sub_districts_and_places_are_found(self, bundle: Path) -> None:
        assert names(bundle, "areas.geojson") == {"测试街道"}
        found = places(bundle)
        assert found["测试派出所"]["kind"] == "police"
        assert found["测试派出所"]["name_en"] == "Test Police Station"
        assert found["测试派出所"]["pinyin"] == "ce shi pai chu suo"
        assert (found["测试派出所"]["lat"], found["测试派出所"]["lon"]) == (31.2302, 121.4751)
        assert found["南北路"]["kind"] == "street"

    def test_tiles_carry_what_the_extract_holds(self, bundle: Path) -> None:
        kinds = tiles(bundle)
        assert kinds["areas"] == {"park", "water", "building", "zone"}
        assert kinds["roads"] == {"primary", "residential", "motorway"}
        assert kinds["labels"] == {"zone", "park", "water"}
        assert kinds["pois"] == {"police"}

    def test_the_licence_s_attribution_is_there_without_asking(self, bundle: Path) -> None:
        assert read_map(bundle).attribution == "© OpenStreetMap contributors"

    def test_an_extract_without_streets_is_refused(self, tmp_path: Path) -> None:
        empty = tmp_path / "empty.osm"
        empty.write_text('<osm version="0.6"><node id="1" version="1" lat="31" lon="121"/></osm>', "utf-8")
        with pytest.raises(MapError, match="no streets"):
            prepare(empty, tmp_path / "map")


def collection(*items: tuple[dict[str, Any], Any], **more: str) -> str:
    listed = [
        {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(geometry)}
        for properties, geometry in items
    ]
    return json.dumps({"type": "FeatureCollection", "features": listed, **more})


class TestGeojson:
    def test_tags_or_the_file_s_name_tell_what_features_are(self, tmp_path: Path) -> None:
        source = tmp_path / "city"
        source.mkdir()
        line, other = shapely.LineString([(121, 31), (121.01, 31)]), shapely.LineString([(121, 31), (121, 31.01)])
        box = shapely.box(121, 31, 121.01, 31.01)
        (source / "streets.geojson").write_text(
            collection(({"name": "甲路"}, line), ({"name": "乙路", "highway": "secondary"}, other), attribution="某局"),
            "utf-8",
        )
        (source / "subdistricts.geojson.gz").write_bytes(gzip.compress(collection(({"name": "甲街道"}, box)).encode()))
        (source / "pois.geojson").write_text(
            collection(({"name": "甲站", "kind": "metro_station"}, line.centroid), ({"kind": "x"}, line.centroid)),
            "utf-8",
        )
        prepare(source, tmp_path / "map")
        kinds = {
            f["properties"]["name"]: f["properties"]["class"] for f in features(tmp_path / "map", "streets.geojson")
        }
        assert kinds == {"甲路": "residential", "乙路": "secondary"}
        assert names(tmp_path / "map", "areas.geojson") == {"甲街道"}
        assert places(tmp_path / "map")["甲站"]["kind"] == "station"
        assert read_map(tmp_path / "map").attribution == "某局"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{", "not GeoJSON"),
            ("[]", "FeatureCollection"),
            ('{"features": [{"geometry": {"type": "Blob"}}]}', "feature 0"),
            ('{"features": [7]}', "feature 0"),
            ('{"features": []}', "no streets"),
            (collection(({"highway": "primary"}, shapely.LineString([(500_000, 31), (500_001, 31)]))), "WGS-84"),
        ],
    )
    def test_what_is_no_map_says_so(self, tmp_path: Path, text: str, says: str) -> None:
        source = tmp_path / "streets.geojson"
        source.write_text(text, "utf-8")
        with pytest.raises(MapError, match=says):
            prepare(source, tmp_path / "map")


class TestPmtiles:
    def test_an_archive_is_used_as_it_is(self, tmp_path: Path, demo_bundle: Path) -> None:
        source = demo_bundle / "basemap.pmtiles"
        described = prepare(source, tmp_path / "map").description
        assert (tmp_path / "map" / "basemap.pmtiles").read_bytes() == source.read_bytes()
        assert described.name == "明江示范区"
        assert (described.minzoom, described.maxzoom) == (8, 16)
        assert not features(tmp_path / "map", "streets.geojson")
        with pytest.raises(MapError, match="no streets"):
            StreetGraph.load(tmp_path / "map")

    @pytest.mark.parametrize("damage", ["short", "other", "version", "metadata"])
    def test_a_damaged_archive_is_refused(self, tmp_path: Path, demo_bundle: Path, damage: str) -> None:
        data = bytearray((demo_bundle / "basemap.pmtiles").read_bytes())
        match damage:
            case "short":
                del data[100:]
            case "other":
                data[:7] = b"SQLite "
            case "version":
                data[7] = 2
            case _:
                start = int.from_bytes(data[24:32], "little")
                data[start : start + 20] = bytes(20)
        source = tmp_path / "own.pmtiles"
        source.write_bytes(data)
        with pytest.raises(MapError, match=r"own\.pmtiles"):
            prepare(source, tmp_path / "map")


TIANDITU: dict[str, Any] = {
    "name": "天地图",
    "attribution": "国家地理信息公共服务平台 天地图",
    "approval_number": "GS(2024)0568号",
    "datum": "wgs84",
    "key_file": "tianditu.key",
    "subdomains": ["0", "1"],
    "layers": [
        {"id": "base", "url": "https://t{s}.example/vec_w/wmts?TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"},
        {"id": "labels", "url": "https://t{s}.example/cva_w/wmts?TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"},
    ],
    "bounds": [121.0, 31.0, 122.0, 32.0],
}


class TestRaster:
    def described(self, folder: Path, **changes: object) -> Path:
        (folder / "tianditu.key").write_text("s3cret", "utf-8")
        path = folder / "tianditu.json"
        path.write_text(json.dumps(TIANDITU | changes), "utf-8")
        return path

    def test_the_address_and_the_key_stay_off_what_clients_read(self, tmp_path: Path) -> None:
        prepare(self.described(tmp_path), tmp_path / "map")
        described = read_map(tmp_path / "map")
        assert isinstance(described.source, RasterSource)
        assert [layer.path for layer in described.source.layers] == [
            "raster/base/{z}/{x}/{y}",
            "raster/labels/{z}/{x}/{y}",
        ]
        assert "example" not in (tmp_path / "map" / "map.json").read_text("utf-8")
        source = json.loads((tmp_path / "map" / "source.json").read_bytes())
        assert source["layers"] == TIANDITU["layers"]
        assert Path(source["key_file"]) == tmp_path / "tianditu.key"
        assert not any(b"s3cret" in path.read_bytes() for path in (tmp_path / "map").iterdir())

    def test_a_shifted_source_says_so(self, tmp_path: Path) -> None:
        assert prepare(self.described(tmp_path, datum="gcj02"), tmp_path / "map").description.datum == "GCJ-02"

    def test_streets_may_come_from_a_vector_map_beside_it(self, tmp_path: Path) -> None:
        (tmp_path / "own.osm").write_bytes(EXTRACT.read_bytes())
        described = prepare(self.described(tmp_path, vector="own.osm", bounds=None), tmp_path / "map").description
        assert described.bounds == (121.47, 31.225, 121.48, 31.235)
        assert len(StreetGraph.load(tmp_path / "map").edges) == 4

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"datum": "bd09"}, "datum"),
            ({"layers": []}, "layers"),
            ({"layers": [{"id": "base", "url": "https://a.example/{z}/{x}"}]}, r"\{y\}"),
            ({"layers": [{"id": "base", "url": "file:///{z}/{x}/{y}"}]}, "url"),
            ({"layers": [{"id": "../x", "url": "https://a.example/{z}/{x}/{y}"}]}, "id"),
            ({"key_file": None}, "key_file"),
            ({"key_file": "nowhere.key"}, r"nowhere\.key"),
            ({"subdomains": []}, "subdomains"),
            ({"bounds": None}, "bounds"),
            ({"surprise": 1}, "surprise"),
        ],
    )
    def test_a_wrong_description_names_the_field(self, tmp_path: Path, changes: dict[str, Any], says: str) -> None:
        with pytest.raises(MapError, match=says):
            prepare(self.described(tmp_path, **changes), tmp_path / "map")


@pytest.mark.parametrize("name", ["streets_huangpu_2026.osm.gz", "streets_center.osm.gz", "streets_center.geojson.gz"])
def test_real_streets_become_a_graph(tmp_path: Path, name: str) -> None:
    prepare(real(f"shanghai/{name}"), tmp_path / "map")
    streets = StreetGraph.load(tmp_path / "map")
    assert len(streets.corners) > 500
    assert "延安东路" in {edge.name for edge in streets.edges} or "威海路" in {edge.name for edge in streets.edges}


def test_a_whole_folder_of_real_data_becomes_a_map(tmp_path: Path, record_property: Any) -> None:
    source = real("shanghai")
    started = time.perf_counter()
    prepare(source, tmp_path / "map")
    record_property("seconds", round(time.perf_counter() - started, 1))
    assert len(names(tmp_path / "map", "areas.geojson")) >= 118
    streets = StreetGraph.load(tmp_path / "map")
    assert sum(edge.length_m for edge in streets.edges) == pytest.approx(975_000, rel=0.02)
    found = places(tmp_path / "map")
    assert found["豫园街道"]["pinyin"] == "yu yuan jie dao"
    assert found["南京东路"]["kind"] in {"street", "station"}
    assert (tmp_path / "map" / "basemap.pmtiles").stat().st_size > 1_000_000
