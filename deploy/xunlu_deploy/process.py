"""A process as data: what runs, when it is healthy, how it is stopped."""

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One child of the supervisor.

    Attributes:
        name: names it in messages and its log file.
        argv: the whole command line.
        ready: whether it does its work; asked again and again while it starts.
        environment: added to ours.
        stop_signal: asks it to end.
        start_s: how long it may take to become healthy.
        stop_s: how long it may take to end before it is killed.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    start_s: float = 60.0
    stop_s: float = 20.0
