"""Errors of maps, tracks, zones and reports; all belong to the tree of `xunlu_kit.errors`."""

from xunlu_kit.errors import XunluError


class MapError(XunluError):
    """A map source or a map bundle cannot be used; the message says what to do."""


class TrackError(XunluError):
    """A track file cannot be read; the message says what to do."""


class ZoneError(XunluError):
    """A zone cannot be used as it was drawn or described; the message says what to do."""


class ReportError(XunluError):
    """A report cannot be made; the message says what to do."""
