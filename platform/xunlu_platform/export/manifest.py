"""What an export says of itself: every file with its hash, whence it came, and what is missing; signed as a whole."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

from xunlu_platform.export.archive import Entry
from xunlu_platform.export.composition import Composition, Media
from xunlu_platform.export.key import PublicKey
from xunlu_platform.export.playing import Reader, cleaning, gaps_of
from xunlu_protocol import __version__

FORMAT: Final = "xunlu-incident/1"

SourceState = Literal["matches", "changed", "missing"]
"""Of a file beside what the database registered when it was recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A recording or burst as it was found; `sha256` is of what was found, None where nothing was."""

    media: Media
    state: SourceState
    sha256: str | None


def manifest_of(
    whole: Composition, reader: Reader, key: PublicKey, files: Iterable[Entry], sources: Sequence[Source]
) -> bytes:
    """The manifest as JSON (RFC 8259): exactly these bytes are signed."""
    incident = whole.incident
    told = {
        "format": FORMAT,
        "made_by": {"program": "Xunlu", "version": __version__},
        "exported_by": reader.shown_by,
        "exported_at": _iso(reader.shown_at),
        "key": {"algorithm": "Ed25519", "fingerprint_sha256": key.fingerprint},
        "incident": {
            "id": incident.id, "title": incident.title, "from": _iso(incident.since), "to": _iso(incident.until),
            "place": incident.place, "subjects": list(incident.keys),
            "notes": [_plain(row) for row in incident.notes], "marks": [_plain(row) for row in incident.marks],
        },
        "datum": "WGS-84",
        "cleaning": cleaning(),
        "track_tolerance_m": whole.level,
        "subjects": [_subject(whole, number) for number in range(len(whole.subjects))],
        "subjects_missing": whole.missing,
        "moments_complete": not whole.more,
        "erased": [_plain(row) for row in whole.erased],
        "sources": [_source(one) for one in sources],
        "files": [asdict(one) for one in files],
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False).encode()


def sums_of(files: Iterable[Entry]) -> str:
    """The same hashes as `sha256sum --check` reads them."""
    return "".join(f"{one.sha256}  {one.path}\n" for one in files)


def _subject(whole: Composition, number: int) -> dict[str, Any]:
    subject, worn = whole.subjects[number], whole.tracks[number]
    gaps = [{"from": _iso(gap.start), "to": _iso(gap.end), "reason": gap.reason} for gap in gaps_of(worn)]
    return {
        "subject": subject.key,
        "officer": subject.officer and asdict(subject.officer),
        "worn": [{"did": one.did, "from": _iso(one.since), "to": _iso(one.until)} for one in subject.worn],
        "gaps": gaps,
    }


def _source(source: Source) -> dict[str, Any]:
    media = source.media
    return {
        "kind": media.moment.kind,
        "id": media.moment.id,
        "subject": media.moment.subject,
        "heard_by": media.moment.detail.get("heard_by", []),
        "from": _iso(media.moment.at),
        "to": media.moment.until and _iso(media.moment.until),
        "file": None if source.state == "missing" else media.name,
        "state": source.state,
        "registered_sha256": media.sha256,
        "sha256": source.sha256,
        "complete": media.complete,
        "gaps_ms": list(media.gaps),
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _iso(at: datetime) -> str:
    return at.isoformat()
