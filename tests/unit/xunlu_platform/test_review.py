"""The pure parts of looking back: shapes that are packed, joined and cut, and when the server itself was away."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from xunlu_gis.track import Track
from xunlu_platform.review.evidence import server_down
from xunlu_platform.review.shape import AFTER_MS, BEFORE_MS, Shape, shapes
from xunlu_platform.store.columns import column

HOUR_MS = 3_600_000
BEGIN_MS = 1_772_409_600_000


def walk(from_ms: int, to_ms: int, *, step_ms: int = 5000, late_from_ms: int | None = None) -> Track:
    """A winding way at about 1.2 m/s."""
    times = np.arange(from_ms, to_ms, step_ms)
    along = (times - BEGIN_MS) / 1000 * 0.0000126
    late = np.zeros(len(times)) if late_from_ms is None else np.where(times >= late_from_ms, HOUR_MS, 0)
    return Track.of(
        times, 121.47 + along, 31.23 + 0.001 * np.sin(along * 900), received_ms=times + late,
        speed_mps=np.where(times % 10_000, np.nan, 1.2), sid=np.full(len(times), 7), seq=times // 1000,
    )  # fmt: skip


def around(track: Track, from_ms: int, to_ms: int) -> Track:
    """What a reader of a time gets of a track."""
    return track[(track.time_ms >= from_ms - BEFORE_MS) & (track.time_ms < to_ms + AFTER_MS)]


def test_a_shape_comes_back_from_the_database_as_it_was() -> None:
    track = walk(BEGIN_MS - 60_000, BEGIN_MS + HOUR_MS, late_from_ms=BEGIN_MS + 1_800_000)
    for shape in shapes(track, BEGIN_MS, BEGIN_MS + HOUR_MS):
        back = Shape.unpacked(shape.packed(BEGIN_MS), BEGIN_MS)
        assert (back.stops, back.length_m, back.moving_s) == (shape.stops, shape.length_m, shape.moving_s)
        assert [(one.late, one.ends) for one in back.pieces] == [(one.late, one.ends) for one in shape.pieces]
        for one, other in zip(back.pieces, shape.pieces, strict=True):
            np.testing.assert_array_equal(one.time_ms, other.time_ms)
            np.testing.assert_allclose(one.lon, other.lon, atol=5e-8)
            np.testing.assert_allclose(one.speed_mps, other.speed_mps, atol=0.005)


def test_hours_that_were_shaped_by_themselves_add_up_to_the_whole() -> None:
    end_ms = BEGIN_MS + 3 * HOUR_MS
    track = walk(BEGIN_MS, end_ms, late_from_ms=BEGIN_MS + 5_000_000)
    [whole] = shapes(track, BEGIN_MS, end_ms, (20,))
    hours = [(one, one + HOUR_MS) for one in range(BEGIN_MS, end_ms, HOUR_MS)]
    parts = [shapes(around(track, *hour), *hour, (20,))[0] for hour in hours]
    assert sum(part.length_m for part in parts) == pytest.approx(whole.length_m, abs=1e-6)
    assert sum(part.moving_s for part in parts) == pytest.approx(whole.moving_s)
    # Each begins where the one before it ends, and where what was late begins.
    ends = [piece.time_ms[[0, -1]].tolist() for part in parts for piece in part.pieces]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert [piece.late for part in parts for piece in part.pieces] == [False, False, True, True]


def test_a_piece_that_somebody_else_began_begins_on_the_way_between_two_fixes() -> None:
    [shape] = shapes(walk(BEGIN_MS, BEGIN_MS + HOUR_MS), BEGIN_MS, BEGIN_MS + HOUR_MS, (5,))
    [piece] = shape.pieces
    cut = piece.since(BEGIN_MS + 1_234_567)
    assert (cut.time_ms[0], cut.time_ms[-1]) == (BEGIN_MS + 1_234_567, piece.time_ms[-1])
    assert cut.lon[0] == pytest.approx(121.47 + 1234.567 * 0.0000126, abs=6e-5)


def test_nothing_is_drawn_of_a_time_without_fixes() -> None:
    for track in (Track.of((), (), ()), walk(BEGIN_MS - 600_000, BEGIN_MS)):
        [shape] = shapes(track, BEGIN_MS, BEGIN_MS + HOUR_MS, (5,))
        assert (shape.points, shape.stops, shape.length_m, shape.moving_s) == (0, (), 0, 0)


def word(host: str, minute: int, *, online: bool) -> dict[str, Any]:
    return {"host": host, "at": datetime(2026, 3, 2, 8, minute, tzinfo=UTC), "online": online}


def minutes(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    begin_ms = datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp() * 1000
    return [(round((low - begin_ms) / 60_000), round((high - begin_ms) / 60_000)) for low, high in spans]


@pytest.mark.parametrize(
    ("words", "down"),
    [
        ([], []),
        ([word("a", 5, online=True)], []),
        ([word("a", 0, online=True), word("a", 5, online=False), word("a", 9, online=True)], [(5, 9)]),
        # Another process went on, so somebody listened.
        ([word("a", 0, online=True), word("b", 0, online=True), word("a", 5, online=False)], []),
        # The will of the connection that was replaced is heard of first, with a later time.
        ([word("a@x", 0, online=True), word("a@x", 6, online=False), word("a@x", 5, online=True)], []),
        # After a power cut each is heard of again, and only then that it had gone.
        ([word("a", 0, online=True), word("b", 1, online=True), word("a", 5, online=False), word("a", 9, online=True),
          word("b", 5, online=False), word("b", 10, online=True)], [(5, 9)]),
        # A new machine stands for the old one of its name, whose end nobody told.
        ([word("a@x", 0, online=True), word("a@y", 3, online=True), word("a@y", 5, online=False),
          word("a@y", 9, online=True)], [(5, 9)]),
        # Told twice, and one that was away from the beginning.
        (
            [word("c", 1, online=False), word("a", 2, online=True), word("a", 5, online=False),
             word("a", 6, online=False), word("b", 8, online=True), word("b", 9, online=True)],
            [(1, 2), (5, 8)],
        ),
    ],
)  # fmt: skip
def test_the_server_was_down_while_no_process_took_positions_in(
    words: list[dict[str, Any]], down: list[tuple[int, int]]
) -> None:
    assert minutes(server_down(words)) == down


@pytest.mark.parametrize(
    ("oid", "length", "written", "values"),
    [
        (21, 2, [b"\x00\x05", b"\xff\xff"], [5, -1]),
        (20, 8, [b"\x00" * 7 + b"\x09"], [9]),
        (700, 4, [b"\x3f\x9d\x70\xa4", b"\x7f\xc0\x00\x00"], [1.23, np.nan]),
        (701, 8, [b"\x40\x3f\x3a\xe1\x47\xae\x14\x7b"], [31.23]),
    ],
)
def test_a_column_reads_what_the_database_sends(oid: int, length: int, written: list[bytes], values: list[Any]) -> None:
    head = b"".join(number.to_bytes(4, "big") for number in (1, 0, oid, len(written), 1))
    sent = head + b"".join(length.to_bytes(4, "big") + one for one in written)
    np.testing.assert_array_equal(column(sent), values)
    assert len(column(None)) == 0
