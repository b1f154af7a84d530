"""What goes wrong between the platform and its database."""

from xunlu_kit.errors import XunluError


class StoreError(XunluError):
    """The database said no, or is not what this version needs."""


class NotFoundError(StoreError):
    """Nothing of that name within the caller's scope."""


class ConflictError(StoreError):
    """What is stored forbids the change; the message says what to do."""


class UnstorableError(StoreError):
    """A value breaks a bound of the schema."""
