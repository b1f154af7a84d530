"""The floor log keeps what is not confirmed, within its bound."""

from xunlu_streaming.talk.floor_log import FloorLog


def test_of_too_many_entries_the_oldest_are_given_up_and_counted() -> None:
    log = FloorLog(entries_max=100)
    for number in range(130):
        log.note("g", "granted", f"p{number}", grant=number)
    assert (len(log), log.lost) == (100, 30)


def test_confirming_what_was_never_told_changes_nothing() -> None:
    log = FloorLog(entries_max=100)
    log.note("g", "joined", "a")
    log.confirm(("unknown",))
    assert (len(log), log.lost) == (1, 0)
