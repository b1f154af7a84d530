"""The API as its clients see it: the real application over the real database and broker, without a socket between."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg
from argon2 import PasswordHasher
from fastapi import FastAPI

from tests.services import TestBroker, TestDatabase
from xunlu_platform.api.services import Services
from xunlu_platform.app import create_app, open_services
from xunlu_platform.auth.logins import hash_token
from xunlu_platform.config import PlatformSettings

PASSWORD = "correct horse battery"
# Cheap parameters: the strength of the hash is not what these tests are about.
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A running application with a small bureau: a district (unit 1) with two squads (2 and 3)."""

    services: Services
    app: FastAPI
    client: httpx2.AsyncClient
    database: TestDatabase

    async def sql(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Look behind the curtain, as the owner."""
        async with await psycopg.AsyncConnection.connect(self.database.dsn(), autocommit=True) as connection:
            cursor = await connection.execute(statement.encode(), parameters)
            return await cursor.fetchall() if cursor.description else []

    async def account(
        self,
        role: str,
        *,
        unit: int = 1,
        username: str | None = None,
        officer: int | None = None,
        must_change: bool = False,
    ) -> int:
        """An account with the password `PASSWORD`."""
        rows = await self.sql(
            "insert into account (unit_id, username, display_name, role, officer_id, password_hash,"
            " must_change_password) values (%s, %s, %s, %s, %s, %s, %s) returning id",
            [unit, username or f"{role}-{secrets.token_hex(3)}", role, role, officer, PASSWORD_HASH, must_change],
        )
        return int(rows[0][0])

    async def token(self, role: str, *, unit: int = 1, officer: int | None = None, must_change: bool = False) -> str:
        """A bearer token of a fresh account."""
        account_id = await self.account(role, unit=unit, officer=officer, must_change=must_change)
        token = secrets.token_urlsafe(32)
        await self.sql(
            "insert into login (token_hash, account_id, kind, csrf_token, expires_at)"
            " values (%s, %s, 'bearer', '', now() + interval '1 hour')",
            [hash_token(token), account_id],
        )
        return token

    async def sign_in(self, role: str, *, unit: int = 1, officer: int | None = None) -> "Caller":
        """A program of a fresh account."""
        return Caller(self.client, await self.token(role, unit=unit, officer=officer))


@dataclass(frozen=True)
class Caller:
    """Requests below `/api/v1` with a bearer token."""

    client: httpx2.AsyncClient
    token: str

    async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("POST", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("PATCH", path, **options)

    async def put(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("PUT", path, **options)


@asynccontextmanager
async def running_platform(database: TestDatabase, broker: TestBroker, **settings: Any) -> AsyncIterator[Platform]:
    """The application and its bureau."""
    ours = {
        "tenant": "main",
        "secrets": database.secrets,
        "database_host": database.host,
        "database_port": database.port,
        "database_name": database.name,
        "broker_host": broker.host,
        "broker_port": broker.port,
    }
    chosen = PlatformSettings(**{**ours, **settings})
    async with open_services(chosen) as services:
        app = create_app(services)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://xunlu.test") as client:
            platform = Platform(services=services, app=app, client=client, database=database)
            await platform.sql(
                "insert into unit (tenant, parent_id, kind, name, path) values"
                " ('main', null, 'district', '示范区局', ''),"
                " ('main', 1, 'squad', '东街中队', ''), ('main', 1, 'squad', '西街中队', '')"
            )
            yield platform
