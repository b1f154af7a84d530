"""Backups of one installation: taken while it runs, verified, and restored into an empty state folder.

A backup is a folder: the database as a verified base backup (PostgreSQL, "pg_basebackup"), the broker's accounts, the
passwords, and the certificate authority that recorders trust. Whoever holds it holds the passwords.
"""

import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

from xunlu_deploy.database import HOST, SUPERUSER
from xunlu_deploy.errors import DeployError
from xunlu_deploy.privilege import give
from xunlu_deploy.runtime import Runtime
from xunlu_deploy.state import State

BACKUP_TIMEOUT_S = 6 * 3600
FOLDERS = ("secrets", "tls")
ACCOUNTS = Path("broker") / "dynamic-security.json"


def back_up(runtime: Runtime, state: State, target: Path, *, port: int, keep: int) -> Path:
    """Take a backup of a running installation.

    Args:
        runtime: programs of the same PostgreSQL version.
        state: what to save.
        target: folder of all backups; older ones beyond `keep` are removed after this one is proven.
        port: of the database on loopback.
        keep: backups that stay, this one included, ≥ 1.

    Returns:
        The folder of this backup.

    Raises:
        DeployError: it failed; nothing older was removed.
    """
    name = f"xunlu-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target / f"{name}.partial"
    partial.mkdir(mode=0o700)
    password = {"PGPASSWORD": state.secret("db-superuser")}
    take: list[str | Path] = [runtime.postgres_bin / "pg_basebackup", "--pgdata", partial / "database"]
    take += ["--host", HOST, "--port", str(port), "--username", SUPERUSER, "--wal-method=stream", "--checkpoint=fast"]
    _run(take, password)
    _run([runtime.postgres_bin / "pg_verifybackup", "--quiet", partial / "database"], {})
    for folder in FOLDERS:
        shutil.copytree(state.folder / folder, partial / folder)
    (partial / ACCOUNTS).parent.mkdir(mode=0o700)
    shutil.copy2(state.folder / ACCOUNTS, partial / ACCOUNTS)
    done = partial.rename(target / name)
    for old in sorted(path for path in target.glob("xunlu-*Z") if path.is_dir())[:-keep]:
        shutil.rmtree(old)
    return done


def restore(backup: Path, state: State) -> None:
    """Put a backup back into a state folder that holds no database.

    Raises:
        DeployError: the folder is in use, or this is no whole backup.
    """
    if state.database.exists():
        raise DeployError(f"{state.database} exists. Move it away first; a restore never overwrites.")
    if not (backup / "database" / "PG_VERSION").is_file() or backup.suffix == ".partial":
        raise DeployError(f"{backup} is not a whole backup.")
    state.folder.mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        shutil.copytree(backup / folder, state.folder / folder, dirs_exist_ok=True)
    state.broker.mkdir(mode=0o700, exist_ok=True)
    shutil.copy2(backup / ACCOUNTS, state.folder / ACCOUNTS)
    shutil.copytree(backup / "database", state.database)
    state.database.chmod(0o700)
    give(state.database)
    give(state.broker)


def _run(argv: list[str | Path], environment: dict[str, str]) -> None:
    try:
        subprocess.run(
            argv,
            check=True,
            capture_output=True,
            text=True,
            timeout=BACKUP_TIMEOUT_S,
            env={**os.environ, **environment},
        )
    except subprocess.CalledProcessError as error:
        raise DeployError(f"{Path(argv[0]).name} failed: {error.stderr[-2000:]}") from error
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"{Path(argv[0]).name} took longer than {BACKUP_TIMEOUT_S} s.") from error
