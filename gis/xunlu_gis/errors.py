"""Errors of maps, tracks, zones and reports; all belong to the tree of `xunlu_kit.errors`."""

from typing import Literal

from xunlu_kit.errors import XunluError

ZoneCode = Literal[
    "unusable", "no-feature", "empty", "points", "outside", "geometry", "radius", "width", "flat", "large",
    "file-format", "file-unreadable", "file-empty", "file-shapes", "file-datums", "file-geojson",
    "no-places", "few-places", "many-places", "no-place",
]  # fmt: skip
"""Why something is no zone."""


class MapError(XunluError):
    """A map source or a map bundle cannot be used; the message says what to do."""


class TrackError(XunluError):
    """A track file cannot be read; the message says what to do."""


class ZoneError(XunluError):
    """A zone cannot be used as it was drawn or described; the message says what to do.

    Attributes:
        code: why; a console has its own words for each.
        values: what those words fill in.
    """

    def __init__(self, message: str, code: ZoneCode = "unusable", **values: str | float) -> None:
        super().__init__(message)
        self.code: ZoneCode = code
        self.values = values


class ReportError(XunluError):
    """A report cannot be made; the message says what to do."""
