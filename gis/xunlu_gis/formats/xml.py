"""XML that strangers send: decoded whatever it says of itself, read as it comes, within bounds.

GPX and KML need neither a document type nor entities, so both are refused: they are the way of every known bomb
(billion laughs, quadratic blow-up, external entities).
"""

import re
from collections.abc import Iterator
from typing import Final, NoReturn
from xml.etree.ElementTree import Element
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from xunlu_gis.errors import TrackError

DEPTH_MAX: Final = 40
"""Folders within folders of a KML; a GPX needs seven levels."""

_CHUNK: Final = 1 << 16

_ENCODINGS: Final = frozenset(
    {"utf-8", "utf-16", "us-ascii", "iso-8859-1", "windows-1252", "gb2312", "gbk", "gb18030", "big5"}
)

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (§2.2), not even as a reference."""


def xml_text(text: str) -> str:
    """Words as element content; what XML cannot hold becomes a replacement character."""
    return escape(_FORBIDDEN.sub("\ufffd", text), {"\r": "&#13;"})


def xml_attribute(text: str) -> str:
    """The same as the value of an attribute, with its quotes."""
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))


def decoded(data: bytes) -> str:
    """Text of a file whose encoding may be wrong or missing: as marked, as declared, else UTF-8, else GB 18030.

    What cannot be decoded becomes a replacement character: a spoilt name must not cost the track.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    declared = re.match(rb"""\s*<\?xml[^>]*?encoding=["']([\w.-]+)["']""", data[:200])
    candidate = declared[1].decode().lower() if declared else "utf-8"
    try:
        return data.decode(candidate if candidate in _ENCODINGS else "utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8" if data.isascii() or declared else "gb18030", errors="replace")


def elements(text: str, wanted: frozenset[str]) -> Iterator[tuple[str, Element]]:
    """Elements of a document as they close, with what they were wanted as; tags are local names, texts are whole.

    Args:
        text: the document; its own declaration of an encoding no longer counts.
        wanted: local names, as `name` or as `parent/name`. An element inside a wanted one comes first and is not in it.

    Raises:
        TrackError: no XML, or it declares a document type, or it is nested deeper than `DEPTH_MAX`.
    """
    parser, builder = expat.ParserCreate(), _Builder(wanted)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.words
    try:
        for start in range(0, len(text) + 1, _CHUNK):
            chunk = text[start : start + _CHUNK]
            parser.Parse(chunk, len(chunk) < _CHUNK)
            yield from builder.ready
            builder.ready.clear()
    except expat.ExpatError as error:
        raise TrackError(f"it is no XML: {error}.") from error


class _Builder:
    """Keeps the way down to the open element; what is wanted leaves the tree when it closes."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._last_names = {kind.rpartition("/")[2] for kind in wanted}
        self._path: list[Element] = []
        self._texts: list[list[str]] = []
        self.ready: list[tuple[str, Element]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(Element(tag.rpartition(":")[2], attributes))
        self._texts.append([])
        if len(self._path) > DEPTH_MAX:
            raise TrackError(f"it is nested deeper than {DEPTH_MAX} elements; export it again, flat.")

    def words(self, text: str) -> None:
        self._texts[-1].append(text)

    def end(self, _: str) -> None:
        element = self._path.pop()
        element.text = "".join(self._texts.pop())
        parent = self._path[-1] if self._path else None
        if element.tag in self._last_names:
            for kind in (element.tag, f"{parent.tag}/{element.tag}" if parent is not None else ""):
                if kind in self._wanted:
                    self.ready.append((kind, element))
                    return
        if parent is not None:
            parent.append(element)


def _refuse(*_: object) -> NoReturn:
    raise TrackError("it declares a document type or entities, which no GPX or KML needs; export it without.")
