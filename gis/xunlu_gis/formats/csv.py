"""CSV of a track (RFC 4180), with the columns of docs/api.md, "Track"."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from xunlu_gis.track.point import TrackPoint

COLUMNS: Final = ("device", *TrackPoint._fields)


def to_csv(device: str, points: Iterable[TrackPoint]) -> str:
    """A header and one row for each point; times in ISO 8601, what is not known is left empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            device,
            point.sid,
            point.seq,
            point.fix_time.isoformat(),
            point.received_at.isoformat(),
            *point[4:-1],
            str(point.late).lower(),
        )
        for point in points
    )
    return text.getvalue()
