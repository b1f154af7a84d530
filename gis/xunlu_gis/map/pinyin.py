"""Spelling of names that come from outside, where the dictionary is installed (`xunlu[platform]` brings it)."""

from importlib import import_module
from importlib.util import find_spec


def spell(name: str) -> str:
    """Syllables without tones, separated by spaces; empty without the dictionary or for a name without Chinese."""
    if name.isascii() or find_spec("pypinyin") is None:
        return ""
    syllables: list[str] = import_module("pypinyin").lazy_pinyin(name)
    return " ".join(syllable.strip() for syllable in syllables)
