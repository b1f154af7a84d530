"""The radio net as the agent knows it: the invitation and the key. What is heavy is imported with the invitation."""

import asyncio
import importlib
import logging
from typing import TYPE_CHECKING

from xunlu_edge.hardware import Hardware, Signal
from xunlu_edge.settings import AgentSettings
from xunlu_edge.situation import Situation
from xunlu_protocol.talk import TalkInvitation

if TYPE_CHECKING:
    from xunlu_edge.talk.participant import Participant

log = logging.getLogger(__name__)

ENGINE = "xunlu_edge.talk.participant"
EMERGENCY = 2
RESTART_S = 10.0


class Radio:
    """Takes part while there is an invitation.

    Attributes:
        participant: None while there is no invitation.
    """

    def __init__(self, hardware: Hardware, settings: AgentSettings, situation: Situation) -> None:
        self.participant: Participant | None = None
        self._hardware = hardware
        self._settings = settings
        self._situation = situation
        self._invitation: TalkInvitation | None = None
        self._changed = asyncio.Event()

    def invite(self, payload: bytes) -> None:
        """What `dn/talk` says: an empty payload withdraws the invitation.

        Raises:
            ProtocolError: it breaks the contract.
        """
        self._invitation = TalkInvitation.decode(payload) if payload else None
        if self.participant is not None and self._invitation is not None:
            self.participant.invite(self._invitation)
        self._changed.set()

    def feel(self, signal: Signal) -> None:
        """The key of push-to-talk goes down or up, or an SOS comes on; without a radio net nobody hears it."""
        if self.participant is None:
            return
        match signal:
            case "ptt":
                self.participant.press(EMERGENCY if self._situation.sos else 0)
            case "ptt_release":
                self.participant.let_go()
            case "sos":
                self.participant.escalate(EMERGENCY)

    async def run(self) -> None:
        """Take part whenever invited, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._invitation is not None and self._hardware.can_talk:
                await self._take_part(self._invitation)

    async def _take_part(self, invitation: TalkInvitation) -> None:
        """Until the invitation is withdrawn; nothing that goes wrong here harms the rest of the agent."""
        try:
            engine = await asyncio.to_thread(importlib.import_module, ENGINE)
            self.participant = engine.Participant(invitation, self._hardware, self._settings)
        except Exception:
            log.exception("push-to-talk cannot begin")
            return
        task = asyncio.create_task(self.participant.run(), name="radio.participant")
        try:
            while self._invitation is not None and not task.done():
                waiting = asyncio.create_task(self._changed.wait(), name="radio.changed")
                await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                self._changed.clear()
        finally:
            self.participant = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("push-to-talk failed, and begins anew", exc_info=error)
            await asyncio.sleep(RESTART_S)
            self._changed.set()
