"""The real database and broker for tests, on free ports, in a folder of their own."""

import contextlib
import itertools
import os
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from tests.repository import ROOT
from xunlu_deploy.broker import SECRETS, MessageBroker, TlsListener
from xunlu_deploy.child import Child
from xunlu_deploy.database import HOST, OWNER, ROLES, SUPERUSER, Database
from xunlu_deploy.runtime import find_or_make
from xunlu_deploy.settings import PORTS
from xunlu_deploy.state import State
from xunlu_deploy.tls import ensure_certificate
from xunlu_kit.mqtt import Broker, Session, SessionOptions, Subscription
from xunlu_platform.store.migrations import migrate

TEMPLATE = "xunlu_template"
RETAINED_WAIT_S = 0.3
_numbers = itertools.count(1)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def free_block() -> int:
    """First port of a block (PORT) that is wholly free, below the range that the kernel hands out by itself."""
    for base in random.sample(range(12_000, 30_000, 20), 50):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + PORTS):
                    each = stack.enter_context(socket.socket())
                    each.bind((HOST, port))
            except OSError:
                continue
            return base
    raise AssertionError("no free block of ports")


@dataclass(frozen=True, kw_only=True, slots=True)
class TestDatabase:
    """One database of the test server, as the platform's settings name it."""

    __test__ = False

    server: Database
    name: str

    @property
    def host(self) -> str:
        return HOST

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def secrets(self) -> Path:
        return self.server.state.secrets

    def dsn(self, role: str = "owner") -> str:
        """Connection string of `owner`, `api`, `ingest`, `jobs` or `superuser`."""
        if role == "superuser":
            return self.server.server.dsn(SUPERUSER, self.server.state.secret("db-superuser"), self.name)
        user = f"xunlu_{role}"
        return self.server.server.dsn(user, self.server.state.secret(ROLES[user]), self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class TestBroker:
    """The test broker: servers by its plain listener, devices by its TLS listener."""

    __test__ = False

    server: MessageBroker
    tls_port: int
    ca_file: Path

    @property
    def host(self) -> str:
        return HOST

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def secrets(self) -> Path:
        return self.server.state.secrets

    def account(self, name: str) -> Broker:
        """One of our own accounts (`xunlu-api`, `claim`, …) at the plain listener."""
        password = self.server.state.secret(SECRETS[name])
        return Broker(host=HOST, port=self.port, username=name, password=password)

    def device(self, username: str, password: str) -> Broker:
        """A device at the public listener."""
        return Broker(host=HOST, port=self.tls_port, username=username, password=password, ca_file=self.ca_file)


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Both services with their processes, which a test may kill and start again."""

    state: State
    database: Database
    broker: MessageBroker
    test_broker: TestBroker
    children: dict[str, Child]

    async def restart(self, name: str) -> None:
        """Start `database` or `broker` again after a test has killed it."""
        child = Child(self.children[name].process, self.state.logs)
        await child.start()
        self.children[name] = child

    def test_database(self, name: str) -> TestDatabase:
        return TestDatabase(server=self.database, name=name)


@asynccontextmanager
async def running_services(folder: Path, *, durable: bool) -> AsyncIterator[Services]:
    """Start a database server and a broker below `folder`; stop them at the end.

    Args:
        folder: empty; holds all their state.
        durable: whether the database must survive a kill; slower.
    """
    runtime = find_or_make(Path(os.environ.get("XUNLU_RUNTIME", ROOT / ".xunlu" / "runtime")))
    state = State(folder)
    state.make_secrets()
    database_port, plain_port, tls_port = free_ports(3)
    certificate = ensure_certificate(state.tls)
    tls = TlsListener(port=tls_port, certificate=certificate.certificate, key=certificate.key, host=HOST)
    database = Database(runtime=runtime, state=state, port=database_port, durable=durable)
    broker = MessageBroker(runtime=runtime, state=state, port=plain_port, tls=tls)
    children = {}
    try:
        for server in (database, broker):
            server.prepare()
            process = server.process()
            children[process.name] = Child(process, state.logs)
            await children[process.name].start()
        test_broker = TestBroker(server=broker, tls_port=tls_port, ca_file=certificate.authority)
        yield Services(state=state, database=database, broker=broker, test_broker=test_broker, children=children)
    finally:
        for child in reversed(children.values()):
            await child.stop()


async def make_template(services: Services) -> None:
    """Make the migrated database that each test's own is a copy of."""
    await services.database.server.provision(TEMPLATE)
    await migrate(services.test_database(TEMPLATE).dsn())
    # Nobody may be inside a template that is copied, TimescaleDB's scheduler included.
    async with await services.database.server.connect() as connection:
        await connection.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(TEMPLATE)))
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [TEMPLATE]
        )


@asynccontextmanager
async def fresh_database(services: Services) -> AsyncIterator[TestDatabase]:
    """A copy of the template, dropped at the end."""
    name = f"xunlu_test_{next(_numbers)}"
    async with await services.database.server.connect() as connection:
        await connection.execute(
            sql.SQL("create database {} template {} owner {}").format(*map(sql.Identifier, (name, TEMPLATE, OWNER)))
        )
    try:
        yield services.test_database(name)
    finally:
        async with await services.database.server.connect() as connection:
            await connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def forget_retained(broker: TestBroker, *topics: str) -> None:
    """Withdraw what is retained below these filters."""
    options = SessionOptions(
        client_id=f"forget-{next(_numbers)}", subscriptions=[Subscription(topic=topic) for topic in topics]
    )
    async with Session(broker.account("xunlu-jobs"), options) as session:
        await session.wait_connected()
        while messages := await session.batch(1000, RETAINED_WAIT_S):
            for message in messages:
                session.acknowledge(message)
                if message.payload:
                    await session.publish(message.topic, b"", retain=True)
