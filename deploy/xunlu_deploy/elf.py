"""ELF programs from another release: give them the loader and the libraries that were unpacked beside them."""

import subprocess
import sysconfig
from pathlib import Path

from xunlu_deploy.errors import DeployError

ELF_MAGIC = b"\x7fELF"
PATCH_TIMEOUT_S = 60


def programs(root: Path) -> list[Path]:
    """ELF executables below `root`: files in a `bin` or `sbin` folder, links left out."""
    found = []
    for path in root.rglob("*"):
        if path.parent.name in ("bin", "sbin") and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == ELF_MAGIC:
                    found.append(path)
    return sorted(found)


def loader_of(root: Path) -> Path:
    """The unpacked dynamic loader (ld.so(8)).

    Raises:
        DeployError: none was unpacked.
    """
    for path in sorted(root.glob("usr/lib/*/ld-linux*.so.*")) + sorted(root.glob("lib/*/ld-linux*.so.*")):
        return path
    raise DeployError(f"No dynamic loader was unpacked below {root}; libc6 is missing.")


def relocate(root: Path, final: Path) -> int:
    """Make every dynamic program below `root` run from `final`, with the unpacked loader and libraries.

    The loader's path must be absolute; the library path is DT_RPATH, not DT_RUNPATH, because only that also serves the
    libraries' own dependencies and what a program opens at run time.

    Args:
        root: where the files are now.
        final: where they will be.

    Returns:
        How many programs were changed.

    Raises:
        DeployError: patchelf failed.
    """
    loader = loader_of(root)
    libraries = final / loader.parent.relative_to(root)
    dynamic = [program for program in programs(root) if _patchelf("--print-interpreter", program).returncode == 0]
    for program in dynamic:
        done = _patchelf(
            "--set-interpreter", libraries / loader.name, "--force-rpath", "--set-rpath", libraries, program
        )
        if done.returncode != 0:
            raise DeployError(f"patchelf could not change {program.name}: {done.stderr}")
    return len(dynamic)


def _patchelf(*words: str | Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sysconfig.get_path("scripts")) / "patchelf"
    try:
        return subprocess.run([tool, *words], capture_output=True, text=True, check=False, timeout=PATCH_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeployError(f"patchelf did not run: {error}") from error
