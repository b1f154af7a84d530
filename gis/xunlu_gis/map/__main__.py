"""`xunlu-map`: make a map bundle from a bureau's own map, or from nothing."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from xunlu_gis.errors import MapError
from xunlu_gis.map.prepare import Labels, Prepared, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    labels = Labels(name=options.name, attribution=options.attribution, approval_number=options.approval_number)
    started = time.monotonic()
    try:
        prepared = prepare(options.source, options.folder, labels)
    except (MapError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(_report(prepared, options.folder, time.monotonic() - started))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xunlu-map", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="build|prepare")
    described = "an .osm.pbf or .osm extract, .geojson, a folder of .geojson, .pmtiles, or a .json of raster tiles"
    building = commands.add_parser("build", help="make a bundle from a map")
    building.add_argument("source", type=Path, help=described)
    preparing = commands.add_parser("prepare", help="the same; without a source it makes the demo district")
    preparing.add_argument("source", type=Path, nargs="?", help=described)
    for command in (building, preparing):
        command.add_argument("folder", type=Path, help="becomes the bundle")
        command.add_argument("--name", help="name of the map")
        command.add_argument("--attribution", help="whom the corner of the map names")
        command.add_argument("--approval-number", help="审图号, shown in the corner of the map")
    return parser


def _report(prepared: Prepared, folder: Path, seconds: float) -> str:
    verb = "kept, its source is unchanged" if prepared.reused else f"made in {seconds:.1f} s"
    return f"Map “{prepared.description.name}” in {folder}: {verb}."


if __name__ == "__main__":
    sys.exit(main())
