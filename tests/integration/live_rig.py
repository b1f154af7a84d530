"""Live video as the platform sees it: what relays and the recorder process would say, said by the test."""

import time
from typing import Any

from tests.services import TestDatabase
from xunlu_protocol.media import MediaClaims, MediaFrame, PathState, Viewing
from xunlu_streaming.tokens import public_key, verify


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def path(did: str, *, live: bool = True, **values: Any) -> PathState:
    return PathState(did=did, live=live, since_ms=now_ms() - 5000, **values)


def viewing(name: str, did: str, *, ended: bool = False, **values: Any) -> Viewing:
    """A viewing of the last three seconds."""
    end: dict[str, Any] = {"to_ms": now_ms(), "why": "left"} if ended else {}
    return Viewing(id=name, did=did, from_ms=now_ms() - 3000, **end | values)


def frame(worker: str, *, paths: Any = (), viewings: Any = ()) -> MediaFrame:
    return MediaFrame(worker=worker, tms=now_ms(), paths=tuple(paths), viewings=tuple(viewings))


def claims_of(token: str, database: TestDatabase) -> MediaClaims:
    """What a token says, verified by the relay's own code with the public key alone."""
    key = public_key((database.secrets / "media-key.pub").read_text("utf-8"))
    return verify(token, key, now_s=time.time())
