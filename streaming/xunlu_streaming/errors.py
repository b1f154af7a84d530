"""What goes wrong with live video.

    StreamError
      SdpError             an offer cannot be read, or asks for what the relay cannot do
      RtcpError            a control packet is malformed
      TokenError           a token is not good for what was asked
      PathBusyError        somebody publishes here already
      TokenBusyError       a session of this token goes on
      NotWantedError       nobody receives the publication any more
      WithdrawnError       the right to look has ended
      OverloadedError      the worker is full

The message tells a person what to do next.
"""

from xunlu_kit.errors import XunluError


class StreamError(XunluError):
    """Live video said no."""


class SdpError(StreamError):
    """An offer cannot be read, or asks for what the relay cannot do.

    Attributes:
        reason: a short word to count by, such as `fingerprint` or `codec`.
        malformed: whether the text breaks the format (400); otherwise it asks for what the relay cannot do (422).
    """

    def __init__(self, reason: str, message: str, *, malformed: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.malformed = malformed


class RtcpError(StreamError):
    """A control packet is malformed.

    Attributes:
        reason: a short word to count by, such as `length`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TokenError(StreamError):
    """A token is not good for what was asked.

    Attributes:
        reason: a short word to count by, such as `expired` or `path`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PathBusyError(StreamError):
    """Somebody publishes here already (409)."""


class TokenBusyError(StreamError):
    """A session of this token goes on (409)."""


class NotWantedError(StreamError):
    """Nobody receives the publication any more (410)."""


class WithdrawnError(StreamError):
    """The right to look has ended (403)."""


class OverloadedError(StreamError):
    """The worker is full (503).

    Attributes:
        retry_after_s: when to try again, seconds.
    """

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
