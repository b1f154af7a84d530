"""What the parts of the agent know of each other; each field has one writer."""

from dataclasses import dataclass, field

from xunlu_edge.gate import Fix
from xunlu_edge.gnss.epoch import Epoch
from xunlu_edge.rate import Activity
from xunlu_protocol.shadow import RecorderConfig


@dataclass(kw_only=True, slots=True)
class Situation:
    """The recorder now.

    Attributes:
        epoch: the receiver's last word, fix or not (written by positions).
        fix: the last fix that passed the gate (positions).
        sos: an SOS is on (events).
        config: the configuration in force (shadow).
        asked_interval_s: of the command `track_interval` (actions).
        asked_until_s: monotonic time at which that ends (actions).
    """

    epoch: Epoch | None = None
    fix: Fix | None = None
    sos: bool = False
    config: RecorderConfig = field(default_factory=RecorderConfig)
    asked_interval_s: float | None = None
    asked_until_s: float = 0.0

    def activity(self, now_s: float, *, recording: bool) -> Activity:
        """What decides the rate at monotonic time `now_s`."""
        asked = self.asked_interval_s if now_s < self.asked_until_s else None
        return Activity(recording=recording, sos=self.sos, interval_s=asked)
