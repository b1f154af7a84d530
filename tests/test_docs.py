"""Documents cannot lie: links resolve, and every name that others rely on is written down."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from tests.repository import ROOT, name_of, tracked_with
from xunlu_protocol.command import REASONS, CommandName, CommandState
from xunlu_protocol.event import EVENT_TYPES
from xunlu_protocol.topics import Channel

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def document(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def anchors(path: Path) -> set[str]:
    """Anchors as forges make them: lower case, spaces to hyphens, punctuation dropped."""
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in HEADING.findall(path.read_text("utf-8"))
    }


@pytest.mark.parametrize("path", tracked_with(".md"), ids=name_of)
def test_relative_links_resolve(path: Path) -> None:
    broken = []
    for target in (a or b for a, b in LINK.findall(path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize(
    "names",
    [get_args(Channel), sorted(EVENT_TYPES), get_args(CommandName), get_args(CommandState), REASONS.values()],
    ids=["channels", "events", "commands", "command states", "reasons"],
)
def test_the_protocol_document_names_everything_on_the_wire(names: tuple[str, ...]) -> None:
    text = document("docs/protocol.md")
    assert not [name for name in names if name not in text]


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", document("Makefile"), re.MULTILINE))
    for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md"):
        used = set(re.findall(r"\bmake ([a-z-]+)", document(name)))
        assert used <= targets, name


def test_every_program_is_documented() -> None:
    programs = tomllib.loads(document("pyproject.toml"))["project"]["scripts"]
    text = "".join(path.read_text("utf-8") for path in tracked_with(".md"))
    assert not [program for program in programs if f"`{program}" not in text]


def test_both_readmes_have_the_same_shape() -> None:
    def shape(name: str) -> list[int]:
        return [len(mark) for mark in re.findall(r"^(#{1,6}) ", document(name), re.MULTILINE)]

    assert shape("README.md") == shape("README.zh-CN.md")
