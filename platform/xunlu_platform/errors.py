"""What goes wrong between the platform and its database."""

from xunlu_kit.errors import XunluError


class StoreError(XunluError):
    """The database said no, or is not what this version needs."""


class NotFoundError(StoreError):
    """Nothing of that name within the caller's scope."""


class TooMuchError(StoreError):
    """The answer would be larger than one answer may be; the message says how to ask for less."""


class ConflictError(StoreError):
    """What is stored forbids the change; the message says what to do.

    Attributes:
        reason: stable name of why.
    """

    reason = "taken-or-used"


class OutOfScopeError(ConflictError):
    """The change would reach out of what its author sees."""

    reason = "out-of-scope"


class OverlapError(ConflictError):
    """Somebody would be on two shifts at once."""

    reason = "shift-overlap"


class UnstorableError(StoreError):
    """A value breaks a bound of the schema.

    Attributes:
        reason: stable name of why.
    """

    reason = "unstorable"
