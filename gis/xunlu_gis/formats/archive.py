"""ZIP archives that strangers send, KMZ among them: unpacked in memory, within bounds, by names that lead nowhere."""

import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from xunlu_gis.errors import TrackError

MEMBERS_MAX: Final = 500
UNPACKED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Of all members together: a million positions of GPX."""

RATIO_MAX: Final = 200
"""Text of positions packs 10 to 40 times; a bomb a thousand times and more."""

_CHUNK: Final = 1 << 16
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError, UnicodeDecodeError,
)  # fmt: skip
"""What `zipfile` raises for bytes that are no archive; the last of them for a name that is no UTF-8."""
_ARCHIVES: Final = frozenset({".zip", ".kmz", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz"})


class Member(NamedTuple):
    """A file of an archive."""

    name: str
    data: bytes


def unpacked(data: bytes, suffixes: frozenset[str]) -> Iterator[Member]:
    """The members of an archive that end in one of some suffixes, in its order; nothing is written anywhere.

    What an archive says of its sizes is checked, and then not believed: bytes are counted as they come.

    Raises:
        TrackError: no archive, or a damaged, locked, nested or hostile one.
    """
    budget = UNPACKED_BYTES_MAX
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > MEMBERS_MAX:
                raise TrackError(f"it holds {len(infos)} files, more than {MEMBERS_MAX}; pack fewer.")
            for info in infos:
                _check(info)
            for info in infos:
                if not info.is_dir() and PurePosixPath(info.filename).suffix.lower() in suffixes:
                    member = Member(info.filename, _read(archive, info, budget))
                    budget -= len(member.data)
                    yield member
    except _BROKEN as error:
        raise TrackError(f"it is no archive that can be read: {error}; pack it again as plain ZIP.") from error


def _check(info: zipfile.ZipInfo) -> None:
    """A name inside the archive's own folder, of a plain file, that does not unpack to a flood."""
    name = info.orig_filename
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise TrackError(f"it holds a file named {name[:80]!r}, which leads out of it; do not trust its sender.")
    if info.flag_bits & 0x1:
        raise TrackError("it is locked by a password; pack it again without one.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise TrackError(f"it holds a link, {name[:80]!r}; pack the file itself.")
    if path.suffix.lower() in _ARCHIVES:
        raise TrackError(f"it holds another archive, {name[:80]!r}; unpack that first.")
    if info.file_size > RATIO_MAX * max(info.compress_size, 1) + _CHUNK:
        raise TrackError(f"{name[:80]!r} would unpack to more than {RATIO_MAX} times its size; that is no track.")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: int) -> bytes:
    found = bytearray()
    allowed = min(budget, RATIO_MAX * max(info.compress_size, 1) + _CHUNK)
    with archive.open(info) as file:
        while chunk := file.read(_CHUNK):
            found += chunk
            if len(found) > allowed:
                raise TrackError(
                    f"it would unpack to more than {UNPACKED_BYTES_MAX >> 20} MiB or {RATIO_MAX} times its size; "
                    "import it in parts."
                )
    return bytes(found)
