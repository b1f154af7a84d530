"""Why an export was not made."""

from typing import Literal

from xunlu_kit.errors import XunluError

Why = Literal["too-much", "gone", "disk", "stopped", "gave-up"]


class ExportError(XunluError):
    """It cannot be made.

    Attributes:
        why: stable name; the console has words for it that say what to do.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(f"The export was not made: {why}.")
        self.why = why
