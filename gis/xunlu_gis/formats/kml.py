"""KML 2.2 of a track (OGC 07-147r2, with Google's gx:Track): one gx:Track for each unbroken piece, never joined."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from xunlu_gis.errors import TrackError
from xunlu_gis.formats.rows import EXTRAS, Row, instant, row_of, text_of
from xunlu_gis.formats.xml import elements, xml_text
from xunlu_gis.track.point import TrackPoint

HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2" '
    'xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>'
)
FOOT: Final = "</Document></kml>"

_SCHEMA: Final = (
    '<Schema id="position">'
    + "".join(f'<gx:SimpleArrayField name="{name}" type="string"/>' for name in EXTRAS)
    + "</Schema>"
)


def write_kml(device: str, pieces: Iterable[Sequence[TrackPoint]]) -> Iterator[str]:
    """A document with one placemark named after the device; `pieces` are unbroken stretches."""
    yield f"{HEAD}<name>{xml_text(device)}</name>{_SCHEMA}<Placemark><name>{xml_text(device)}</name><gx:MultiTrack>"
    yield "<gx:interpolate>0</gx:interpolate>"
    for piece in pieces:
        yield "<gx:Track>"
        for point in piece:
            yield f"<when>{point.fix_time.isoformat().replace('+00:00', 'Z')}</when>"
        for point in piece:
            yield f"<gx:coord>{point.lon} {point.lat} {0 if point.alt_m is None else point.alt_m}</gx:coord>"
        yield '<ExtendedData><SchemaData schemaUrl="#position">'
        for name in (name for name in EXTRAS if any(getattr(point, name) is not None for point in piece)):
            yield f'<gx:SimpleArrayData name="{name}">'
            for point in piece:
                yield f"<gx:value>{text_of(getattr(point, name))}</gx:value>"
            yield "</gx:SimpleArrayData>"
        yield "</SchemaData></ExtendedData></gx:Track>"
    yield f"</gx:MultiTrack></Placemark>{FOOT}"


_WANTED: Final = frozenset({
    "Placemark/name", "Track", "Track/when", "coord", "SimpleArrayData", "SimpleArrayData/value", "TimeStamp/when",
    "LineString/coordinates", "Point/coordinates", "Placemark",
})  # fmt: skip


@dataclass(slots=True)
class _Open:
    """What has come of a placemark, and of a track in it, before it closes."""

    whens: list[str] = field(default_factory=list)
    coords: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    arrays: dict[str, list[str]] = field(default_factory=dict)


def read_kml(text: str) -> Iterator[Row]:
    """Positions of all tracks, of points with a time, and of lines, which have none.

    Raises:
        TrackError: no XML that can be trusted, or a track whose times and places do not pair.
    """
    name, piece, place, stamp, now = "", 0, "", "", _Open()
    for kind, element in elements(text, _WANTED):
        words = (element.text or "").strip()
        match kind:
            case "Track":
                yield from ({**row, "piece": piece, "name": name} for row in _track(now))
                now, piece = _Open(), piece + 1
            case "LineString/coordinates":
                yield from ({**_place(one), "piece": piece, "name": name} for one in words.split())
                piece += 1
            case "Placemark":
                if place and stamp:
                    yield {**_place(place), "fix_time": instant(stamp), "name": name, "piece": piece}
                place, stamp = "", ""
            case "Placemark/name":
                name = name or (element.text or "")
            case "Point/coordinates":
                place = words
            case "TimeStamp/when":
                stamp = words
            case _:
                _collect(now, kind, element)


def _collect(now: _Open, kind: str, element: Element) -> None:
    words = (element.text or "").strip()
    match kind:
        case "Track/when":
            now.whens.append(words)
        case "coord":
            now.coords.append(words)
        case "SimpleArrayData/value":
            now.values.append(words)
        case "SimpleArrayData":
            now.arrays[element.get("name", "").lower()] = now.values
            now.values = []


def _track(now: _Open) -> Iterator[Row]:
    """Times and places of a gx:Track go in pairs; arrays beside them where they are as long."""
    if len(now.whens) != len(now.coords):
        raise TrackError(f"a track has {len(now.whens)} times for {len(now.coords)} places; export it again.")
    arrays = {name: values for name, values in now.arrays.items() if len(values) == len(now.whens)}
    for index, (when, coord) in enumerate(zip(now.whens, now.coords, strict=True)):
        texts = {name: values[index] for name, values in arrays.items()}
        place = _place(coord)
        if "received_at" in arrays:  # ours: an altitude that is not known is 0 here and missing there
            place.pop("alt_m", None)
        yield {**place, **row_of(texts), "fix_time": instant(when)}


def _place(words: str) -> Row:
    """Longitude, latitude and perhaps altitude, divided by commas or spaces."""
    return row_of(dict(zip(("lon", "lat", "alt_m"), words.replace(",", " ").split(), strict=False)))
