"""Tiles that are shifted by GCJ-02 lie under positions that are not."""

import pytest
from playwright.async_api import Page

from tests.console.bureau import Bureau
from xunlu_gis.datum import wgs84_to_gcj02

pytestmark = [pytest.mark.console, pytest.mark.integration]

MODULE = "new URL('map/gcj02.js', document.querySelector('script[type=module]').src).href"
PLACES = [(31.2304, 121.4737), (39.9087, 116.3975), (22.5431, 114.0579), (35.6812, 139.7671)]

SHIFT = f"""async ([lat, lon, zoom]) => {{
  const {{ shiftedTiles }} = await import({MODULE});
  const box = document.body.appendChild(document.createElement("div"));
  box.style.setProperty("height", "400px");
  const map = L.map(box).setView([lat, lon], zoom);
  const blank = "data:image/gif;base64,R0lGODlhAQABAAAAACw=#{{z}}/{{x}}/{{y}}";
  const at = (layer) => layer.addTo(map)._level.el.getBoundingClientRect();
  const [shifted, plain] = [at(shiftedTiles(blank, {{}})), at(L.tileLayer(blank))];
  return [shifted.x - plain.x, shifted.y - plain.y];
}}"""


async def test_the_console_shifts_as_the_gis_package_does(page: Page, bureau: Bureau) -> None:
    await page.goto(bureau.api.url)
    for lat, lon in PLACES:
        shifted = await page.evaluate(f"async ([lat, lon]) => (await import({MODULE})).toGcj02(lat, lon)", [lat, lon])
        assert shifted == pytest.approx(wgs84_to_gcj02(lat, lon), abs=1e-9)


async def test_a_layer_is_moved_by_what_its_tiles_are_off(page: Page, bureau: Bureau) -> None:
    await page.goto(bureau.api.url)
    lat, lon = PLACES[0]
    x_px, y_px = await page.evaluate(SHIFT, [lat, lon, 16])
    metres_per_pixel = 2.043  # zoom 16 at this latitude
    assert (x_px**2 + y_px**2) ** 0.5 * metres_per_pixel == pytest.approx(480, abs=25)
    # What the tiles show too far east and south must move west and north.
    assert x_px < 0
    assert y_px < 0
