"""Figures as people read them, and the few words that a sheet has of its own."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Final

from xunlu_gis.report.document import Figure, Kind, Language, Report, Unit

WORDS: Final[dict[Language, dict[str, str]]] = {
    "zh-CN": {
        "subject": "对象",
        "period": "时段",
        "made": "制表",
        "notes": "说明",
        "zone": "责任区",
        "seen": "已巡查",
        "unseen": "未巡查",
        "track": "轨迹",
        "page": "页",
    },
    "en": {
        "subject": "Subject",
        "period": "Period",
        "made": "Made",
        "notes": "Notes",
        "zone": "Zone",
        "seen": "Seen",
        "unseen": "Not seen",
        "track": "Track",
        "page": "Page",
    },
}

COLOURS: Final[dict[Kind, str]] = {"zone": "#8a8577", "seen": "#2e8b57", "unseen": "#c8452f", "track": "#0b62d6"}

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

NOT_KNOWN: Final = "—"


_WRITTEN: Final[dict[Unit, Callable[[float], str]]] = {
    "count": lambda number: f"{number:,}",
    "duration_s": lambda seconds: _hours(round(seconds / 60)),
    "distance_m": lambda metres: f"{metres / 1000:.2f} km",
    "share": lambda share: f"{share * 100:.1f} %",
}


def shown(figure: Figure, zone: tzinfo) -> str:
    """A figure in words: `7:05` hours and minutes, `3.42 km`, `86.5 %`, `2026-03-01 16:00:00`."""
    match figure.value:
        case None:
            return NOT_KNOWN
        case str(text):
            return text
        case datetime() as at:
            return f"{at.astimezone(zone):{'%Y-%m-%d' if figure.unit == 'date' else '%Y-%m-%d %H:%M:%S'}}"
        case number:
            return _WRITTEN[figure.unit](number)


def _hours(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60}:{abs(minutes) % 60:02}"


def printable(text: str) -> str:
    """Without the characters that are none: neither a font nor XML 1.0 (§2.2) has them."""
    return _UNPRINTABLE.sub("\ufffd", text)


def clipped(text: str, characters_max: int) -> str:
    """No longer than that; what is cut is seen to be."""
    return text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"


def period(report: Report) -> str:
    """From when to when, with the offset that holds for all times of the sheet."""
    since, until = (at.astimezone(report.zone) for at in (report.since, report.until))
    return f"{since:%Y-%m-%d %H:%M} – {until:%Y-%m-%d %H:%M} (UTC{since:%z})"


def made(report: Report) -> str:
    """By whom and when."""
    return f"{report.made_by} · {report.made_at.astimezone(report.zone):%Y-%m-%d %H:%M:%S}"
