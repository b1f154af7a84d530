"""The schema that the migrations make, as text: `python -m tests.schema` writes it to `store/sql/schema.sql`.

People read one file instead of a history; a test keeps the two equal.
"""

import asyncio
import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.repository import ROOT
from tests.services import TestDatabase, running_services
from xunlu_platform.store.migrations import migrate

SCHEMA = ROOT / "platform" / "xunlu_platform" / "store" / "sql" / "schema.sql"
HEADING = "-- What all migrations together make; written by `make docs`, never by hand.\n\n"


async def dump_schema(database: TestDatabase) -> str:
    """A database's schema without what differs from one dump to the next."""
    program = database.server.runtime.postgres_bin / "pg_dump"
    command = [str(program), "--schema-only", "--no-owner", "--dbname", database.dsn("superuser")]
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    lines = [line for line in done.stdout.splitlines() if not re.match(r"--|SET |SELECT pg_catalog|\\", line)]
    return HEADING + re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip() + "\n"


async def main() -> None:
    """Write the file."""
    with TemporaryDirectory() as folder:
        async with running_services(Path(folder), durable=False) as services:
            await services.database.server.provision("schema")
            database = services.test_database("schema")
            await migrate(database.dsn())
            SCHEMA.write_text(await dump_schema(database), "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
