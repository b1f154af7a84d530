"""Description of a raster basemap: Tianditu, any WMTS or XYZ server, as an administrator writes it down.

    {"name": "…", "attribution": "…", "approval_number": "…", "datum": "wgs84", "key_file": "tianditu.key",
     "layers": [{"id": "base", "url": "https://t{s}.…&tilematrix={z}&tilecol={x}&tilerow={y}&tk={key}"}],
     "subdomains": ["0", "1"], "minzoom": 1, "maxzoom": 18, "vector": "streets.geojson"}

The key stays in its own file and on the server: `source.json` of the bundle names that file and copies nothing of it.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xunlu_gis.errors import MapError

Bounds = tuple[
    Annotated[float, Field(ge=-180, le=180)],
    Annotated[float, Field(ge=-85.06, le=85.06)],
    Annotated[float, Field(ge=-180, le=180)],
    Annotated[float, Field(ge=-85.06, le=85.06)],
]


class TileLayer(BaseModel):
    """One layer of tiles; Tianditu keeps its labels on a second one.

    Attributes:
        id: becomes a part of an address.
        url: template with `{z}`, `{x}` and `{y}`, optionally `{s}` (subdomain) and `{key}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [part for part in ("{z}", "{x}", "{y}") if part not in self.url]
        if missing:
            raise ValueError(f"the url of layer {self.id} lacks {', '.join(missing)}")
        return self


class RasterDescription(BaseModel):
    """A raster basemap and how to reach it; the fields are explained in docs/map.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    attribution: str
    approval_number: str = ""
    datum: Literal["wgs84", "gcj02"]
    layers: Annotated[tuple[TileLayer, ...], Field(min_length=1, max_length=8)]
    subdomains: tuple[str, ...] = ()
    key_file: Path | None = None
    tile_size: Literal[256, 512] = 256
    minzoom: Annotated[int, Field(ge=0, le=22)] = 1
    maxzoom: Annotated[int, Field(ge=0, le=22)] = 18
    bounds: Bounds | None = None
    vector: Path | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        urls = "".join(layer.url for layer in self.layers)
        if "{key}" in urls and self.key_file is None:
            raise ValueError("the url wants a {key}: name the file that holds it in key_file")
        if "{s}" in urls and not self.subdomains:
            raise ValueError("the url wants a subdomain {s}: list them in subdomains")
        if self.bounds is None and self.vector is None:
            raise ValueError("give bounds [west, south, east, north], or vector: a map to take streets and bounds from")
        return self


def read_raster(path: Path) -> RasterDescription:
    """Read a description; file names in it are relative to it, and come back absolute.

    Raises:
        MapError: a field is missing or wrong, or a file that it names is not there.
    """
    try:
        described = RasterDescription.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise MapError(f"{path.name}: {field or 'description'}: {first['msg']}; see docs/map.md.") from error
    there = {
        name: (path.parent / file).resolve()
        for name in ("key_file", "vector")
        if (file := getattr(described, name)) is not None
    }
    for name, file in there.items():
        if not file.exists():
            raise MapError(f"{path.name}: {name} names {file.name}, which is not beside it; put it there.")
    return described.model_copy(update=there)
