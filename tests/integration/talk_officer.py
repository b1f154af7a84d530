"""An officer with a real recorder: its key, a microphone that sounds a tone, a loudspeaker that remembers."""

import dataclasses
from pathlib import Path

import av

from tests.integration.agent_rig import Recorder
from tests.services import TestBroker
from tests.talk import pitch_hz, until
from tests.unit.xunlu_edge.rig import Keyboard
from xunlu_edge.agent import Agent
from xunlu_edge.hardware import Signal
from xunlu_edge.media.sources import GeneratedSound
from xunlu_edge.media.tone import RATE_HZ
from xunlu_edge.talk.participant import Participant
from xunlu_sim.hardware import Loudspeaker


class Officer:
    """A real agent on the radio net, as its officer presses and hears it.

    Attributes:
        agent: once it runs.
    """

    def __init__(self, broker: TestBroker, state: Path, did: str | None = None) -> None:
        self.recorder = Recorder(broker, state, did)
        self.loudspeaker = Loudspeaker()
        self.recorder.hardware = dataclasses.replace(
            self.recorder.hardware, microphone=GeneratedSound(), loudspeaker=self.loudspeaker
        )
        self.agent: Agent

    @property
    def did(self) -> str:
        return self.recorder.did

    @property
    def participant(self) -> Participant:
        participant = self.agent.radio.participant
        assert participant is not None
        return participant

    @property
    def is_on_the_net(self) -> bool:
        participant = self.agent.radio.participant
        return participant is not None and participant.is_joined

    def press(self, signal: Signal) -> None:
        keys = self.recorder.hardware.keys
        assert isinstance(keys, Keyboard)
        keys.pressed.put_nowait(signal)

    async def is_called(self) -> None:
        """Wait for the tone that says so: the key talks in the call from now on."""
        await until(lambda: self.pieces_at(900) >= 2, "no tone says that somebody calls")

    def pieces_at(self, hz: int, since_s: float = 0.0) -> int:
        """How many pieces of 20 ms with this pitch the officer has heard."""
        return sum(abs(pitch_hz(_frame(pcm)) - hz) < 60 for at_s, pcm in list(self.loudspeaker.heard) if at_s > since_s)

    def heard_since(self, since_s: float) -> int:
        """How many pieces of 20 ms with any tone the officer has heard."""
        return sum(pitch_hz(_frame(pcm)) > 0 for at_s, pcm in list(self.loudspeaker.heard) if at_s > since_s)


def _frame(pcm: bytes) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate = RATE_HZ
    return frame
