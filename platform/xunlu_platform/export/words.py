"""Words for what happened: those of the console, so that a page says what the desk said."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from xunlu_gis.formats.playback import Language
from xunlu_platform.review.moments import Moment


@cache
def words(language: Language) -> Mapping[str, str]:
    """All words of the console in a language."""
    found: dict[str, str] = json.loads(
        (files("xunlu_platform") / "console" / "i18n" / f"{language}.json").read_text("utf-8")
    )
    return found


def told(moment: Moment, language: Language) -> str:
    """What happened, in a line."""
    known = words(language)

    def word(table: str, name: str) -> str:
        return known.get(f"{table}.{name}", name)

    match moment.kind:
        case "alarm":
            return _with(word("alarm.kind", moment.text), moment.detail.get("note"))
        case "event":
            return word("event", moment.text)
        case "command":
            what = _with(word("command", moment.text), moment.detail["args"].get("text"))
            return f"{what} · {word('step', moment.detail['state'])}"
        case "zone_enter" | "zone_leave" | "zone_dwell":
            return _with(word("alarm.kind", moment.kind), moment.text)
        case _:
            return moment.text


def _with(text: str, more: Any) -> str:  # noqa: ANN401  JSON
    return f"{text}: {more}" if more else text
