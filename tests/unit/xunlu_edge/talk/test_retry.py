"""A recorder comes back quickly to a server that died, and slowly to one that is full."""

import random

from xunlu_edge.talk.retry import CAP_S, QUICK_S, QUICK_TRIES, Retry


def test_a_killed_server_is_tried_often_for_five_seconds_then_ever_less() -> None:
    retry = Retry(random.Random(1))
    quick = [retry.wait_s() for _ in range(QUICK_TRIES)]
    assert max(quick) <= QUICK_S
    assert 3 < sum(quick) < 8
    later = [retry.wait_s() for _ in range(20)]
    assert max(later) <= CAP_S
    assert sum(later[-5:]) > sum(later[:5])


def test_a_full_server_is_not_tried_quickly() -> None:
    retry = Retry(random.Random(2))
    retry.wait_s()
    retry.refused()
    assert sum(retry.wait_s() for _ in range(5)) > 5
