"""The command line, before it connects to anything."""

import re
import sys
from pathlib import Path

import pytest

from tests.repository import ROOT
from xunlu_sim.__main__ import main

OPTION = re.compile(r"(?<![\w-])--[a-z-]+")
PATROL = ["patrol", "--broker", "127.0.0.1:1", "--claim-file", "claim", "--state", "fleet"]


def run(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["xunlu-sim", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("command", ["patrol", "bulk"])
def test_the_page_names_every_option_and_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(monkeypatch, command, "--help") == 0
    options = set(OPTION.findall(capsys.readouterr().out)) - {"--help"}
    page = (ROOT / "docs" / "simulators.md").read_text("utf-8")
    assert {option for option in options if option not in page} == set()
    examples = re.findall(rf"^```\nxunlu-sim {command}(.+?)^```", page, re.DOTALL | re.MULTILINE)
    assert examples
    assert set(OPTION.findall("".join(examples))) <= options


@pytest.mark.parametrize("broker", ["127.0.0.1", ":8002", "host:port", "host:"])
def test_an_address_without_a_port_is_refused_with_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broker: str
) -> None:
    assert run(monkeypatch, "patrol", "--broker", broker, "--claim-file", "x", "--state", "y", "--map", "z") == 2
    assert "write HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("way.gpx", "<gpx", "cannot be read"),
        ("way.csv", "lat,lon,time\n31.2,121.4,2026-03-01T08:00:00Z\n", "at least two"),
        ("way.kml", "", "is no XML"),
    ],
)
def test_a_track_that_cannot_be_walked_is_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    content: str,
    says: str,
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert run(monkeypatch, *PATROL, "--track", tmp_path / name) == 1
    assert says in capsys.readouterr().err


def test_a_folder_without_a_map_is_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, *PATROL, "--map", tmp_path) == 1
    assert "xunlu-map prepare" in capsys.readouterr().err
