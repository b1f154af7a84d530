from pathlib import Path

import pytest
import shapely.geometry

from tests.unit.xunlu_gis.bundles import EXTRACT, features, names, places, tiles
from xunlu_gis.errors import MapError
from xunlu_gis.map.__main__ import main
from xunlu_gis.map.bundle import MapDescription, PmtilesSource, read_map, write_tiles
from xunlu_gis.map.district import demo_district
from xunlu_gis.map.prepare import Labels, prepare
from xunlu_gis.map.sheet import Feature, Sheet
from xunlu_gis.streets import StreetGraph

FILES = {"map.json", "basemap.pmtiles", "streets.geojson", "areas.geojson", "places.json", "stamp.json"}


class TestDemoDistrict:
    def test_it_is_a_whole_bundle(self, demo_bundle: Path) -> None:
        assert {path.name for path in demo_bundle.iterdir()} == FILES
        described = read_map(demo_bundle)
        assert described.demo
        assert described.datum == "WGS-84"
        assert "演示数据" in described.attribution
        west, south, east, north = described.bounds
        assert (east - west) * 95.3 == pytest.approx(6.5, abs=1)
        assert (north - south) * 110.9 == pytest.approx(5, abs=1)
        assert described.center == pytest.approx(((west + east) / 2, (south + north) / 2), abs=1e-5)

    def test_it_is_the_same_on_every_run(self, demo_sheet: Sheet) -> None:
        one, other = demo_sheet, demo_district()
        assert [f.name for f in one.features] == [f.name for f in other.features]
        assert all(a.geometry.equals(b.geometry) for a, b in zip(one.features, other.features, strict=True))

    def test_its_geometries_are_valid(self, demo_sheet: Sheet) -> None:
        wrong = [f for f in demo_sheet.features if not f.geometry.is_valid or f.geometry.is_empty]
        assert not wrong

    def test_its_sub_districts_have_streets_and_do_not_overlap(self, demo_bundle: Path) -> None:
        areas = [shapely.geometry.shape(feature["geometry"]) for feature in features(demo_bundle, "areas.geojson")]
        assert len(areas) == 10
        total = sum(area.area for area in areas)
        assert shapely.union_all(areas).area == pytest.approx(total, rel=0.01)
        streets = StreetGraph.load(demo_bundle)
        assert all(len(streets.inside(area)) > 80 for area in areas)

    def test_every_name_can_be_found_by_pinyin_and_in_english(self, demo_bundle: Path) -> None:
        found = places(demo_bundle)
        assert found["望江街道"]["pinyin"] == "wang jiang jie dao"
        assert found["望江街道"]["name_en"] == "Wangjiang Subdistrict"
        assert found["人民大道"]["kind"] == "street"
        assert found["人民公园"]["kind"] == "park"
        assert all(place["pinyin"] and place["name_en"] for place in found.values())
        kinds = {place["kind"] for place in found.values()}
        assert kinds >= {"zone", "park", "street", "post", "station", "squad", "police", "hospital", "school", "market"}

    def test_no_two_streets_share_a_name(self, demo_sheet: Sheet) -> None:
        ends: dict[str, set[str]] = {}
        for feature in demo_sheet.features:
            if feature.layer == "roads" and feature.name:
                ends.setdefault(feature.name, set()).add(feature.kind)
        assert all(len(kinds) == 1 for kinds in ends.values())

    def test_its_tiles_carry_every_layer(self, demo_bundle: Path) -> None:
        kinds = tiles(demo_bundle)
        assert kinds["areas"] == {"zone", "park", "green", "water", "building"}
        assert kinds["roads"] == {"elevated", "primary", "secondary", "tertiary", "residential", "service", "path"}
        assert kinds["rail"] == {"metro", "railway"}
        assert kinds["labels"] == {"zone", "park", "water"}
        assert "post" in kinds["pois"]
        source = read_map(demo_bundle).source
        assert isinstance(source, PmtilesSource)
        assert set(source.layers) == set(kinds)


