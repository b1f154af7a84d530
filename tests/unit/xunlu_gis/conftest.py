"""The demo district, built once for all tests that read a bundle."""

from pathlib import Path

import pytest

from xunlu_gis.map.prepare import prepare


@pytest.fixture(scope="session")
def demo_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map") / "demo"
    prepare(None, folder)
    return folder
