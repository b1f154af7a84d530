"""Floods of an address are bounded, and so is what is remembered of them."""

from xunlu_kit.clock import SystemClock
from xunlu_streaming.http.throttle import Throttle


class Clock(SystemClock):
    """Time that the test lets pass."""

    now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s


def test_a_burst_is_let_in_and_then_a_trickle() -> None:
    clock = Clock()
    throttle = Throttle(clock, rate_per_s=2, burst=3)
    assert [throttle.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now_s += 0.5
    assert throttle.wait_s("a") == 0
    assert throttle.wait_s("a") > 0


def test_a_long_silence_saves_up_no_more_than_a_burst() -> None:
    clock = Clock()
    throttle = Throttle(clock, rate_per_s=2, burst=3)
    throttle.wait_s("a")
    clock.now_s += 3600
    assert [throttle.wait_s("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_addresses_do_not_pay_for_each_other() -> None:
    throttle = Throttle(Clock(), burst=1)
    assert throttle.wait_s("a") == 0
    assert throttle.wait_s("a") > 0
    assert throttle.wait_s("b") == 0


def test_the_address_that_was_silent_longest_is_forgotten_first() -> None:
    throttle = Throttle(Clock(), burst=1, addresses_max=2)
    for address in ("a", "b", "c"):
        assert throttle.wait_s(address) == 0
    assert throttle.wait_s("c") > 0
    assert throttle.wait_s("b") > 0
    assert throttle.wait_s("a") == 0
