"""A bureau of any size: real database and broker with durable settings, officers with recorders, a desk."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from tests.processes import answers, platform_environment, running
from tests.services import Services, TestBroker, TestDatabase, free_ports, running_services
from xunlu_platform.auth.logins import hash_token
from xunlu_platform.store.migrations import migrate

TENANT = "main"
DATABASE = "xunlu"

ORGANISATION = """
insert into unit (tenant, kind, name, path) values (%(tenant)s, 'district', '明江区局', '');
insert into unit (tenant, parent_id, kind, name, path)
  select tenant, id, 'squad', n || '中队', '' from unit, generate_series(1, 20) n;
"""
CREW = """
with squad as (select id, row_number() over (order by id) - 1 as n from unit where kind = 'squad'),
crew as (select i.n, squad.id as unit_id from generate_series(1, %(devices)s) i (n) join squad on squad.n = i.n %% 20),
worn as (insert into device (did, tenant, unit_id, kind, serial, vendor, model, status, approved_at)
  select 'BULK' || to_char(n, 'FM00000'), %(tenant)s, unit_id, 'recorder', 'B' || n, 'bench', 'bulk', 'approved', now()
  from crew order by n returning id, serial),
wearing as (insert into officer (tenant, unit_id, number, name, pinyin)
  select %(tenant)s, unit_id, 'B' || n, '队员' || n, 'duiyuan' || n from crew order by n returning id, number)
insert into binding (device_id, officer_id) select worn.id, wearing.id from worn join wearing on number = serial
"""
STATES = """
insert into device_state (device_id, availability, availability_sid, availability_at, birth_sid)
  select id, 'online', 1, now(), 1 from device
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bureau:
    """Services, a migrated database, and devices BULK00001 … of 20 squads, each worn by an officer."""

    services: Services
    database: TestDatabase
    dids: list[str]

    @property
    def broker(self) -> TestBroker:
        """The broker."""
        return self.services.test_broker

    async def connect(self, role: str = "owner") -> psycopg.AsyncConnection:
        """The database without the platform; every statement is its own transaction."""
        return await psycopg.AsyncConnection.connect(self.database.dsn(role), autocommit=True)

    async def login(self, kind: Literal["bearer", "cookie"]) -> str:
        """Token of a dispatcher of the whole bureau."""
        token = secrets.token_urlsafe(16)
        async with await self.connect() as connection:
            await connection.execute(
                "with made as (insert into account (unit_id, username, display_name, role, password_hash, "
                "must_change_password) select id, %s, '指挥员', 'dispatcher', 'x', false from unit "
                "where parent_id is null returning id) insert into login (token_hash, account_id, kind, csrf_token, "
                "expires_at) select %s, id, %s, '', now() + interval '1 day' from made",
                [f"desk-{secrets.token_hex(4)}", hash_token(token), kind],
            )
        return token

    @contextlib.asynccontextmanager
    async def ingesting(self, name: str = "ingest-1") -> AsyncIterator[asyncio.subprocess.Process]:
        """`xunlu-platform ingest`, ready to take what devices report."""
        [port] = free_ports(1)
        environment = platform_environment(self.database, self.broker, health_port=port)
        async with running("xunlu_platform", "ingest", "--name", name, environment=environment) as process:
            await answers(f"http://127.0.0.1:{port}/readyz", process)
            yield process


@contextlib.asynccontextmanager
async def running_bureau(folder: Path, *, devices: int) -> AsyncIterator[Bureau]:
    """A bureau with so many recorders, its state below `folder`."""
    async with running_services(folder / "services", durable=True) as services:
        await services.database.server.provision(DATABASE)
        database = services.test_database(DATABASE)
        await migrate(database.dsn())
        dids = [f"BULK{number:05d}" for number in range(1, devices + 1)]
        bureau = Bureau(services=services, database=database, dids=dids)
        async with await bureau.connect() as connection:
            values = {"tenant": TENANT, "devices": devices}
            for statement in (*filter(str.strip, ORGANISATION.split(";\n")), CREW, STATES, "analyze"):
                await connection.execute(statement.encode(), values)
        yield bureau
