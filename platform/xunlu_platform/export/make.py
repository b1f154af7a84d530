"""Makes an export: a ZIP file that plays by itself, with everything that proves it."""

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xunlu_platform.errors import NotFoundError, TooMuchError
from xunlu_platform.export.archive import Archive, Progress
from xunlu_platform.export.composition import Composition, Media, compose
from xunlu_platform.export.errors import ExportError
from xunlu_platform.export.key import ExportKey
from xunlu_platform.export.manifest import Source, SourceState, manifest_of, sums_of
from xunlu_platform.export.playing import Fault, Reader, playback_of
from xunlu_platform.export.positions import PositionReader, add_positions
from xunlu_platform.export.readme import readme_of
from xunlu_platform.review.moments import Kind
from xunlu_platform.store.store import Scope, Store

BESIDE_BYTES: Final = 5_000_000
"""About what page and positions weigh; recordings are known to the byte."""
FREE_BYTES_MIN: Final = 500_000_000
"""So much of the disk stays free for what matters more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What was asked for.

    Attributes:
        id: of the export.
        incident_id: of the incident.
        scope: of whoever asked.
        kinds: of moments that they may see.
        reader: language, zone and author.
    """

    id: str
    incident_id: int
    scope: Scope
    kinds: tuple[Kind, ...]
    reader: Reader


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """What exports are made from.

    Attributes:
        store: of a role that the scope binds.
        key: signs.
        recordings: folder of the recorder process.
        folder: of finished exports.
        bytes_max: of one export.
        assets: folder of Leaflet.
        map: bundle, or None.
    """

    store: Store
    key: ExportKey
    recordings: Path
    folder: Path
    bytes_max: int
    assets: Path
    map: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """The finished file: `sha256` of all of it."""

    size_bytes: int
    sha256: str


async def make_export(shop: Workshop, order: Order, progress: Progress) -> Made:
    """Make it, or leave nothing behind; what a killed process left, `jobs.exports` finds.

    Args:
        shop: parts.
        order: what to make.
        progress: is told how far it has come; can stop the work.

    Raises:
        ExportError: it cannot be made; trying again changes nothing.
        StoreError: the database does not answer; trying again may help.
        OSError: the disk keeps something back; trying again may help.
    """
    try:
        whole = await compose(shop.store, order.scope, order.incident_id, order.kinds)
        # What no page can hold is refused before anything is copied.
        await asyncio.to_thread(playback_of, whole, order.reader, {}, {})
    except TooMuchError as error:
        raise ExportError("too-much") from error
    except NotFoundError as error:
        raise ExportError("gone") from error
    progress.total_bytes = BESIDE_BYTES + sum(one.size_bytes for one in _once(whole.media))
    free_bytes = shutil.disk_usage(shop.folder).free - FREE_BYTES_MIN
    if progress.total_bytes > min(shop.bytes_max, free_bytes):
        raise ExportError("disk")
    positions = PositionReader(store=shop.store, scope=order.scope, loop=asyncio.get_running_loop())
    return await asyncio.to_thread(_write, shop, order, whole, positions, progress)


def _write(shop: Workshop, order: Order, whole: Composition, positions: PositionReader, progress: Progress) -> Made:
    """Write the file under a name of its own: a worker that was taken for dead may still write to another."""
    part = shop.folder / f"{order.id}.{secrets.token_hex(4)}.part"
    try:
        with Archive(part, at=order.reader.shown_at, bytes_max=shop.bytes_max, progress=progress) as archive:
            _fill(archive, shop, order, whole, positions)
        made = Made(size_bytes=part.stat().st_size, sha256=_sha256(part))
        part.rename(shop.folder / f"{order.id}.zip")
    finally:
        # Gone already, if all went well.
        part.unlink(missing_ok=True)
    return made


def _fill(archive: Archive, shop: Workshop, order: Order, whole: Composition, positions: PositionReader) -> None:
    """Everything in it; positions first, because there may be too many."""
    for subject in whole.subjects:
        add_positions(archive, subject, positions)
    sources = [_add_media(archive, one, shop.recordings) for one in _once(whole.media)]
    archive.add_text("index.html", (_page(shop, order, whole, sources, archive),))
    archive.add_text("README.txt", (readme_of(shop.key.public),))
    archive.add_text("public-key.pem", (shop.key.public.pem,))
    archive.add_text("SHA256SUMS", (sums_of(archive.entries),))
    manifest = manifest_of(whole, order.reader, shop.key.public, archive.entries, sources)
    archive.add_bytes("manifest.json", manifest)
    archive.add_bytes("manifest.sig", shop.key.sign(manifest))


def _add_media(archive: Archive, media: Media, folder: Path) -> Source:
    """A file that is missing is told of, and the export goes on."""
    path = media.path(folder)
    if path is not None:
        try:
            entry = archive.add_file(media.name, path)
        except FileNotFoundError:
            path = None
        else:
            state: SourceState = "matches" if entry.sha256 == media.sha256 else "changed"
            return Source(media=media, state=state, sha256=entry.sha256)
    return Source(media=media, state="missing", sha256=None)


def _page(shop: Workshop, order: Order, whole: Composition, sources: Sequence[Source], archive: Archive) -> str:
    from xunlu_gis.formats.page import to_page  # noqa: PLC0415  folium takes a second to load, and exports are few

    faults: dict[str, Fault] = {one.media.name: one.state for one in sources if one.state != "matches"}
    hashes = {one.path: one.sha256 for one in archive.entries if one.path.startswith("data/")}
    return to_page(playback_of(whole, order.reader, faults, hashes), shop.assets, shop.map)


def _once(media: Iterable[Media]) -> list[Media]:
    """Each file once, whoever wore the recorder meanwhile."""
    return list({one.name: one for one in reversed(list(media))}.values())[::-1]


def _sha256(path: Path) -> str:
    """Of what is on the disk for certain: the row that promises the file comes after it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
