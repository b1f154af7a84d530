"""How far ahead something stays true."""

from collections.abc import Callable

from xunlu_gis.track.track import Bools

STRIDE = 16


def reach(first: int, count: int, holds: Callable[[slice], Bools]) -> int:
    """Index of the next fix after `first` for which something does not hold, or `count`.

    Looks ahead in growing strides, so that a walk costs little and a night in one place few calls.

    Args:
        first: where to begin.
        count: of the fixes.
        holds: tells it for a slice of the fixes.
    """
    low, stride = first + 1, STRIDE
    while low < count:
        fails = ~holds(slice(low, min(low + stride, count)))
        if fails.any():
            return low + int(fails.argmax())
        low, stride = low + stride, stride * 2
    return count
