"""PostgreSQL with TimescaleDB on this machine: its data folder, its settings, its roles.

It listens on loopback over TCP only: a Unix socket's path may have 107 bytes, and a state folder may lie deeper.
"""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from xunlu_deploy.errors import DeployError
from xunlu_deploy.privilege import command, give
from xunlu_deploy.process import Process
from xunlu_deploy.runtime import Runtime
from xunlu_deploy.state import Secret, State

HOST = "127.0.0.1"
SUPERUSER = "postgres"
OWNER = "xunlu_owner"
ROLES: dict[str, Secret] = {
    OWNER: "db-owner",
    "xunlu_api": "db-api",
    "xunlu_ingest": "db-ingest",
    "xunlu_jobs": "db-jobs",
}
CONNECT_TIMEOUT_S = 5
MEGABYTE = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A PostgreSQL server with TimescaleDB, ours or somebody else's, whose passwords lie in the state folder."""

    host: str
    port: int
    state: State

    def dsn(self, role: str, password: str, name: str = "postgres") -> str:
        """Connection string for a role."""
        return psycopg.conninfo.make_conninfo(
            host=self.host, port=self.port, user=role, password=password, dbname=name, connect_timeout=CONNECT_TIMEOUT_S
        )

    async def connect(self, name: str = "postgres") -> psycopg.AsyncConnection:
        """Connect as superuser; every statement is its own transaction."""
        dsn = self.dsn(SUPERUSER, self.state.secret("db-superuser"), name)
        return await psycopg.AsyncConnection.connect(dsn, autocommit=True)

    async def provision(self, name: str) -> None:
        """See that the roles, the database and its extension exist; safe to repeat.

        Raises:
            DeployError: the server refuses; the message says why.
        """
        try:
            async with await self.connect() as connection:
                await make_roles(connection, {role: self.state.secret(secret) for role, secret in ROLES.items()})
                await make_database(connection, name)
            async with await self.connect(name) as connection:
                await connection.execute("create extension if not exists timescaledb")
                await _silence_licensed_jobs(connection)
                # The owner of the database keeps its rights on the schema as pg_database_owner.
                await connection.execute("revoke all on schema public from public")
        except psycopg.Error as error:
            raise DeployError(f"The database at {self.host}:{self.port} could not be prepared: {error}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A server that we run.

    Attributes:
        durable: False trades crash safety for speed; only tests of other things may.
    """

    runtime: Runtime
    state: State
    port: int
    durable: bool = True

    def prepare(self) -> None:
        """Make the data folder when it is missing, and write the settings.

        Raises:
            DeployError: initdb failed.
        """
        data = self.state.database
        if not (data / "PG_VERSION").exists():
            self._initialise()
        (data / "xunlu.conf").write_text(self._settings(), "utf-8")
        give(data / "xunlu.conf")

    def _initialise(self) -> None:
        data = self.state.database
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = data.with_name("database.password")
        password.touch(mode=0o600)
        password.write_text(self.state.secret("db-superuser"), "utf-8")
        give(data)
        give(password)
        initdb: list[str | Path] = [self.runtime.postgres_bin / "initdb", "--pgdata", data, "--username", SUPERUSER]
        initdb += ["--pwfile", password, "--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums"]
        initdb += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        initdb += [] if self.durable else ["--no-sync"]
        try:
            subprocess.run(
                command(initdb, unprivileged_in=[data, self.runtime.postgres_bin]),
                check=True, capture_output=True, text=True, timeout=120, cwd="/",
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            raise DeployError(f"The database could not be made in {data}:\n{error.stderr[-2000:]}") from error
        finally:
            password.unlink()
        local = data / "local.conf"
        local.write_text("# Settings of this installation; they win over xunlu.conf.\n", "utf-8")
        give(local)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as main:
            main.write("\ninclude = 'xunlu.conf'\ninclude = 'local.conf'\n")

    def _settings(self) -> str:
        shared = min(1024, max(128, _memory_bytes() // MEGABYTE // 8))
        values = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "shared_preload_libraries": "timescaledb",
            "timescaledb.telemetry_level": "off",
            "jit": "off",
            "password_encryption": "scram-sha-256",
            "max_connections": 100,
            "shared_buffers": f"{shared}MB",
            "effective_cache_size": f"{shared * 3}MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "wal_compression": "lz4",
            "random_page_cost": "1.1",
            "max_worker_processes": 24,
            "max_locks_per_transaction": 256,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "log_min_duration_statement": "2s",
            "log_checkpoints": "off",
        }
        if not self.durable:
            values |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        lines = [f"{name} = '{value}'" for name, value in values.items()]
        head = "# Written at every start. Settings of your own belong into local.conf, which is read after this file."
        return "\n".join([head, *lines, ""])

    def process(self) -> Process:
        """How the server runs."""
        data = self.state.database
        return Process(
            name="database",
            argv=command(
                [self.runtime.postgres_bin / "postgres", "-D", data],
                death_signal=signal.SIGINT,
                unprivileged_in=[data, self.runtime.postgres_bin],
            ),
            ready=self.answers,
            # The fast shutdown: SIGTERM would wait for clients (PostgreSQL, "Shutting Down the Server").
            stop_signal=signal.SIGINT,
        )

    @property
    def server(self) -> Server:
        """Where it answers."""
        return Server(host=HOST, port=self.port, state=self.state)

    async def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            async with await self.server.connect():
                return True
        except psycopg.OperationalError:
            return False


async def make_roles(connection: psycopg.AsyncConnection, passwords: dict[str, str]) -> None:
    """See that login roles exist with these passwords and no other right."""
    for role, password in passwords.items():
        cursor = await connection.execute("select from pg_roles where rolname = %s", [role])
        verb = sql.SQL("alter" if cursor.rowcount else "create")
        await connection.execute(
            sql.SQL("{} role {} login nosuperuser nocreatedb nocreaterole password {}").format(
                verb, sql.Identifier(role), sql.Literal(password)
            )
        )


async def make_database(connection: psycopg.AsyncConnection, name: str) -> None:
    """See that a database of the owner exists, which only the known roles may enter."""
    cursor = await connection.execute("select from pg_database where datname = %s", [name])
    if not cursor.rowcount:
        await connection.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        )
    await connection.execute(sql.SQL("revoke connect on database {} from public").format(sql.Identifier(name)))
    for role in ROLES:
        await connection.execute(
            sql.SQL("grant connect on database {} to {}").format(sql.Identifier(name), sql.Identifier(role))
        )


async def _silence_licensed_jobs(connection: psycopg.AsyncConnection) -> None:
    """The Apache edition schedules jobs of its own that it then refuses to run, with an error in the log each time."""
    await connection.execute(
        "update _timescaledb_config.bgw_job set scheduled = false "
        "where current_setting('timescaledb.license') = 'apache' and scheduled"
    )


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
