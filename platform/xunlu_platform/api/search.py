"""What people type into a search box."""

from typing import Annotated

from fastapi import Query

Search = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$", description="Part of a name or number.")]


def pattern(text: str | None) -> str | None:
    """The `ilike` pattern for text anywhere; None when nothing was typed."""
    text = (text or "").strip()
    if not text:
        return None
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
