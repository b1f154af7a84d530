"""Colours of the console that stand on each other, in both themes: WCAG 2.2, 1.4.3 for text and 1.4.11 for signs."""

import colorsys
import itertools
import re

import pytest

from tests.repository import ROOT

CONSOLE = ROOT / "platform" / "xunlu_platform" / "console"
TEXT_MIN, SIGN_MIN = 4.5, 3.0

SURFACES = ("bg", "panel", "raise", "hover")
GROUNDS = (
    "map-ground", "map-built", "map-green", "map-water", "map-street", "map-road", "map-artery", "map-elevated",
)  # fmt: skip
WORDS = ("text", "dim", "faint", "accent", "duty", "rec", "warn", "off", "sos-text")
SIGNS = ("duty", "rec", "sos", "warn", "off", "accent", "faint", "dim", "text")
# Words on a ground that is made for them: of a filled button, a badge, the strip of alarms, a street of the map.
FILLED = (
    ("on-accent", "accent"), ("on-accent", "warn"), ("on-sos", "badge"), ("bg", "text"),
    ("text", "sos-fill"), ("sos-text", "sos-fill"), ("sos-soft", "sos-fill"),
    ("map-name", "map-halo"), ("map-street-name", "map-halo"),
)  # fmt: skip

Colours = dict[str, str]


def themes() -> dict[str, Colours]:
    """The hexadecimal colours of each theme."""
    sheet = (CONSOLE / "style" / "tokens.css").read_text("utf-8")
    blocks = re.findall(r'\[data-theme="(\w+)"\] \{(.*?)\}', sheet, re.DOTALL)
    return {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for name, block in blocks}


def luminance(red: float, green: float, blue: float) -> float:
    """Relative luminance of sRGB, 0…1 each."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def of_hex(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return luminance(red, green, blue)


def contrast(one: float, other: float) -> float:
    """1…21, of two luminances."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def too_faint(colours: Colours, above: tuple[str, ...], below: tuple[str, ...], least: float) -> dict[str, float]:
    """The pairs that fall short, with their contrast."""
    pairs = {
        f"{one} on {other}": contrast(of_hex(colours[one]), of_hex(colours[other]))
        for one, other in itertools.product(above, below)
    }
    return {pair: found for pair, found in pairs.items() if found < least}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_words_can_be_read_on_every_surface(theme: str) -> None:
    colours = themes()[theme]
    assert not too_faint(colours, WORDS, SURFACES, TEXT_MIN)
    short = [too_faint(colours, (word,), (ground,), TEXT_MIN) for word, ground in FILLED]
    assert not [one for one in short if one]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_signs_fields_and_the_focus_stand_out(theme: str) -> None:
    colours = themes()[theme]
    assert not too_faint(colours, SIGNS, (*SURFACES, *GROUNDS), SIGN_MIN)
    assert not too_faint(colours, ("field", "badge"), ("bg", "panel", "raise"), SIGN_MIN)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_track_of_everybody_is_seen_on_any_ground(theme: str) -> None:
    source = (CONSOLE / "app" / "review" / "track.js").read_text("utf-8")
    shades = re.findall(r"`hsl\(\$\{hue\} (\d+)% (\d+)%\)`", source)
    saturation, lightness = shades[["dark", "light"].index(theme)]
    colours = themes()[theme]
    short = {
        (hue, ground): found
        for hue, ground in itertools.product(range(0, 360, 5), ("panel", *GROUNDS))
        if (
            found := contrast(
                luminance(*colorsys.hls_to_rgb(hue / 360, int(lightness) / 100, int(saturation) / 100)),
                of_hex(colours[ground]),
            )
        )
        < SIGN_MIN
    }
    assert not short


def test_no_other_colour_is_used_for_words() -> None:
    sheets = "\n".join(path.read_text("utf-8") for path in sorted((CONSOLE / "style").glob("*.css")))
    used = set(re.findall(r"(?<![\w-])color: var\(--([\w-]+)\)", sheets))
    assert len(used) > 8
    assert used <= {*WORDS, *(word for word, _ in FILLED)}
