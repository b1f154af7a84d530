"""The coverage map of a report as SVG 1.1: lines and areas on plain ground, with a scale and north up."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from xunlu_gis.errors import ReportError
from xunlu_gis.plane import Floats, Plane
from xunlu_gis.report.document import PATCHES_MAX, POSITIONS_MAX, Coverage, Kind, Patch
from xunlu_gis.report.words import COLOURS

WIDTH_PX: Final = 720
HEIGHT_MAX_PX: Final = 560
_MARGIN_PX: Final = 16
_SCALE_SHARE_MAX: Final = 0.25

_STYLES: Final[dict[Kind, str]] = {
    "zone": f'fill="#f4f1e8" stroke="{COLOURS["zone"]}" stroke-width="1.2" stroke-dasharray="5 3"',
    "seen": f'fill="{COLOURS["seen"]}" fill-opacity="0.35" stroke="{COLOURS["seen"]}" stroke-width="4"',
    "unseen": f'fill="{COLOURS["unseen"]}" fill-opacity="0.2" stroke="{COLOURS["unseen"]}" stroke-width="1" '
    'stroke-dasharray="6 4"',
    "track": f'stroke="{COLOURS["track"]}" stroke-width="1.2"',
}
"""In the order in which they are drawn: what was seen shows beside the track on it; what was not is thin and broken,
for who prints without colours."""


_DEPTHS: Final = {"LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""How deep the positions of a geometry lie."""


def to_svg(coverage: Coverage) -> str:
    """Draw a coverage map, no larger than `WIDTH_PX` by `HEIGHT_MAX_PX`; empty where there is nothing to draw.

    Raises:
        ReportError: too much to draw, or a geometry that is none.
    """
    if len(coverage.patches) > PATCHES_MAX:
        raise ReportError(f"The map has {len(coverage.patches)} pieces, more than {PATCHES_MAX}; join them.")
    drawn = [(patch, list(_lines(patch))) for patch in coverage.patches]
    lines = [line for _, part in drawn for line in part]
    if not lines:
        return ""
    everything = np.concatenate(lines)
    if len(everything) > POSITIONS_MAX:
        raise ReportError(f"The map has {len(everything)} positions, more than {POSITIONS_MAX}; simplify its lines.")
    paper = _Paper(everything)
    paths = [
        f'<path d="{"".join(paper.path(line, closed=_closed(patch)) for line in part)}" {_style(patch)}/>'
        for kind in _STYLES
        for patch, part in drawn
        if patch.kind == kind
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{paper.height_px:.0f}" '
        f'viewBox="0 0 {WIDTH_PX} {paper.height_px:.0f}" role="img">'
        '<g fill="none" fill-rule="evenodd" stroke-linejoin="round" stroke-linecap="round">'
    )
    return f"{head}{''.join(paths)}</g>{paper.scale()}</svg>"


def _style(patch: Patch) -> str:
    """A line has no inside: as a style this goes before the attribute."""
    return _STYLES[patch.kind] + ("" if _closed(patch) else ' style="fill:none"')


def _closed(patch: Patch) -> bool:
    return patch.geometry["type"] in {"Polygon", "MultiPolygon"}


def _lines(patch: Patch) -> Iterator[Floats]:
    """Lines and rings, each as longitudes and latitudes, (n, 2)."""
    kind = patch.geometry.get("type")
    if kind not in _DEPTHS:
        raise ReportError(f"A {kind} cannot be drawn on a coverage map; give lines or polygons.")
    yield from _at_depth(patch.geometry, _DEPTHS[kind])


def _at_depth(geometry: Mapping[str, Any], depth: int) -> Iterator[Floats]:
    parts = [geometry["coordinates"]]
    for _ in range(depth - 1):
        parts = [inner for part in parts for inner in part]
    for part in parts:
        line = np.array([position[:2] for position in part], dtype=float).reshape(-1, 2)
        if not np.isfinite(line).all():
            raise ReportError("A coverage map needs finite coordinates.")
        if len(line):
            yield line


class _Paper:
    """Places as pixels, north up, all of them inside the margin."""

    def __init__(self, degrees: Floats) -> None:
        low, high = degrees.min(axis=0), degrees.max(axis=0)
        middle = (low + high) / 2
        self._plane = Plane(float(middle[1]), float(middle[0]))
        west_south, east_north = self._plane.to_xy(np.array((low, high)))
        self._west, self._north = float(west_south[0]), float(east_north[1])
        wide, tall = (max(float(side), 50.0) for side in east_north - west_south)
        self.px_per_m = min((WIDTH_PX - 2 * _MARGIN_PX) / wide, (HEIGHT_MAX_PX - 3 * _MARGIN_PX) / tall)
        self._left_px = (WIDTH_PX - float(east_north[0] - west_south[0]) * self.px_per_m) / 2
        self.height_px = tall * self.px_per_m + 3 * _MARGIN_PX

    def path(self, degrees: Floats, *, closed: bool) -> str:
        x_y = (self._plane.to_xy(degrees) - (self._west, self._north)) * (self.px_per_m, -self.px_per_m) + (
            self._left_px,
            _MARGIN_PX,
        )
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in x_y.tolist()) + ("Z" if closed else "")

    def scale(self) -> str:
        """A bar of 1, 2 or 5 times a power of ten metres."""
        longest = WIDTH_PX * _SCALE_SHARE_MAX / self.px_per_m
        power = 10 ** int(np.floor(np.log10(longest)))
        length_m = next(step * power for step in (5, 2, 1) if step * power <= longest)
        words = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
        y, end = self.height_px - _MARGIN_PX, _MARGIN_PX + length_m * self.px_per_m
        return (
            f'<path d="M{_MARGIN_PX} {y - 4:.1f}V{y:.1f}H{end:.1f}V{y - 4:.1f}" fill="none" stroke="#333"/>'
            f'<text x="{end + 6:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="12" fill="#333">{words}</text>'
        )
