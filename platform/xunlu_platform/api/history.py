"""Lists of what happened, newest first: the filters that they share, and their pages by instant and name."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from xunlu_platform.api.paging import After, Limit, decode_cursor, page
from xunlu_platform.api.periods import From, To
from xunlu_platform.store.store import Row

# Not a path parameter: these filter lists.
DidFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Of this device only.")]

_PARAMETERS = {"since": "from", "until": "to"}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewestFirst:
    """A page of a list; what derives from it adds filters, all of which must hold."""

    limit: Limit = 100
    after: After = None

    def values(self) -> dict[str, object]:
        """Parameters of the query, each filter by its name in the address; one row more than the page has.

        Raises:
            Problem: 422, a cursor that we did not make.
        """
        given = {_PARAMETERS.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}
        after_at, after_id = decode_cursor(self.after, tuple[AwareDatetime, str]) or (None, None)
        return {**given, "id": None, "limit": self.limit + 1, "after_at": after_at, "after_id": after_id}

    def page(self, rows: Sequence[Row], at: str) -> dict[str, object]:
        """The page of the rows that were found.

        Args:
            rows: in the order of `at` and `id`, descending.
            at: the column of their instant.
        """
        return page(rows, self.limit, lambda row: [row[at].isoformat(), row["id"]])


@dataclass(frozen=True, kw_only=True, slots=True)
class OfDevice(NewestFirst):
    """What happened with a device in a stretch of time."""

    did: DidFilter = None
    since: From = None
    until: To = None
