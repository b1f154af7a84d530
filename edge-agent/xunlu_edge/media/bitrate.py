"""What the uplink carries, from what the relay says of it: its estimate (REMB) and the loss that it sees (RR).

The loss rule is that of the send side of Google Congestion Control (draft-ietf-rmcat-gcc-02 §6): below 2 % grow, above
10 % shrink by half of it, between them stay.

An estimate can only speak of what was sent: while a calm scene needs few bits, it stays near them (§5.5 bounds it to
1.5 times what arrives). So it is a limit only where it is no more than what is being sent.
"""

FLOOR_BPS = 100_000
START_BPS = 600_000
LOSS_LOW, LOSS_HIGH = 0.02, 0.10
GROWTH_PER_S = 1.08
# Up to an estimate, growth may be bolder.
GUIDED_GROWTH_PER_S = 1.3
LIMITING_SHARE = 1.1
# An estimate that is not repeated says nothing any more.
ESTIMATE_LASTS_S = 10.0
# After an outage nobody knows the way: begin low, but not at the bottom.
OUTAGE_SHARE = 0.5
STEP_S_MAX = 2.0


class BitrateController:
    """Decides the bitrate of the whole stream; time is passed in, in monotonic seconds.

    Attributes:
        target_bps: what may be sent.
    """

    def __init__(self, ceiling_bps: int, now_s: float) -> None:
        """Begin carefully.

        Args:
            ceiling_bps: never more, at least `FLOOR_BPS` counts.
            now_s: monotonic time.
        """
        self.ceiling_bps = max(ceiling_bps, FLOOR_BPS)
        self.target_bps = float(min(START_BPS, self.ceiling_bps))
        self._estimate_bps: float | None = None
        self._estimated_s = now_s
        self._judged_s = now_s
        self._sent_bps = 0.0

    def limit(self, ceiling_bps: int) -> None:
        """Change the upper bound."""
        self.ceiling_bps = max(ceiling_bps, FLOOR_BPS)
        self._set(self.target_bps)

    def sent(self, bitrate_bps: float) -> None:
        """So much was sent in the last second."""
        self._sent_bps = bitrate_bps

    def estimated(self, bitrate_bps: float, now_s: float) -> None:
        """The relay estimates what comes through (REMB)."""
        self._estimate_bps, self._estimated_s = bitrate_bps, now_s
        self._set(self.target_bps)

    def reported(self, lost: float, now_s: float) -> None:
        """The relay reports the share of packets that were lost since its last report, 0–1."""
        passed_s = min(max(0.0, now_s - self._judged_s), STEP_S_MAX)
        self._judged_s = now_s
        if now_s - self._estimated_s > ESTIMATE_LASTS_S:
            self._estimate_bps = None
        if lost > LOSS_HIGH:
            self._set(self.target_bps * (1 - 0.5 * lost))
        elif lost < LOSS_LOW:
            grown_bps = self.target_bps * GROWTH_PER_S**passed_s
            if self._estimate_bps is not None:
                grown_bps = max(grown_bps, min(self._estimate_bps, self.target_bps * GUIDED_GROWTH_PER_S**passed_s))
            self._set(grown_bps)

    def interrupted(self) -> None:
        """Nothing came through for a while."""
        self._estimate_bps = None
        self._set(min(self.target_bps * OUTAGE_SHARE, START_BPS))

    def _set(self, bitrate_bps: float) -> None:
        bounds = [bitrate_bps, float(self.ceiling_bps)]
        if self._estimate_bps is not None and self._estimate_bps < LIMITING_SHARE * self._sent_bps:
            bounds.append(self._estimate_bps)
        self.target_bps = max(min(bounds), float(FLOOR_BPS))
