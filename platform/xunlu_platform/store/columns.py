"""Columns of numbers out of the database without an object for each: `array_send` of arrays that hold no null."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

# Dimensions, flags, type of the elements, length, lower bound: four bytes each (PostgreSQL, `array_send`).
HEAD_BYTES: Final = 20
_KINDS: Final = {21: ">i2", 20: ">i8", 700: ">f4", 701: ">f8"}
"""By the object ids of int2, int8, float4, float8: `pg_type.dat`."""


def column(sent: bytes | None) -> npt.NDArray[Any]:
    """What `array_send` wrote; no array at all is no values.

    Args:
        sent: binary form of an array of one dimension without nulls.
    """
    if sent is None:
        return np.empty(0)
    oid = int.from_bytes(sent[8:12], "big")
    elements = np.frombuffer(sent, np.dtype([("bytes", ">i4"), ("value", _KINDS[oid])]), offset=HEAD_BYTES)
    values: npt.NDArray[Any] = elements["value"]
    if oid == 700:
        # Four-byte numbers get back the digits that were stored.
        return np.round(values.astype(np.float64), 3)
    return values.astype(values.dtype.newbyteorder("="))


def milliseconds(sent: bytes | None) -> npt.NDArray[np.int64]:
    """A column of UTC seconds as whole milliseconds."""
    return np.round(column(sent) * 1000).astype(np.int64)
