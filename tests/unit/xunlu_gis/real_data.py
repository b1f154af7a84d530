"""Real data beside the repository: used where it lies there, never committed."""

import os
from pathlib import Path

import pytest

from tests.repository import ROOT

FOLDER = Path(os.environ.get("XUNLU_TEST_DATA", ROOT.parent / "shared" / "data"))


def real(name: str) -> Path:
    """A file or folder of the real data; the test is skipped where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"needs the real data {name}; XUNLU_TEST_DATA names its folder")
    return path
