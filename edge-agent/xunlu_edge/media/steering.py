"""What the relay asks of the encoder: how many bits, and when a picture that stands alone."""

from xunlu_edge.media.bitrate import BitrateController

# Many viewers may lose the same packet: one keyframe serves all who ask within this time.
KEYFRAME_S_MIN = 0.4


class Steering:
    """Asked for by the session, followed by the encoder.

    Attributes:
        bitrate: decides the bits.
        keyframes: that were asked for and made.
    """

    def __init__(self, bitrate: BitrateController) -> None:
        self.bitrate = bitrate
        self.keyframes = 0
        self._wanted = True
        self._made_s = float("-inf")

    def want_keyframe(self) -> None:
        """Somebody cannot go on without one."""
        self._wanted = True

    def takes_keyframe(self, now_s: float) -> bool:
        """Whether the picture of monotonic time `now_s` is to stand alone."""
        if not self._wanted or now_s - self._made_s < KEYFRAME_S_MIN:
            return False
        self._wanted, self._made_s = False, now_s
        self.keyframes += 1
        return True
