"""What the relay workers carry, put together from their frames."""

from xunlu_kit.clock import SystemClock
from xunlu_platform.dispatch.relays import Relays
from xunlu_protocol.media import MediaFrame, PathState


def frame(*dids: str, more: bool = False, worker: str = "relay-1") -> MediaFrame:
    paths = tuple(PathState(did=did, live=True, since_ms=1) for did in dids)
    return MediaFrame(worker=worker, tms=1, more=more, paths=paths)


def test_the_frames_of_one_telling_count_together() -> None:
    relays = Relays(SystemClock())
    relays.take(frame("A", "B"))
    assert relays.take_changed() == {"A", "B"}
    relays.take(frame("A", more=True))
    assert relays.take_changed() == set()
    relays.take(frame("C"))
    assert relays.live.keys() == {"A", "C"}
    assert relays.take_changed() == {"B", "C"}


def test_a_worker_that_never_ends_its_telling_is_bounded() -> None:
    relays = Relays(SystemClock())
    for number in range(60):
        relays.take(frame(*(f"D{number}-{one}" for one in range(400)), more=True))
    assert 20_000 <= len(relays.live) < 21_000


def test_more_workers_than_the_bound_are_counted() -> None:
    relays = Relays(SystemClock())
    for number in range(70):
        relays.take(frame(f"D{number}", worker=f"relay-{number}", more=number % 2 == 0))
    assert relays.dropped == 6