class TestPrepare:
    def test_an_unchanged_source_keeps_the_bundle(self, tmp_path: Path) -> None:
        first = prepare(EXTRACT, tmp_path / "map")
        written = (tmp_path / "map" / "map.json").stat().st_mtime_ns
        second = prepare(EXTRACT, tmp_path / "map")
        assert (first.reused, second.reused) == (False, True)
        assert second.description == first.description
        assert (tmp_path / "map" / "map.json").stat().st_mtime_ns == written
        assert [path.name for path in tmp_path.iterdir()] == ["map"]

    def test_a_bundle_that_a_power_cut_spoilt_is_made_again(self, tmp_path: Path) -> None:
        prepare(EXTRACT, tmp_path / "map")
        (tmp_path / "map" / "stamp.json").write_text("", "utf-8")
        assert not prepare(EXTRACT, tmp_path / "map").reused

    def test_a_changed_source_or_label_makes_a_new_one(self, tmp_path: Path) -> None:
        source = tmp_path / "own.osm"
        source.write_bytes(EXTRACT.read_bytes())
        prepare(source, tmp_path / "map")
        source.write_text(EXTRACT.read_text("utf-8").replace("南北路", "新路"), "utf-8")
        assert not prepare(source, tmp_path / "map").reused
        assert "新路" in names(tmp_path / "map", "streets.geojson")
        labels = Labels(name="黄浦区", attribution="某局", approval_number="沪S(2026)001号")
        described = prepare(source, tmp_path / "map", labels).description
        assert read_map(tmp_path / "map") == described
        assert (described.name, described.attribution) == ("黄浦区", "某局")
        assert described.approval_number == "沪S(2026)001号"

    def test_a_failed_build_leaves_the_old_bundle(self, tmp_path: Path) -> None:
        prepare(EXTRACT, tmp_path / "map")
        broken = tmp_path / "broken.osm"
        broken.write_text("<osm><node", "utf-8")
        with pytest.raises(MapError, match=r"broken\.osm"):
            prepare(broken, tmp_path / "map")
        assert read_map(tmp_path / "map").name == "extract"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.osm", "map"]

    def test_a_folder_with_something_else_is_never_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "diary.txt").write_text("mine", "utf-8")
        with pytest.raises(MapError, match="no map bundle"):
            prepare(None, tmp_path)
        assert (tmp_path / "diary.txt").read_text("utf-8") == "mine"

    @pytest.mark.parametrize("name", ["map.shp", "map.pdf", "streets"])
    def test_a_source_that_is_not_there_or_not_a_map_says_what_would_be(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(MapError, match="give an existing file"):
            prepare(tmp_path / name, tmp_path / "map")
        (tmp_path / name).write_bytes(b"\0")
        with pytest.raises(MapError, match=r"\.osm\.pbf"):
            prepare(tmp_path / name, tmp_path / "map")


class TestCommandLine:
    def test_it_builds_and_says_so(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = tmp_path / "map"
        assert main(["build", str(EXTRACT), str(folder), "--approval-number", "沪S号"]) == 0
        assert "made in" in capsys.readouterr().out
        assert main(["prepare", str(EXTRACT), str(folder), "--approval-number", "沪S号"]) == 0
        assert "kept" in capsys.readouterr().out
        assert read_map(folder).approval_number == "沪S号"

    def test_it_fails_with_a_sentence(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["build", str(tmp_path / "nothing.osm"), str(tmp_path / "map")]) == 1
        assert "There is no map at" in capsys.readouterr().err


def test_a_folder_without_a_map_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="xunlu-map prepare"):
        read_map(tmp_path)
    (tmp_path / "map.json").write_text("{}", "utf-8")
    with pytest.raises(MapError, match="not understood"):
        read_map(tmp_path)


def test_what_tippecanoe_refuses_is_reported(tmp_path: Path) -> None:
    nothing = Feature(layer="areas", kind="water", geometry=shapely.Polygon())
    sheet = Sheet(name="x", attribution="", features=(nothing,), bounds=(0, 0, 1, 1))
    with pytest.raises(MapError, match="tippecanoe refused"):
        write_tiles(tmp_path, sheet)


def test_a_description_is_closed_and_frozen() -> None:
    described = MapDescription(name="x", attribution="", bounds=(0, 0, 1, 1), center=(0, 0), source=PmtilesSource())
    with pytest.raises(ValueError, match="frozen"):
        described.name = "y"  # type: ignore[misc]
