"""The pool, and the one place where a caller's scope becomes the database's."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from xunlu_platform.errors import ConflictError, OutOfScopeError, StoreError, UnstorableError
from xunlu_platform.store.queries import query

log = logging.getLogger(__name__)

POOL_WAIT_S = 5.0
STATEMENT_TIMEOUT_MS = 30_000

Row = dict[str, Any]
Parameters = Mapping[str, object] | Sequence[object]


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the organisation that a caller may see: a unit path such as `/1/4/`.

    Attributes:
        path: prefix of the unit paths in scope; `/` is everything, for our own processes.
        officer_id: with it, only this officer and the device they wear, within the path.
    """

    path: str
    officer_id: int | None = None

    def sees(self, unit_path: str) -> bool:
        """Whether a unit lies within."""
        return unit_path.startswith(self.path)


SYSTEM = Scope("/")


class Session:
    """One transaction within a scope. Rows come as dictionaries."""

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        self.connection = connection

    async def all(self, file: str, name: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of a named query."""
        cursor = await self.connection.execute(query(file, name), parameters)
        return await cursor.fetchall()

    async def one(self, file: str, name: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a named query, None without one."""
        cursor = await self.connection.execute(query(file, name), parameters)
        return await cursor.fetchone()

    async def run(self, file: str, name: str, parameters: Parameters = ()) -> int:
        """Run a named statement; returns the number of rows it touched."""
        cursor = await self.connection.execute(query(file, name), parameters)
        return cursor.rowcount


class Store:
    """A pool of connections with one database role; an async context manager."""

    def __init__(self, dsn: str, *, connections_max: int = 10) -> None:
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=connections_max,
            open=False,
            timeout=POOL_WAIT_S,
            # A database that comes back is found within seconds, not minutes.
            reconnect_timeout=10,
            check=AsyncConnectionPool.check_connection,
            kwargs={"row_factory": dict_row, "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"},
            configure=_configure,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    @contextlib.asynccontextmanager
    async def session(self, scope: Scope) -> AsyncIterator[Session]:
        """Open a transaction in which only `scope` exists.

        Raises:
            StoreError: the database cannot be reached.
            ConflictError: a uniqueness or a reference of the schema forbids the change.
            UnstorableError: a value is none that the schema takes.
        """
        cancellations = _cancellations()
        try:
            async with self._pool.connection() as connection, connection.transaction():
                # The pool waits with `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes in
                # the same turn as the connection (python/cpython#86296): its task would then run for ever.
                if _cancellations() > cancellations:
                    raise asyncio.CancelledError
                await connection.execute(
                    "select set_config('xunlu.scope', %s, true), set_config('xunlu.officer', %s, true)",
                    [scope.path, "" if scope.officer_id is None else str(scope.officer_id)],
                )
                yield Session(cast("AsyncConnection[DictRow]", connection))
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise StoreError("The database does not answer. Positions are kept and come in when it is back.") from error
        except (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation) as error:
            raise ConflictError("Something with this name exists already, or is still in use.") from error
        except psycopg.errors.InsufficientPrivilege as error:
            # Anything else that is not granted is a mistake of ours.
            if "row-level security" not in str(error):
                raise
            raise OutOfScopeError("This belongs to a part of the organisation that you do not see.") from error
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise UnstorableError("A value is longer, larger or of another form than can be stored.") from error

    async def ping(self) -> None:
        """Raise `StoreError` when the database does not answer."""
        async with self.session(SYSTEM) as session:
            await session.connection.execute("select 1")


def _cancellations() -> int:
    """How often the current task was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


async def _configure(connection: AsyncConnection[Any]) -> None:
    connection.prepare_threshold = 3
    connection.adapters.register_dumper(dict, JsonbDumper)
