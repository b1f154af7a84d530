"""What a publisher's uplink carries: the figure of REMB.

The delay between packets tells of a queue that grows before anything is lost, and loss tells of one that is full
(draft-ietf-rmcat-gcc-02 §5 and §6). The lower of both rules.
"""

from xunlu_streaming.adapter import InterArrival, InterArrivalDelta, RemoteBitrateEstimator

PAUSE_MS = 2000
"""After a longer silence nothing that was learnt about the queue holds any more."""
LOSS_HIGH = 0.10
LOSS_LOW = 0.02
GROWTH_PER_S = 1.05
BURST_MS = 100
"""The longest burst, as in libwebrtc."""


class _Groups(InterArrival):
    """Packets that belong together, never for longer than a burst lasts.

    Where packets leave a full queue less than 5 ms apart, above 2 Mbit/s or so, all of them look like one burst to
    aiortc, and it waits for the end of that instead of seeing the queue.
    """

    _began_ms = 0

    def belongs_to_burst(self, timestamp: int, arrival_time: int) -> bool:
        return arrival_time - self._began_ms < BURST_MS and super().belongs_to_burst(timestamp, arrival_time)

    def compute_deltas(self, timestamp: int, arrival_time: int, packet_size: int) -> InterArrivalDelta | None:
        before = self.current_group
        deltas = super().compute_deltas(timestamp, arrival_time, packet_size)
        if self.current_group is not before:
            self._began_ms = arrival_time
        return deltas


def _new_delay() -> RemoteBitrateEstimator:
    estimator = RemoteBitrateEstimator()
    groups = estimator.inter_arrival
    estimator.inter_arrival = _Groups(groups.group_length, groups.timestamp_to_ms)
    return estimator


class Estimator:
    """The uplink of one publisher."""

    def __init__(self, *, floor_bps: int = 100_000, ceiling_bps: int = 20_000_000) -> None:
        """Begin knowing nothing.

        Args:
            floor_bps: never ask for less: below it there is no picture worth its cost.
            ceiling_bps: never ask for more.
        """
        self._floor_bps = floor_bps
        self._ceiling_bps = ceiling_bps
        self._delay = _new_delay()
        self._delay_bps: int | None = None
        self._loss_bps: float | None = None
        self._incoming_bps = 0.0
        self._now_ms: int | None = None
        self._second_ms = 0
        self._second_bytes = 0
        self._loss_ms = 0

    @property
    def bitrate_bps(self) -> int | None:
        """What may be sent to us; None before anything is known, in about the first second."""
        known = [part for part in (self._delay_bps, self._loss_bps) if part is not None]
        return round(min(max(min(known), self._floor_bps), self._ceiling_bps)) if known else None

    def received(self, now_ms: int, abs_send_time: int | None, size: int, ssrc: int) -> None:
        """Take note of a packet.

        Args:
            now_ms: monotonic milliseconds.
            abs_send_time: 24 bits, 6.18 fixed-point seconds; None where the publisher does not say.
            size: bytes of the packet.
            ssrc: of one of the publisher's streams.
        """
        if self._now_ms is None or not 0 <= now_ms - self._now_ms <= PAUSE_MS:
            self._delay = _new_delay()
            self._second_ms, self._second_bytes = now_ms, 0
        self._now_ms = now_ms
        self._second_bytes += size
        if (passed_ms := now_ms - self._second_ms) >= 1000:
            self._incoming_bps = self._second_bytes * 8000 / passed_ms
            self._second_ms, self._second_bytes = now_ms, 0
        if abs_send_time is not None and (found := self._delay.add(now_ms, abs_send_time, size, ssrc)) is not None:
            self._delay_bps = found[0]

    def loss(self, fraction: float) -> None:
        """Take note of a second's loss, before anything was sent again.

        Args:
            fraction: 0 to 1.
        """
        if self._now_ms is None:
            return
        passed_s = min(1.0, (self._now_ms - self._loss_ms) / 1000)
        self._loss_ms = self._now_ms
        if fraction > LOSS_HIGH:
            self._loss_bps = (self.bitrate_bps or self._incoming_bps) * (1 - 0.5 * fraction)
        elif self._loss_bps is None:
            self._loss_bps = self._incoming_bps if self._delay_bps is None and self._incoming_bps else None
        elif fraction < LOSS_LOW:
            # As far as what is sent has proved, for a publisher may well send less than it may.
            proved_bps = max(self._loss_bps, 1.5 * self._incoming_bps)
            self._loss_bps = min(self._loss_bps * GROWTH_PER_S**passed_s, proved_bps)
        if self._loss_bps is not None and self._delay_bps is not None and self._loss_bps > self._delay_bps:
            self._loss_bps = None
