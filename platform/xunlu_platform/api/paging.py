"""Pages by key: a cursor is the key of the last item, opaque to clients, so that no page repeats or skips rows."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, TypeAdapter

from xunlu_platform.api.problems import invalid
from xunlu_platform.store.store import Row

LIMIT_MAX = 500

Item = TypeVar("Item")
Key = TypeVar("Key")

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items of a page at most.")]
After = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]


class Answer(BaseModel):
    """Base of all answers: built from rows, nothing inferred."""

    model_config = ConfigDict(frozen=True)


class Page(Answer, Generic[Item]):
    """Some items, and the cursor of the next page when there are more."""

    items: list[Item]
    next: str | None


def encode_cursor(key: object) -> str:
    """A key as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, kind: type[Key]) -> Key | None:
    """The key of a cursor; a cursor that we did not make is a problem, not a crash."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return TypeAdapter(kind).validate_json(text, strict=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("after", "cursor", "Use the cursor `next` of the page before as it is.") from error


def page(rows: Sequence[Row], limit: int, key: Callable[[Row], object]) -> dict[str, object]:
    """Cut `limit` + 1 rows to a page; one row too many says that there are more."""
    more = len(rows) > limit
    return {"items": list(rows[:limit]), "next": encode_cursor(key(rows[limit - 1])) if more else None}
