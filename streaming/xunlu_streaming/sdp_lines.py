"""The lines of a session description (RFC 8866 §5): cut, bounded and sorted by attribute, before anybody reads them.

Everything in an offer is a stranger's text. Control characters are refused, so that nothing that is echoed in an answer
can begin a line of its own.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from xunlu_streaming.errors import SdpError

CHARACTERS_MAX = 64 * 1024
LINES_MAX = 2000
LINE_CHARACTERS_MAX = 2000

NUMBER = re.compile(r"[0-9]{1,10}")
UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")  # RFC 8839 §5.4
PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")


def refuse(reason: str, message: str) -> NoReturn:
    """Call the text malformed.

    Raises:
        SdpError: always.
    """
    raise SdpError(reason, message)


class Section:
    """The session, or one media description: its attributes by name."""

    def __init__(self, head: str) -> None:
        self.head = head
        self._attributes: dict[str, list[str]] = {}

    def add(self, attribute: str) -> None:
        """Take an attribute, `name` or `name:value`."""
        name, _, value = attribute.partition(":")
        self._attributes.setdefault(name, []).append(value)

    def has(self, name: str) -> bool:
        """Whether an attribute is there."""
        return name in self._attributes

    def all(self, name: str, count_max: int) -> Sequence[str]:
        """All values of an attribute.

        Raises:
            SdpError: there are more than `count_max`.
        """
        values = self._attributes.get(name, ())
        if len(values) > count_max:
            refuse(name, f"An offer has at most {count_max} attributes {name} in one part.")
        return values

    def first(self, name: str) -> str:
        """The first value of an attribute; empty without one."""
        return next(iter(self._attributes.get(name, ())), "")


class Inherited:
    """Attributes of a media description, or else of the session."""

    def __init__(self, part: Section, session: Section) -> None:
        self._sections = (part, session)

    def first(self, name: str) -> str:
        """The first value, of the description before the session."""
        return next((section.first(name) for section in self._sections if section.has(name)), "")

    def all(self, name: str, count_max: int) -> Sequence[str]:
        """All values of the description, or else of the session; see `Section.all`."""
        return next((section.all(name, count_max) for section in self._sections if section.has(name)), ())

    def match(self, name: str, pattern: re.Pattern[str]) -> str:
        """The first value, which must match.

        Raises:
            SdpError: it is missing or does not.
        """
        value = self.first(name)
        if not pattern.fullmatch(value):
            refuse(name, f"The offer's {name} is missing or malformed.")
        return value


def sections(text: str) -> list[Section]:
    """The session and its media descriptions, in order.

    Raises:
        SdpError: too large, or no lines of a session description.
    """
    if len(text) > CHARACTERS_MAX:
        refuse("size", f"An offer has at most {CHARACTERS_MAX} characters.")
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > LINES_MAX:
        refuse("lines", f"An offer has at most {LINES_MAX} lines.")
    sections = [Section("")]
    for line in lines:
        if len(line) > LINE_CHARACTERS_MAX or not line.isprintable():
            refuse("line", f"A line has at most {LINE_CHARACTERS_MAX} characters, none of them a control character.")
        if line and line[1:2] != "=":
            refuse("line", "Every line of an offer is a letter, an equals sign and a value.")
        if line.startswith("m="):
            sections.append(Section(line[2:]))
        elif line.startswith("a="):
            sections[-1].add(line[2:])
    return sections


def numbered(values: Iterable[str], reason: str, number_max: int) -> Iterator[tuple[int, str]]:
    """Values that begin with a number and a space.

    Raises:
        SdpError: one does not.
    """
    for value in values:
        number, _, rest = value.partition(" ")
        if not NUMBER.fullmatch(number) or int(number) > number_max:
            refuse(reason, f"{reason} needs a number of at most {number_max}.")
        yield int(number), rest.strip()
