"""The demo district, built once for all tests that read a bundle."""

from pathlib import Path

import pytest

from xunlu_gis.map.district import demo_district
from xunlu_gis.map.prepare import prepare
from xunlu_gis.map.sheet import Sheet


@pytest.fixture(scope="session")
def demo_sheet() -> Sheet:
    return demo_district()


@pytest.fixture(scope="session")
def demo_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map") / "demo"
    prepare(None, folder)
    return folder
