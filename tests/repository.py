"""The repository as the tidy tests see it: what git tracks, and where."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PACKAGE_FOLDERS = ("edge-agent", "platform", "streaming", "gis", "simulators", "deploy")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks, but for vendored ones."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in names.split("\0") if name)
    return tuple(path for path in paths if "vendor" not in path.parts and path.is_file())


def tracked_with(*suffixes: str) -> list[Path]:
    """Tracked files with one of the endings."""
    return [path for path in tracked() if path.suffix in suffixes]


def name_of(path: Path) -> str:
    """A path relative to the root, for messages."""
    return path.relative_to(ROOT).as_posix()
