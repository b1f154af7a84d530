"""Every fix of an incident as files for other programs: what was measured, and beside it what was not believed."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeVar

from xunlu_gis.formats import write_csv, write_geojson, write_gpx, write_kml
from xunlu_gis.track import Track, TrackPoint, clean
from xunlu_gis.track.piece import unbroken
from xunlu_platform.export.archive import Archive
from xunlu_platform.export.errors import ExportError
from xunlu_platform.review.subjects import Subject
from xunlu_platform.store.positions import TrackQuery, read_track
from xunlu_platform.store.review import Stretch
from xunlu_platform.store.store import Scope, Store

T = TypeVar("T")

FIXES_MAX: Final = 3_000_000
"""Of one device; a month at one a second has fewer."""
READ_S: Final = 60.0

Pages = Iterator[Sequence[TrackPoint]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionReader:
    """Reads fixes in the loop that owns the database, for a thread that writes them.

    Attributes:
        store: of a role that the scope binds.
        scope: of whoever exports.
        loop: of the store.
    """

    store: Store
    scope: Scope
    loop: asyncio.AbstractEventLoop

    def pages(self, stretches: Iterable[Stretch]) -> Pages:
        """The fixes of a device in order of fix time, page by page: a month never stands in memory.

        Raises:
            ExportError: there are more than `FIXES_MAX`.
            StoreError: the database does not answer.
        """
        fixes = 0
        for page in chain.from_iterable(self._stretch(one) for one in stretches):
            fixes += len(page)
            if fixes > FIXES_MAX:
                raise ExportError("too-much")
            yield page

    def _stretch(self, one: Stretch) -> Pages:
        if one.device_id is None:
            return
        wanted = TrackQuery(device_id=one.device_id, since=one.since, until=one.until)
        pages = read_track(self.store, self.scope, wanted)
        while (page := asyncio.run_coroutine_threadsafe(_next(pages), self.loop).result(READ_S)) is not None:
            yield page


async def _next(pages: AsyncIterator[T]) -> T | None:
    return await anext(pages, None)


def add_positions(archive: Archive, subject: Subject, reader: PositionReader) -> None:
    """Files of one subject, below `data/`: of each device GPX, KML, GeoJSON, CSV, and a CSV of doubted fixes."""
    worn: dict[str, list[Stretch]] = {}
    for one in subject.worn:
        worn.setdefault(one.did, []).append(one)
    for did, stretches in worn.items():
        name = f"data/{subject.key}-{did}" if subject.officer else f"data/{did}"

        def pieces(of: Sequence[Stretch] = stretches) -> Iterator[Sequence[TrackPoint]]:
            for page in reader.pages(of):
                yield from (page[first:end] for first, end in unbroken(Track.of_points(page)))

        writers: dict[str, Callable[[str, Iterator[Sequence[TrackPoint]]], Iterator[str]]] = {
            "gpx": write_gpx,
            "kml": write_kml,
            "geojson": write_geojson,
        }
        for form, write in writers.items():
            archive.add_text(f"{name}.{form}", write(did, pieces()))
        archive.add_text(f"{name}.csv", write_csv(did, chain.from_iterable(reader.pages(stretches))))
        archive.add_text(f"{name}-cleaning.csv", doubted(reader.pages(stretches)))


def doubted(pages: Pages) -> Iterator[str]:
    """A row for each fix that was flagged, with the reason; the track of the page goes without those not believed."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(("fix_time", "sid", "seq", "reason", "believed"))
    for page in pages:
        cleaning = clean(Track.of_points(page))
        believed = cleaning.believed.tolist()
        for point, reason, good in zip(page, cleaning.names(), believed, strict=True):
            if reason is not None:
                row = (point.fix_time.isoformat(), point.sid, point.seq, reason, str(good).lower())
                writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()
