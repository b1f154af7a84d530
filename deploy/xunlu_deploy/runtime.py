"""The programs of PostgreSQL with TimescaleDB and of Mosquitto: found on this machine, or made without root.

Debian 13 and later carry both. Elsewhere their closure is unpacked into a folder and told to use its own loader and
libraries, so that nothing of the machine changes. The folder holds absolute paths: it is not to be moved.
"""

import fcntl
import json
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xunlu_deploy.apt import Apt, distribution_keyring, machine_sources, moved_to
from xunlu_deploy.elf import relocate
from xunlu_deploy.errors import DeployError

RELEASE = "trixie"
PACKAGES = ("postgresql-17-timescaledb", "postgresql-client-17", "mosquitto", "mosquitto-clients")
FORMAT = 1
"""Raised when the way of making a runtime changes: older ones are made anew."""
MOSQUITTO_MIN = (2, 0, 21)

_UNPACKED = {*PACKAGES, "postgresql-17"}
_LEFT_OUT = re.compile(r"lib(llvm|z3|perl|json-perl|ipc-run-perl|io-pty-perl|text-.*-perl|semanage)")
"""Compilers for the just-in-time option, which we switch off, and libraries of Debian's set-up scripts."""

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """Where the programs are."""

    postgres_bin: Path
    """Folder of `postgres`, `initdb`, `pg_dump`, `psql` …"""
    mosquitto: Path
    dynamic_security: Path
    """Mosquitto's dynamic-security plug-in."""
    mosquitto_bin: Path
    """Folder of `mosquitto_pub` and `mosquitto_sub`."""


def find(folder: Path) -> Runtime | None:
    """What the machine has installed, else the private runtime below `folder`, else None."""
    final = _final(folder)
    return _installed() or (_private(final) if _usable(final) else None)


def find_or_make(folder: Path, progress: Progress = print) -> Runtime:
    """The same, and the private runtime is made when it is missing.

    Args:
        folder: holds the private runtime and its lock file; may be shared by several state folders.
        progress: gets one readable line for each step.

    Raises:
        DeployError: neither is possible; the message says why.
    """
    if found := find(folder):
        return found
    folder.mkdir(parents=True, exist_ok=True)
    final = _final(folder)
    with _locked(folder / "lock", progress):
        if not _usable(final):
            _make(final, progress)
    return _private(final)


def _final(folder: Path) -> Path:
    return folder.resolve() / f"{RELEASE}-{platform.machine()}"


def _installed() -> Runtime | None:
    postgres = next((p for p in (Path("/usr/lib/postgresql/17"), Path("/usr/pgsql-17")) if _has_timescale(p)), None)
    mosquitto = next(
        (Path(p) for p in (shutil.which("mosquitto"), "/usr/sbin/mosquitto") if p and Path(p).exists()), None
    )
    plugin = next(Path("/usr/lib").glob("**/mosquitto_dynamic_security.so"), None) if mosquitto else None
    clients = shutil.which("mosquitto_pub")
    if not (postgres and mosquitto and plugin and clients) or _mosquitto_version(mosquitto) < MOSQUITTO_MIN:
        return None
    return Runtime(
        postgres_bin=postgres / "bin",
        mosquitto=mosquitto,
        dynamic_security=plugin,
        mosquitto_bin=Path(clients).parent,
    )


def _has_timescale(postgres: Path) -> bool:
    return (postgres / "bin/postgres").exists() and (postgres / "lib/timescaledb.so").exists()


def _mosquitto_version(program: Path) -> tuple[int, ...]:
    shown = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=10).stdout
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", shown)
    return tuple(map(int, match.groups())) if match else (0,)


def _private(final: Path) -> Runtime:
    return Runtime(
        postgres_bin=final / "usr/lib/postgresql/17/bin",
        mosquitto=final / "usr/sbin/mosquitto",
        dynamic_security=next(final.glob("usr/lib/*/mosquitto_dynamic_security.so")),
        mosquitto_bin=final / "usr/bin",
    )


def _stamp(final: Path) -> Path:
    return final / "runtime.json"


def _usable(final: Path) -> bool:
    try:
        stamp = json.loads(_stamp(final).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp.get("format") == FORMAT and stamp.get("folder") == str(final))


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another process is preparing the database and the broker; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(final: Path, progress: Progress) -> None:
    """Build beside the final place, then rename: a runtime is whole or absent."""
    started = time.monotonic()
    building, apt_folder = final.with_suffix(".building"), final.with_suffix(".apt")
    for folder in (building, apt_folder, final):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        files = _download(apt_folder, progress)
        progress(f"Unpacking {len(files)} packages …")
        for file in files:
            _unpack(file, building)
        relocate(building, final)
    finally:
        shutil.rmtree(apt_folder, ignore_errors=True)
    building.rename(final)
    runtime = _private(final)
    mosquitto = ".".join(map(str, _mosquitto_version(runtime.mosquitto)))
    versions = [_version_of(runtime.postgres_bin / "postgres"), f"mosquitto {mosquitto}"]
    stamp = {"format": FORMAT, "folder": str(final), "versions": versions, "packages": [f.name for f in files]}
    _stamp(final).write_text(json.dumps(stamp, indent=1), "utf-8")
    progress(f"Database and broker are ready in {final} after {time.monotonic() - started:.0f} s.")


def _download(folder: Path, progress: Progress) -> list[Path]:
    machine = platform.freedesktop_os_release()
    if machine.get("ID") != "debian" or shutil.which("apt-get") is None:
        raise DeployError(
            "This machine has neither PostgreSQL 17 with TimescaleDB and Mosquitto 2.0.21, and it is not "
            "a Debian that could fetch them. "
            ""
            "Install them, or start the containers of deploy/compose.yaml."
        )
    sources = moved_to(machine_sources(), machine.get("VERSION_CODENAME", ""), RELEASE, distribution_keyring())
    if not sources:
        raise DeployError(
            "No source of the Debian distribution is configured in /etc/apt; add the bureau's mirror there."
        )
    progress("Fetching the list of packages …")
    apt = Apt(folder, sources)
    apt.update()
    closure = apt.closure(*PACKAGES)
    wanted = [name for name in closure if _is_wanted(name)]
    progress(f"Downloading PostgreSQL, TimescaleDB and Mosquitto: {len(wanted)} packages, about 50 MB …")
    return apt.download(wanted)


def _is_wanted(package: str) -> bool:
    return package in _UNPACKED or (package.startswith("lib") and not _LEFT_OUT.match(package))


def _unpack(file: Path, folder: Path) -> None:
    try:
        subprocess.run(["/usr/bin/dpkg", "-x", str(file), str(folder)], check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise DeployError(f"{file.name} could not be unpacked; is the disk full? {error}") from error


def _version_of(program: Path) -> str:
    try:
        return subprocess.run(
            [program, "--version"], check=True, capture_output=True, text=True, timeout=20
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise DeployError(f"{program.name} was unpacked but does not run: {error}") from error
