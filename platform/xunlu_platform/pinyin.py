"""Pinyin beside every Chinese name, so that a name is found by its sound and its initials."""

from pypinyin import Style, lazy_pinyin


def pinyin_of(name: str) -> str:
    """Syllables, then initials: `王小明` → `wangxiaoming wxm`; other text stays as it is, in lower case."""
    syllables = [syllable.strip().lower() for syllable in lazy_pinyin(name, style=Style.NORMAL)]
    initials = "".join(syllable[0] for syllable in syllables if syllable)
    return f"{''.join(syllables)} {initials}".strip()
