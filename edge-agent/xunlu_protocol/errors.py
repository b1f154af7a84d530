"""What is wrong with a message from outside."""

from xunlu_kit.errors import XunluError


class ProtocolError(XunluError):
    """Bytes from outside break the contract.

    Attributes:
        reason: a short word to count by, such as `json`, `latitude`, `topic`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
