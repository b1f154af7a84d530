"""Both wheels are whole: the recorder's is slim, the server's carries its SQL and its console."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.repository import ROOT


def build(project: Path, out: Path) -> zipfile.ZipFile:
    """Build a wheel with the environment's own hatchling: no network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=project,
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(out.glob("*.whl")))


@pytest.fixture(scope="module")
def server_wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(ROOT, tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def recorder_wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(ROOT / "edge-agent", tmp_path_factory.mktemp("recorder"))


def packages(wheel: zipfile.ZipFile) -> set[str]:
    return {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}


def test_a_recorder_gets_three_packages_and_nothing_else(recorder_wheel: zipfile.ZipFile) -> None:
    assert packages(recorder_wheel) == {"xunlu_kit", "xunlu_protocol", "xunlu_edge"}


def test_both_wheels_need_the_same_base_libraries() -> None:
    recorder = tomllib.loads((ROOT / "edge-agent" / "pyproject.toml").read_text("utf-8"))
    server = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert recorder["project"]["dependencies"] == server["project"]["dependencies"]


def test_the_server_wheel_carries_what_is_not_python(server_wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "platform/xunlu_platform", "gis/xunlu_gis"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    expected = {name.split("/", 1)[1] for name in tracked}
    assert expected <= set(server_wheel.namelist())


def test_nothing_untracked_slips_into_a_wheel(server_wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    allowed = {name.split("/", 1)[-1] for name in tracked}
    assert {name for name in server_wheel.namelist() if ".dist-info/" not in name} <= allowed
