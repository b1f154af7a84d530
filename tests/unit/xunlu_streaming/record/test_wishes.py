"""An order stands until it is withdrawn, runs out, or is not brought again by a broker that came back."""

from xunlu_kit.mqtt import Message
from xunlu_protocol.media import RecordingOrder
from xunlu_protocol.topics import media_order
from xunlu_streaming.record.wishes import ORDERS_MAX, Wish, Wishes

NOW_S = 1_800_000_000


def order(did: str, *, connection: int = 1, until: int | None = None, payload: bytes | None = None) -> Message:
    known = RecordingOrder(id=f"order-{did}", why="sos", until=until).encode()
    return Message(media_order("main", did), known if payload is None else payload, 1, True, 1, connection)


def test_an_order_names_its_reason_and_the_rule_takes_the_rest() -> None:
    wishes = Wishes(always=True)
    wishes.hear(order("A"))
    assert wishes.of("A", NOW_S) == Wish("sos", "order-A")
    assert wishes.of("B", NOW_S) == Wish("always")
    assert wishes.paths(NOW_S) == {"A", "*"}


def test_an_order_ends_by_its_time_or_by_its_withdrawal() -> None:
    wishes = Wishes(always=False)
    wishes.hear(order("A", until=NOW_S))
    wishes.hear(order("B"))
    assert wishes.paths(NOW_S - 1) == {"A", "B"}
    assert wishes.paths(NOW_S) == {"B"}
    wishes.hear(order("B", payload=b""))
    assert wishes.of("B", NOW_S) is None


def test_what_a_new_connection_does_not_bring_was_withdrawn() -> None:
    wishes = Wishes(always=False)
    wishes.hear(order("A"))
    wishes.hear(order("B"))
    wishes.hear(order("B", connection=2))
    wishes.forget_before(2)
    assert wishes.paths(NOW_S) == {"B"}


def test_orders_that_make_no_sense_or_are_too_many_are_counted() -> None:
    wishes = Wishes(always=False)
    for payload in (b"{", b"{}", b"\xff"):
        wishes.hear(order("A", payload=payload))
    for number in range(ORDERS_MAX + 1):
        wishes.hear(order(f"D{number}"))
    assert wishes.refused == 4
    assert len(wishes.paths(NOW_S)) == ORDERS_MAX
