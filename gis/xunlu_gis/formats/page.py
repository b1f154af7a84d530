"""Tracks as one HTML file: opens from a disk without a network, plays by itself, and can be handed to anybody."""

import base64
import json
import mimetypes
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

import folium
from jinja2 import Template

from xunlu_gis.errors import MapError
from xunlu_gis.formats.page_data import data_of, in_script
from xunlu_gis.formats.page_panel import panel
from xunlu_gis.formats.playback import Playback
from xunlu_gis.map.bundle import AREAS, MAP, STREETS, read_map

_AREA: Final = {"color": "#b9b2a4", "weight": 1, "dashArray": "4 4", "fill": False, "interactive": False}
_STREET: Final = {"color": "#dcd6ca", "weight": 1.5, "interactive": False}
_MAIN_STREET: Final = {"color": "#cfc6b4", "weight": 3.5, "interactive": False}
_MAIN_CLASSES: Final = frozenset({"primary", "secondary", "tertiary"})

STREET_MARGIN_DEG: Final = 0.01
"""Streets within about a kilometre of the tracks are drawn; a whole city would make the file large."""

POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src 'self' file:"
)
"""The page may ask nobody for anything but the recordings that lie beside it; links still open."""

Box = tuple[float, float, float, float]
"""West, south, east, north."""


def to_page(playback: Playback, assets: Path, bundle: Path | None = None) -> str:
    """A page that plays officers' tracks with all that happened, with the streets of the map below.

    Args:
        playback: what it shows.
        assets: folder with `leaflet.js`, `leaflet.css` and `images/` of Leaflet 1.9; they are written into the page.
        bundle: map bundle whose streets and sub-districts lie below; None leaves the ground empty.

    Raises:
        MapError: the assets or the bundle cannot be read.
    """
    page = folium.Map(tiles=None, prefer_canvas=True, control_scale=True, zoom_start=15)
    page.default_js, page.default_css = [], []
    box = _box(playback)
    corner = "Xunlu 巡录"
    if bundle is not None:
        _draw_ground(page, bundle, box)
        corner = _corner(bundle)
    if box is not None:
        west, south, east, north = box
        page.fit_bounds([(south, west), (north, east)], padding=(30, 30), max_zoom=17)
    replay: Any = _Replay  # folium leaves it untyped
    page.add_child(replay())
    return _inlined(page, playback, corner, assets)


class _Replay(folium.MacroElement):
    """Hands the map to our script; what is played comes as data, not through the template."""

    _template = Template("{% macro script(this, kwargs) %}xunluPlayback({{ this._parent.get_name() }});{% endmacro %}")


def _draw_ground(page: folium.Map, bundle: Path, box: Box | None) -> None:
    """Sub-districts and the streets around the tracks, lightly."""
    areas = _collection(bundle / AREAS)
    streets = _collection(bundle / STREETS)
    streets["features"] = [street for street in streets["features"] if box is not None and _touches(street, box)]
    if areas["features"]:
        folium.GeoJson(areas, style_function=lambda _: _AREA).add_to(page)
    if streets["features"]:
        folium.GeoJson(streets, style_function=_street_style).add_to(page)


def _street_style(street: dict[str, Any]) -> dict[str, Any]:
    return _MAIN_STREET if street["properties"].get("class") in _MAIN_CLASSES else _STREET


def _collection(path: Path) -> dict[str, Any]:
    try:
        collection: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MapError(f"{path} is no part of a map bundle; run `xunlu-map prepare` again.") from error
    return collection


def _touches(street: dict[str, Any], box: Box) -> bool:
    west, south, east, north = box
    lons, lats = zip(*street["geometry"]["coordinates"], strict=True)
    margin = STREET_MARGIN_DEG
    return bool(
        min(lons) < east + margin
        and max(lons) > west - margin
        and min(lats) < north + margin
        and max(lats) > south - margin
    )


def _box(playback: Playback) -> Box | None:
    points = [point for walked in playback.walked for piece in walked.pieces for point in piece]
    if not points:
        return None
    lons, lats = [point.lon for point in points], [point.lat for point in points]
    return min(lons), min(lats), max(lons), max(lats)


def _corner(bundle: Path) -> str:
    """Attribution and approval number, as on the console's map."""
    described = read_map(bundle)
    parts = [described.attribution, described.approval_number and f"审图号：{described.approval_number}"]
    return " · ".join(part for part in parts if part) or (bundle / MAP).parent.name


def _inlined(page: folium.Map, playback: Playback, corner: str, assets: Path) -> str:
    """The page with its programs and its style sheets inside."""
    try:
        script = _unmapped((assets / "leaflet.js").read_text("utf-8"))
        style = _with_images((assets / "leaflet.css").read_text("utf-8"), assets)
    except OSError as error:
        raise MapError(f"Leaflet is not in {assets}: {error.strerror}; name the folder with leaflet.js.") from error
    figure: Any = page.get_root()
    figure.title = escape(playback.title)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    data = f'<script type="application/json" id="playback">{in_script(data_of(playback))}</script>'
    figure.header.add_child(_verbatim(policy), name="policy", index=0)
    for name, markup in (
        ("leaflet-style", f"<style>{style}</style>"),
        ("layout", f"<style>{_ours('page.css')}</style>"),
        ("leaflet-script", f"<script>{script}</script>"),
    ):
        figure.header.add_child(_verbatim(markup), name=name)
    words = f"{panel(playback)}<footer>{escape(corner)}</footer>{data}{_script('page_footage.js')}{_script('page.js')}"
    figure.html.add_child(_verbatim(words), name="words")
    text: str = figure.render()
    return text


def _script(name: str) -> str:
    return f"<script>{_ours(name)}</script>"


def _ours(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _verbatim(markup: str) -> folium.Element:
    """Markup that is not a template: folium takes an element's text for a Jinja program, and names come from people."""
    element: Any = folium.Element("{{ this.markup }}")
    element.markup = markup
    return cast("folium.Element", element)


def _unmapped(script: str) -> str:
    """Without the pointer to a source map, which a browser would ask for."""
    return re.sub(r"//# sourceMappingURL=.*", "", script)


def _with_images(style: str, assets: Path) -> str:
    """Pictures become part of the style sheet (RFC 2397)."""

    def picture(match: re.Match[str]) -> str:
        path = assets / match[1]
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return f"url(data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()})"

    return re.sub(r"url\(([\w./-]+)\)", picture, style)
