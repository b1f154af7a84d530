"""Raster tiles through our own server: against a tile server on loopback."""

import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform, running_platform
from tests.services import TestBroker, TestDatabase
from xunlu_platform.api.tiles import clean_cache

pytestmark = pytest.mark.integration

PNG = b"\x89PNG\r\n\x1a\n" + b"tile"


class TileServer(BaseHTTPRequestHandler):
    """Answers a picture for `/tile`, words for anything else, and remembers what it was asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PNG if self.path.startswith("/tile") else b"<html>quota exceeded</html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def tile_server() -> Iterator[int]:
    TileServer.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), TileServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest_asyncio.fixture
async def platform(
    database: TestDatabase, broker: TestBroker, tile_server: int, tmp_path: Path
) -> AsyncIterator[Platform]:
    bundle = tmp_path / "map"
    bundle.mkdir()
    origin = f"http://127.0.0.1:{tile_server}"
    source = {
        "name": "天地图", "attribution": "天地图", "datum": "wgs84", "key_file": "tianditu.key",
        "bounds": [121, 31, 122, 32], "maxzoom": 18,
        "layers": [
            {"id": "base", "url": f"{origin}/tile/{{z}}/{{x}}/{{y}}?tk={{key}}"},
            {"id": "broken", "url": f"{origin}/words/{{z}}/{{x}}/{{y}}"},
        ],
    }  # fmt: skip
    (bundle / "tianditu.key").write_text("geheim")
    (bundle / "source.json").write_text(json.dumps(source))
    async with running_platform(database, broker, map=bundle, tile_cache=tmp_path / "tiles") as running:
        yield running


async def status_of(platform: Platform, path: str, token: str) -> int:
    return (await platform.client.get(f"/map/raster/{path}", headers={"Authorization": f"Bearer {token}"})).status_code


async def test_a_tile_is_fetched_once_with_the_key_that_no_client_sees(platform: Platform) -> None:
    token = await platform.token("dispatcher")
    for _ in range(2):
        answer = await platform.client.get("/map/raster/base/3/4/5", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PNG, "image/png")
    assert TileServer.asked == ["/tile/3/4/5?tk=geheim"]
    assert await status_of(platform, "base/3/4/5", "nobody") == 401


async def test_what_is_no_tile_is_not_passed_on(platform: Platform) -> None:
    token = await platform.token("dispatcher")
    assert await status_of(platform, "broken/3/4/5", token) == 502
    for path in ("other/3/4/5", "base/19/4/5", "base/3/8/0", "base/3/4/5.png", "base/3/-1/0"):
        assert await status_of(platform, path, token) in (404, 422), path
    assert len(TileServer.asked) == 1


async def test_a_key_that_no_address_can_hold_stands_in_no_log(
    platform: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "map" / "tianditu.key").write_text("two words")
    assert await status_of(platform, "base/3/4/5", await platform.token("dispatcher")) == 502
    assert "two words" not in "".join(f"{record.__dict__}" for record in caplog.records)
    assert "two words" not in caplog.text


def test_the_cache_throws_out_the_oldest_beyond_its_bound(tmp_path: Path) -> None:
    for number in range(10):
        path = tmp_path / f"{number}"
        path.write_bytes(bytes(100))
        os.utime(path, (number, number))
    clean_cache(tmp_path, 500)
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [6, 7, 8, 9]
