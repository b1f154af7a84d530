"""Looking up in columns that are kept in order."""

from typing import Any

import numpy as np
import numpy.typing as npt

from xunlu_gis.fence.fixes import Flags, Numbers


def located(column: npt.NDArray[Any], values: npt.NDArray[Any]) -> tuple[Numbers, Flags]:
    """Where each value stands in a column, and whether it is there; where it is not, the place means nothing.

    Args:
        column: in order.
        values: in any.
    """
    if not len(column):
        return np.zeros(len(values), dtype=np.intp), np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(column, values), len(column) - 1)
    found: Flags = column[at] == values
    return at, found
