"""Named queries: SQL lives in `sql/*.sql`, each under a line `-- name: sentence`."""

import re
from functools import cache
from importlib.resources import files

_HEADING = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


@cache
def _file(name: str) -> dict[str, bytes]:
    text = (files("xunlu_platform.store") / "sql" / f"{name}.sql").read_text("utf-8")
    parts = _HEADING.split(text)
    return {parts[i]: parts[i + 1].strip().encode() for i in range(1, len(parts), 2)}


def query(file: str, name: str) -> bytes:
    """The SQL under `-- name: NAME` of `sql/FILE.sql`."""
    return _file(file)[name]
