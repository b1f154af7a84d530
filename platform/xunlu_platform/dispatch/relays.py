"""What the relay workers carry now, as their own frames say. A worker that falls silent takes its paths with it."""

import logging
from dataclasses import dataclass
from typing import Any

from xunlu_kit.clock import Clock
from xunlu_protocol.media import MediaFrame, PathState

log = logging.getLogger(__name__)

SILENT_S = 6.0
WORKERS_MAX = 64
PATHS_MAX = 20_000
"""Of one worker."""


@dataclass(frozen=True, slots=True)
class LivePath:
    """A path that somebody publishes, and the worker that relays it."""

    worker: str
    state: PathState


@dataclass(frozen=True, slots=True)
class _Worker:
    paths: dict[str, PathState]
    heard_s: float


class Relays:
    """Owner of that knowledge in one process.

    Attributes:
        live: paths with a publisher, by device.
        dropped: frames of more workers than the bound.
    """

    def __init__(self, clock: Clock) -> None:
        self.live: dict[str, LivePath] = {}
        self.dropped = 0
        self._clock = clock
        self._workers: dict[str, _Worker] = {}
        self._told: dict[str, dict[str, PathState]] = {}
        self._changed: set[str] = set()

    def take(self, frame: MediaFrame) -> None:
        """Take a frame; those of one telling together name every live path of their worker."""
        known = self._workers.keys() | self._told.keys()
        if frame.worker not in known and len(known) >= WORKERS_MAX:
            self.dropped += 1
            return
        paths = self._told.pop(frame.worker, {}) | {path.did: path for path in frame.paths if path.live}
        if frame.more and len(paths) < PATHS_MAX:
            self._told[frame.worker] = paths
            return
        self._workers[frame.worker] = _Worker(paths, self._clock.monotonic_s())
        self._settle()

    def forget_silent(self) -> None:
        """Forget the workers whose frames stopped."""
        silent_s = self._clock.monotonic_s() - SILENT_S
        silent = [name for name, worker in self._workers.items() if worker.heard_s < silent_s]
        for name in silent:
            del self._workers[name]
        if silent:
            log.warning("relay fell silent", extra={"workers": silent})
            self._settle()

    def take_changed(self) -> set[str]:
        """Devices of which `fields` may have changed since the last call."""
        self.forget_silent()
        changed, self._changed = self._changed, set()
        return changed

    def fields(self, did: str) -> dict[str, Any]:
        """What consoles are told of a device: how many watch it, None when it is not live; whether it is recorded."""
        path = self.live.get(did)
        return {"live": None, "srec": False} if path is None else _fields(path)

    def _settle(self) -> None:
        """A path that two workers claim, such as while it moves, belongs to the one that has it since later."""
        live: dict[str, LivePath] = {}
        for name, worker in self._workers.items():
            for did, state in worker.paths.items():
                if did not in live or live[did].state.since_ms < state.since_ms:
                    live[did] = LivePath(name, state)
        before, self.live = self.live, live
        both = before.keys() & live.keys()
        self._changed |= before.keys() ^ live.keys()
        self._changed |= {did for did in both if _fields(before[did]) != _fields(live[did])}


def _fields(path: LivePath) -> dict[str, Any]:
    return {"live": path.state.viewers, "srec": path.state.recorded}
