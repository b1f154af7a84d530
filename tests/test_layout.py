"""The house is tidy: what no linter looks at."""

import ast
import platform
import re
import sysconfig
from pathlib import Path

import pytest

from tests.repository import PACKAGE_FOLDERS, ROOT, name_of, tracked, tracked_with

FILE_BYTES_MAX = 400_000
FUNCTION_LINES_MAX = 70
PYTHON_LINES_MAX = 400
SCRIPT_LINES_MAX = 300

EMPTY_NAMES = {"utils", "util", "helpers", "common", "misc"}


def test_the_standard_library_keeps_its_platform_module() -> None:
    assert platform.__file__.startswith(sysconfig.get_path("stdlib"))
    inits = [folder for folder in PACKAGE_FOLDERS if (ROOT / folder / "__init__.py").exists()]
    assert not inits, f"An __init__.py here shadows names of the standard library: {inits}"


def test_the_top_level_holds_nothing_unexpected() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}
    assert folders <= {*PACKAGE_FOLDERS, "tests", "docs", ".ci"}


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in tracked_with(".py") if path.is_relative_to(ROOT / "tests")}
    assert not [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_no_module_is_named_after_nothing() -> None:
    assert not [name_of(path) for path in tracked_with(".py", ".js") if path.stem in EMPTY_NAMES]


def test_no_large_file_is_tracked() -> None:
    large = {name_of(path): path.stat().st_size for path in tracked() if path.stat().st_size > FILE_BYTES_MAX}
    assert not large


def test_modules_stay_small_enough_to_read() -> None:
    def lines(path: Path) -> int:
        return path.read_text("utf-8").count("\n")

    long = {name_of(p): lines(p) for p in tracked_with(".py") if lines(p) > PYTHON_LINES_MAX}
    long |= {name_of(p): lines(p) for p in tracked_with(".js") if lines(p) > SCRIPT_LINES_MAX}
    assert not long, "Split these"


def test_functions_stay_small_enough_to_read() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for path in tracked_with(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert not long


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("an unnumbered note to do later", r"\b(TODO|FIXME|XXX)\b(?!\(#\d)"),
        ("a path of one machine", r"(?<![\w.])/(work|root|home)/[a-z]"),
        ("a registry's address", r"https?://[\w.-]*(pypi|pythonhosted|npmjs|debian\.org|unpkg|jsdelivr|cdnjs)"),
        ("a control character", r"[\x00-\x08\x0b\x0c\x0e-\x1f]"),
        ("an import of a folder that is not a package", r"^\s*(import|from) (gis|streaming|simulators|deploy)\b"),
    ],
)
def test_no_text_holds(what: str, pattern: str) -> None:
    expression = re.compile(pattern, re.MULTILINE)
    binary = {".png", ".ico", ".woff2", ".nmea", ".bin", ".webp", ".jpg"}
    found = [
        f"{name_of(path)}: {match.group(0)!r}"
        for path in tracked()
        if path.suffix not in binary and path != Path(__file__).resolve()
        if (match := expression.search(path.read_text("utf-8", errors="replace")))
    ]
    assert not found, what
