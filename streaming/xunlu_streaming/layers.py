"""Which layer of a simulcast a viewer should get.

Down at once, for a link that is too narrow freezes the picture; up with patience. A viewer's estimate grows no further
than what it is sent has proved, so that a link which seems just wide enough for a small layer may carry a large one.
That is tried now and then, and less often each time it fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 1.1
"""A layer may measure this much above the estimate before it is given up: keyframes make its bitrate uneven."""
HEADROOM = 1.2
"""An estimate this much above a larger layer proves that it fits."""
PROVED = 1.3
"""An estimate this much above the present layer may well be held down by the layer alone; it ends at 1.5."""
RISE_S = 3.0
"""How long an estimate must prove a larger layer."""
TRIAL_S = 10.0
"""How long a larger layer may exceed the estimate, which grows by 8 % a second (draft-ietf-rmcat-gcc-02 §5.5)."""
TRIAL_FALL = 0.95
"""An estimate that falls below this part of its peak ends a trial."""
TRIAL_LOSS = 0.10
"""So does this loss: the queue of the link is full."""
PATIENCE_S = 8.0
"""How long before a trial; twice as long after each failure."""
PATIENCE_MAX_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A layer as it is published now.

    Attributes:
        rid: its name.
        bitrate_bps: measured; 0 while it is not sent.
        height: pixels of its last keyframe; 0 before the first.
    """

    rid: str
    bitrate_bps: int
    height: int


class Chooser:
    """The choice for one viewer over time.

    It only names the layer: the change itself comes with that layer's next keyframe; until then the old one goes on.
    """

    def __init__(self) -> None:
        self._before: str | None = None
        self._room_since_s: float | None = None
        self._risen_s: float | None = None
        self._peak_bps = 0
        self._patience_s = PATIENCE_S

    def choose(
        self,
        offers: Sequence[Offer],
        bandwidth_bps: int | None,
        current: str | None,
        now_s: float,
        *,
        height: int | None = None,
        loss: float = 0.0,
    ) -> str | None:
        """The layer that the viewer should get.

        Args:
            offers: the publisher's layers, in any order.
            bandwidth_bps: what the viewer's downlink carries; None while nobody knows, which is no reason to send less.
            current: the layer that it gets; None before the first.
            now_s: monotonic seconds.
            height: pixels of its window; a layer larger than the smallest that fills it is a waste. None for any.
            loss: of its last receiver report, 0 to 1.

        Returns:
            A RID; `current` when no layer is sent.
        """
        useful = rising(offers, height)
        place = next((number for number, one in enumerate(useful) if one.rid == current), None)
        if current != self._before:
            self._note_change([one.rid for one in useful[: place or 0]], current, now_s)
        if not useful:
            return current
        if bandwidth_bps is None:
            return useful[-1].rid
        if place is None:
            return best_within(useful, bandwidth_bps).rid
        if useful[place].bitrate_bps <= TOLERANCE * bandwidth_bps:
            return self._rise(useful[place:], bandwidth_bps, now_s).rid
        self._room_since_s = None
        if self._on_trial(bandwidth_bps, loss, now_s):
            return current
        self._note_failure()
        return best_within(useful[: place + 1], bandwidth_bps).rid

    def _rise(self, useful: Sequence[Offer], bandwidth_bps: int, now_s: float) -> Offer:
        """The present layer, which comes first, or a larger one that is proved or worth a trial."""
        if self._risen_s is not None and now_s - self._risen_s > TRIAL_S:
            self._risen_s, self._patience_s = None, PATIENCE_S
        present, larger = useful[0], useful[1:]
        proved = [one for one in larger if HEADROOM * one.bitrate_bps <= bandwidth_bps]
        if not larger or not (proved or bandwidth_bps >= PROVED * present.bitrate_bps):
            self._room_since_s = None
            return present
        if self._room_since_s is None:
            self._room_since_s = now_s
        room_s = now_s - self._room_since_s
        if proved and room_s >= RISE_S:
            return proved[-1]
        return larger[0] if room_s >= self._patience_s else present

    def _on_trial(self, bandwidth_bps: int, loss: float, now_s: float) -> bool:
        """Whether a layer that exceeds the estimate may still prove that the estimate is too low."""
        if self._risen_s is None or now_s - self._risen_s > TRIAL_S or loss > TRIAL_LOSS:
            return False
        self._peak_bps = max(self._peak_bps, bandwidth_bps)
        return bandwidth_bps >= TRIAL_FALL * self._peak_bps

    def _note_change(self, lower: Sequence[str], current: str | None, now_s: float) -> None:
        self._risen_s = now_s if self._before in lower else None
        self._before, self._room_since_s, self._peak_bps = current, None, 0

    def _note_failure(self) -> None:
        if self._risen_s is not None:
            self._risen_s = None
            self._patience_s = min(PATIENCE_MAX_S, 2 * self._patience_s)


def rising(offers: Sequence[Offer], height: int | None) -> list[Offer]:
    """The layers that are sent, smallest bitrate first, none larger than the smallest that fills `height`."""
    sent = sorted((one for one in offers if one.bitrate_bps > 0), key=lambda one: one.bitrate_bps)
    if height is None:
        return sent
    enough = next((number for number, one in enumerate(sent) if one.height >= height), len(sent))
    return sent[: enough + 1]


def best_within(useful: Sequence[Offer], bandwidth_bps: int) -> Offer:
    """The largest layer that the bandwidth carries; the smallest one when it carries none."""
    return next((one for one in reversed(useful) if one.bitrate_bps <= bandwidth_bps), useful[0])
