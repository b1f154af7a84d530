"""Who has the floor of which talk group now, as the talk server's retained messages say."""

import logging
from typing import Any

from xunlu_kit.clock import Clock
from xunlu_kit.mqtt import Message
from xunlu_protocol.talk import FloorState
from xunlu_protocol.topics import floor

log = logging.getLogger(__name__)

GROUPS_MAX = 20_000
GRACE_MS = 5000
"""A burst that has not ended so long after its latest end belongs to a talk server that died."""


class Floors:
    """Owner of that knowledge in one process.

    Attributes:
        dropped: states of more groups than the bound.
    """

    def __init__(self, clock: Clock, tenant: str) -> None:
        self.dropped = 0
        self._clock = clock
        self._start, self._end = floor(tenant, "\n").split("\n")
        self._states: dict[str, FloorState] = {}
        self._talking: dict[str, str] = {}

    def receive(self, message: Message) -> None:
        """Take a state; an empty payload forgets a group.

        Raises:
            ProtocolError: it is none.
        """
        gid = message.topic.removeprefix(self._start).removesuffix(self._end)
        if not message.payload:
            self._states.pop(gid, None)
            return
        state = FloorState.decode(message.payload)
        known = self._states.get(gid)
        if state.gid != gid or (known is not None and (state.epoch, state.tms) < (known.epoch, known.tms)):
            log.warning("stale or foreign floor state", extra={"gid": gid, "epoch": state.epoch})
            return
        if known is None and len(self._states) >= GROUPS_MAX:
            self.dropped += 1
            return
        self._states[gid] = state

    def of(self, gid: str) -> FloorState | None:
        """Who has the floor of a group; None while nobody has."""
        state = self._states.get(gid)
        if state is None or state.talker is None or state.until is None:
            return None
        return state if state.until + GRACE_MS > self._clock.time_ms() else None

    def take_changed(self) -> set[str]:
        """Devices that began or ceased to talk since the last call."""
        talking = {did: gid for gid in self._states if (state := self.of(gid)) for did in _devices(state)}
        before, self._talking = self._talking, talking
        return {did for did in before.keys() | talking.keys() if before.get(did) != talking.get(did)}

    def fields(self, did: str) -> dict[str, Any]:
        """What consoles are told of a device: the group in which it talks, None while it is silent."""
        return {"talk": self._talking.get(did)}


def _devices(state: FloorState) -> list[str]:
    """Of everybody who talks."""
    return [did for did in (state.did, *(other.did for other in state.others)) if did is not None]
