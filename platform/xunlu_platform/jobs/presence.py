"""Who was there when: server processes, and devices whose last word nobody heard.

The broker keeps the last state of every device (retained), and gives it to plain subscriptions only; the shared one of
the ingest workers sees what happens while they are there. So whoever vanished while everything was down is read here.
"""

import time
from datetime import UTC, datetime
from typing import Any

from xunlu_kit.mqtt import Message
from xunlu_platform.store import housekeeping
from xunlu_platform.store.store import Store
from xunlu_protocol.status import ServerState, State
from xunlu_protocol.topics import parse_up, server_state

SERVER_PREFIX, SERVER_SUFFIX = server_state("\n").split("\n")


async def take_state(store: Store, message: Message) -> None:
    """Store a state of a server process, or a retained one of a device.

    Raises:
        ProtocolError: it is none.
        StoreError: the database does not answer.
    """
    if message.topic.startswith(SERVER_PREFIX):
        state = ServerState.decode(message.payload)
        host = message.topic.removeprefix(SERVER_PREFIX).removesuffix(SERVER_SUFFIX)
        # A will's time is when the connection began; what it says is true from now on.
        at_ms = state.timestamp if state.online else time.time_ns() // 1_000_000
        await housekeeping.note_server_state(store, host=host, at=_instant(at_ms), online=state.online)
    elif message.retain:
        await housekeeping.reconcile_availability(store, parse_up(message.topic).did, _availability(message.payload))


def _availability(payload: bytes) -> dict[str, Any]:
    state, now = State.decode(payload), datetime.now(UTC)
    at = now if state.why == "lost" else min(now, _instant(state.tst * 1000))
    return {"sid": state.sid, "st": state.st, "why": state.why, "at": at, "received_at": now}


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
