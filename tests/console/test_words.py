"""The words of the console: the same keys in every language, and none missing."""

import json
import re
from pathlib import Path
from typing import get_args

from tests.repository import ROOT
from xunlu_gis.errors import ZoneCode

CONSOLE = ROOT / "platform" / "xunlu_platform" / "console"
LANGUAGES = ("zh-CN", "en")

# Words of an open vocabulary are looked up with a variable: `t(`state.${state}`)`.
LITERAL = re.compile(r"""\bt\(\s*"([^"]+)"|\bclaimKey\(scope, "[^"]+", "([^"]+)"|\blabel: "([^"]+)",? """)

# What the server gives as the reason of a complaint.
REASON = re.compile(
    r"""\b(?:conflict\(|invalid\(\s*"\w+",)\s*"([a-z-]+)"|reason = "([a-z-]+)"|^    "(password-[a-z-]+)": """,
    re.MULTILINE,
)
# Only programs page by hand.
UNSEEN_REASONS = {"cursor"}


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((CONSOLE / "i18n" / f"{language}.json").read_text("utf-8"))
    return found


def modules() -> list[Path]:
    return sorted((CONSOLE / "app").rglob("*.js"))


def test_every_language_has_the_same_keys() -> None:
    chinese, english = (words(language) for language in LANGUAGES)
    assert list(chinese) == list(english)


def test_the_same_values_are_filled_in_in_every_language() -> None:
    chinese, english = (words(language) for language in LANGUAGES)
    holes = re.compile(r"\{(\w+)\}")
    assert not [key for key in chinese if set(holes.findall(chinese[key])) != set(holes.findall(english[key]))]


def test_every_key_that_the_console_names_has_words() -> None:
    known = words("en").keys()
    named = {next(filter(None, match)) for module in modules() for match in LITERAL.findall(module.read_text("utf-8"))}
    assert len(named) > 200
    assert named <= known


def test_every_reason_that_the_server_gives_has_words() -> None:
    sources = [path.read_text("utf-8") for path in CONSOLE.parent.rglob("*.py")]
    given = {next(filter(None, match)) for source in sources for match in REASON.findall(source)} - UNSEEN_REASONS
    assert len(given) > 20
    given |= {f"zone-{code}" for code in get_args(ZoneCode)}
    assert {f"reason.{reason}" for reason in given} <= words("en").keys()
