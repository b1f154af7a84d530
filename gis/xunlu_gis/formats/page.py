"""A track as one HTML file: opens from a disk without a network, and can be handed to anybody."""

import base64
import json
import mimetypes
import re
from collections.abc import Sequence
from datetime import UTC, tzinfo
from html import escape
from pathlib import Path
from typing import Any, Final, cast

import folium

from xunlu_gis.errors import MapError
from xunlu_gis.map.bundle import AREAS, MAP, STREETS, read_map
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.segment import SegmentedTrack

_GROUND: Final = "#f4f2ee"
_AREA: Final = {"color": "#b9b2a4", "weight": 1, "dashArray": "4 4", "fill": False, "interactive": False}
_STREET: Final = {"color": "#dcd6ca", "weight": 1.5, "interactive": False}
_MAIN_STREET: Final = {"color": "#cfc6b4", "weight": 3.5, "interactive": False}
_MAIN_CLASSES: Final = frozenset({"primary", "secondary", "tertiary"})

_TRACK: Final = "#0b62d6"
_GAP: Final = "#7a7a7a"
_FIRST, _LAST = "#178a3a", "#c22f2f"

STREET_MARGIN_DEG: Final = 0.01
"""Streets within about a kilometre of the track are drawn; a whole city would make the file large."""

TICKS_MAX: Final = 300
"""Points with a tooltip: a larger file would not say more."""


def to_html(title: str, track: SegmentedTrack, assets: Path, bundle: Path | None = None, zone: tzinfo = UTC) -> str:
    """Draw a track with the streets of the map below it.

    Args:
        title: heading of the page, for instance officer, device and day.
        track: segments are drawn as lines, gaps dashed.
        assets: folder with `leaflet.js`, `leaflet.css` and `images/` of Leaflet 1.9; they are written into the page.
        bundle: map bundle whose streets and sub-districts lie below; None leaves the ground empty.
        zone: of the times that are shown; each is shown with its offset.

    Raises:
        MapError: the assets or the bundle cannot be read.
    """
    page = folium.Map(tiles=None, prefer_canvas=True, control_scale=True, zoom_start=15)
    page.default_js, page.default_css = [], []
    corner = "Xunlu 巡录"
    points = track.points
    if bundle is not None:
        _draw_ground(page, bundle, _box(points))
        corner = _corner(bundle)
    for segment in track.segments:
        _draw_line(page, segment.points, color=_TRACK, weight=4, opacity=0.85)
    for gap in track.gaps:
        silence = " – ".join(_clock(end, zone) for end in (gap.before, gap.after))
        _draw_line(page, (gap.before, gap.after), color=_GAP, weight=2, dash_array="6 8", tooltip=silence)
    _draw_ticks(page, points, zone)
    if points:
        west, south, east, north = _box(points)
        page.fit_bounds([(south, west), (north, east)], padding=(30, 30), max_zoom=17)
    return _inlined(page, title, corner, assets)


def _draw_line(page: folium.Map, points: Sequence[TrackPoint], **style: object) -> None:
    line: Any = folium.PolyLine  # folium leaves it untyped
    line([(point.lat, point.lon) for point in points], **style).add_to(page)


def _draw_ground(page: folium.Map, bundle: Path, box: tuple[float, float, float, float]) -> None:
    """Sub-districts and the streets around the track, lightly."""
    areas = _collection(bundle / AREAS)
    streets = _collection(bundle / STREETS)
    streets["features"] = [street for street in streets["features"] if _touches(street, box)]
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


def _touches(street: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    lons, lats = zip(*street["geometry"]["coordinates"], strict=True)
    margin = STREET_MARGIN_DEG
    return bool(
        min(lons) < east + margin
        and max(lons) > west - margin
        and min(lats) < north + margin
        and max(lats) > south - margin
    )


def _box(points: list[TrackPoint]) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    if not points:
        return (0.0, 0.0, 0.0, 0.0)
    lons, lats = [point.lon for point in points], [point.lat for point in points]
    return min(lons), min(lats), max(lons), max(lats)


def _draw_ticks(page: folium.Map, points: list[TrackPoint], zone: tzinfo) -> None:
    """Times along the track; first and last stand out."""
    for point in points[:: max(1, len(points) // TICKS_MAX)]:
        _draw_dot(page, point, zone, radius=3, color=_TRACK, weight=1)
    for point, colour in zip(points[:: max(1, len(points) - 1)], (_FIRST, _LAST), strict=False):
        _draw_dot(page, point, zone, radius=7, color=colour, fill=True, fill_opacity=1)


def _draw_dot(page: folium.Map, point: TrackPoint, zone: tzinfo, **style: Any) -> None:  # noqa: ANN401  folium's options
    folium.CircleMarker((point.lat, point.lon), tooltip=_clock(point, zone), **style).add_to(page)


def _clock(point: TrackPoint, zone: tzinfo) -> str:
    return point.fix_time.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _corner(bundle: Path) -> str:
    """Attribution and approval number, as on the console's map."""
    described = read_map(bundle)
    parts = [described.attribution, described.approval_number and f"审图号：{described.approval_number}"]
    return " · ".join(part for part in parts if part) or (bundle / MAP).parent.name


def _inlined(page: folium.Map, title: str, corner: str, assets: Path) -> str:
    """The page with its program and its style sheet inside."""
    try:
        script = (assets / "leaflet.js").read_text("utf-8")
        style = _with_images((assets / "leaflet.css").read_text("utf-8"), assets)
    except OSError as error:
        raise MapError(f"Leaflet is not in {assets}: {error.strerror}; name the folder with leaflet.js.") from error
    figure: Any = page.get_root()
    figure.title = escape(title)
    figure.header.add_child(_verbatim(f"<style>{style}</style>"), name="leaflet-style")
    figure.header.add_child(_verbatim(f"<script>{_unmapped(script)}</script>"), name="leaflet-script")
    figure.header.add_child(_verbatim(_LAYOUT), name="layout")
    figure.html.add_child(_verbatim(f"<h1>{escape(title)}</h1><footer>{escape(corner)}</footer>"), name="words")
    text: str = figure.render()
    return text


def _verbatim(markup: str) -> folium.Element:
    """Markup that is not a template: folium takes an element's text for a Jinja program, and names come from people."""
    element: Any = folium.Element("{{ this.markup }}")
    element.markup = markup
    return cast("folium.Element", element)


_LAYOUT: Final = f"""<style>
.leaflet-container {{ background: {_GROUND}; }}
h1, footer {{ position: absolute; z-index: 1000; margin: 0; padding: 6px 12px; background: #fffd;
  font: 15px/1.4 system-ui, sans-serif; }}
h1 {{ top: 10px; left: 60px; border-radius: 4px; }}
footer {{ right: 0; bottom: 0; font-size: 12px; }}
.leaflet-control-attribution {{ display: none; }}
</style>"""


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
