"""Who a child process runs as, and that it dies with its parent.

PostgreSQL refuses to run as root, and Mosquitto should not; started as root, both run as `nobody`. setpriv(1) does it
without code of ours between fork and exec.
"""

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from xunlu_deploy.errors import DeployError

UNPRIVILEGED_ID = 65534
# linux/capability.h; containers usually have the second only.
_PASSING = {2: "dac_read_search", 1: "dac_override"}


def is_root() -> bool:
    """Whether we are the superuser."""
    return os.geteuid() == 0


def closed_to_others(folder: Path) -> bool:
    """Whether some parent of `folder` keeps other users out, as `/root` does."""
    return any(not parent.stat().st_mode & 0o001 for parent in folder.resolve().parents)


def command(
    argv: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    unprivileged_in: Sequence[Path] = (),
) -> list[str]:
    """A command line that runs `argv` with the right identity.

    Args:
        argv: program and arguments.
        death_signal: sent by the kernel when our thread ends, however it ends (PR_SET_PDEATHSIG, prctl(2)).
        unprivileged_in: folders that the program works in when it must not be root. Where a parent is closed to other
            users, the program gets the one capability to pass it, and is still not root.

    Raises:
        DeployError: setpriv is missing, or no capability opens the way.
    """
    if (setpriv := shutil.which("setpriv")) is None:
        raise DeployError("setpriv is missing; install the package util-linux.")
    line = [setpriv, "--pdeathsig", signal.Signals(death_signal).name.removeprefix("SIG")]
    if unprivileged_in and is_root():
        line += [f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"]
        if any(closed_to_others(folder) for folder in unprivileged_in):
            way = _capability()
            # Without this bit access(2) would ignore the capability, and PostgreSQL asks it (capabilities(7)).
            line += [f"--inh-caps=+{way}", f"--ambient-caps=+{way}", "--securebits=+no_setuid_fixup"]
    return [*line, "--", *map(str, argv)]


def _capability() -> str:
    """The smallest capability that passes closed folders and that our own container allows."""
    status = Path("/proc/self/status").read_text("utf-8")
    bounding = int(status.partition("CapBnd:")[2].split()[0], 16)
    for number, name in _PASSING.items():
        if bounding >> number & 1:
            return name
    raise DeployError(
        "Other users cannot enter the state folder's parents; choose another folder: XUNLU_STATE=/var/lib/xunlu"
    )


def give(path: Path) -> None:
    """Give a file or folder, with all below it, to the unprivileged user, when we are root."""
    if is_root():
        for entry in [path, *path.rglob("*")]:
            os.chown(entry, UNPRIVILEGED_ID, UNPRIVILEGED_ID, follow_symlinks=False)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may read."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
