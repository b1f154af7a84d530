"""The estimate follows a link that is simulated packet by packet: a queue, its delay and its overflow."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.bandwidth import PAUSE_MS, Estimator

FRAME_S = 1 / 25
PACKET_BYTES = 1200
QUEUE_S = 0.3
SSRC = 7


@dataclass
class Uplink:
    """A recorder that sends what it is told to, over a link that carries `link_bps`, with jitter of the radio."""

    estimator: Estimator
    link_bps: float
    stamped: bool = True
    lossy: float = 0.0
    encoder_bps: float = 20e6
    rate_bps: float = 800_000
    now_s: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    _free_s: float = 0.0
    _last_s: float = 0.0
    _sent: int = 0
    _lost: int = 0
    _owed_bytes: float = 0.0

    def run(self, seconds: int) -> list[int | None]:
        """The estimate at the end of each second."""
        return [self._second() for _ in range(seconds)]

    def _second(self) -> int | None:
        for _ in range(round(1 / FRAME_S)):
            self._frame()
        self.estimator.loss(self._lost / self._sent if self._sent else 0)
        self._sent = self._lost = 0
        told = self.estimator.bitrate_bps
        if told is not None:
            self.rate_bps = min(told, self.encoder_bps)
        return told

    def _frame(self) -> None:
        self._owed_bytes += self.rate_bps / 8 * FRAME_S * self.chance.uniform(0.8, 1.2)
        while self._owed_bytes >= PACKET_BYTES:
            self._owed_bytes -= PACKET_BYTES
            self._send(self.now_s)
        self.now_s += FRAME_S

    def _send(self, sent_s: float) -> None:
        self._sent += 1
        begins_s = max(sent_s, self._free_s)
        if begins_s - sent_s > QUEUE_S or self.chance.random() < self.lossy:
            self._lost += 1
            return
        self._free_s = begins_s + PACKET_BYTES * 8 / self.link_bps
        self._last_s = max(self._last_s, self._free_s + 0.02 + self.chance.uniform(0, 0.003))
        stamp = int(sent_s * 2**18) & 0xFF_FFFF if self.stamped else None
        self.estimator.received(int(self._last_s * 1000), stamp, PACKET_BYTES, SSRC)


def mean(values: list[int | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


@pytest.mark.parametrize("link_bps", [600e3, 1.5e6, 4e6])
def test_a_link_is_filled_but_not_its_queue(link_bps: float) -> None:
    told = Uplink(Estimator(), link_bps).run(45)
    assert 0.7 * link_bps <= mean(told[30:]) <= link_bps
    assert max(one or 0 for one in told[30:]) <= 1.1 * link_bps


@pytest.mark.parametrize("link_bps", [600e3, 1.5e6, 4e6])
@pytest.mark.parametrize("stamped", [True, False])
def test_a_link_that_narrows_is_followed_at_once_and_one_that_widens_in_time(link_bps: float, stamped: bool) -> None:
    uplink = Uplink(Estimator(), link_bps, stamped)
    uplink.run(40)
    uplink.link_bps = link_bps / 2
    narrow = uplink.run(15)
    assert mean(narrow[5:]) <= 1.1 * link_bps / 2
    assert mean(narrow[5:]) >= 0.6 * link_bps / 2
    uplink.link_bps = link_bps
    assert max(one or 0 for one in uplink.run(30)) >= 0.8 * link_bps


@pytest.mark.parametrize("link_bps", [600e3, 1.5e6, 4e6])
def test_without_send_times_loss_alone_finds_the_link(link_bps: float) -> None:
    told = Uplink(Estimator(), link_bps, stamped=False).run(60)
    # Where delay says nothing, a tenth above the link is what the loss that is tolerated comes to.
    assert 0.7 * link_bps <= mean(told[45:]) <= 1.12 * link_bps


def test_a_little_loss_of_the_radio_does_not_throttle() -> None:
    told = Uplink(Estimator(), 4e6, lossy=0.05).run(45)
    assert mean(told[30:]) >= 0.7 * 4e6


def test_heavy_loss_rules_where_delay_sees_no_queue() -> None:
    uplink = Uplink(Estimator(), 100e6, encoder_bps=2e6)
    before = uplink.run(30)[-1]
    uplink.lossy = 0.25
    told = uplink.run(4)
    assert before is not None
    assert told[-1] is not None
    assert told[-1] < 0.65 * before


@pytest.mark.parametrize("stamped", [True, False])
def test_a_publisher_that_sends_little_is_not_promised_much(stamped: bool) -> None:
    told = Uplink(Estimator(), 100e6, stamped, encoder_bps=1e6).run(60)
    assert 1e6 <= max(one or 0 for one in told) <= 2e6


def test_the_figure_stays_within_its_bounds() -> None:
    assert Uplink(Estimator(floor_bps=200_000), 50e3, rate_bps=60_000).run(20)[-1] == 200_000
    assert Uplink(Estimator(ceiling_bps=500_000), 4e6).run(20)[-1] == 500_000


def test_nothing_is_known_before_the_first_second() -> None:
    estimator = Estimator()
    estimator.loss(0.5)
    assert estimator.bitrate_bps is None
    estimator.received(1000, None, PACKET_BYTES, SSRC)
    estimator.loss(0.0)
    assert estimator.bitrate_bps is None


@pytest.mark.parametrize("leap_ms", [PAUSE_MS + 1000, 30 * 86_400_000, -10_000])
def test_after_a_pause_the_last_figure_stands_until_there_is_a_better_one(leap_ms: int) -> None:
    uplink = Uplink(Estimator(), 1.5e6)
    uplink.run(30)
    before = uplink.estimator.bitrate_bps
    uplink.estimator.received(int(uplink.now_s * 1000) + leap_ms, 5, PACKET_BYTES, SSRC)
    assert uplink.estimator.bitrate_bps == before


packets = st.tuples(
    st.integers(-5, 3000), st.none() | st.integers(0, 0xFF_FFFF), st.integers(12, 65_535), st.integers(0, 2**32 - 1)
)


@given(st.lists(packets | st.floats(0, 1), max_size=200))
def test_wild_packets_and_losses_keep_the_figure_within_its_bounds(
    moves: list[tuple[int, int | None, int, int] | float],
) -> None:
    estimator, now_ms = Estimator(floor_bps=100_000, ceiling_bps=5_000_000), 1_000_000
    for move in moves:
        if isinstance(move, float):
            estimator.loss(move)
        else:
            now_ms += move[0]
            estimator.received(now_ms, *move[1:])
        assert estimator.bitrate_bps is None or 100_000 <= estimator.bitrate_bps <= 5_000_000
