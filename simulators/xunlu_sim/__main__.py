"""`xunlu-sim patrol|bulk`: simulated recorders against a running platform."""

import argparse
import asyncio
import random
import signal
import sys
from pathlib import Path

from xunlu_gis.areas import read_areas
from xunlu_gis.formats import read_track
from xunlu_gis.streets import StreetGraph
from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs
from xunlu_kit.mqtt import Broker
from xunlu_sim.bulk import Bulk, crowd
from xunlu_sim.fleet import FleetOptions, WayOf, run_fleet
from xunlu_sim.way import Patrol, Replay, Way

# A sub-district with fewer corners is too small to walk in; its officers walk everywhere.
CORNERS_MIN = 10


def main() -> None:
    """Run a simulation until it ends or is interrupted."""
    arguments = _parser().parse_args()
    configure_logs("text", arguments.log_level)
    try:
        asyncio.run(_until_stopped(arguments))
    except XunluError as error:
        print(f"xunlu-sim: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xunlu-sim", description=__doc__)
    parser.add_argument("--log-level", default="WARNING", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    commands = parser.add_subparsers(dest="command", required=True)
    patrol = commands.add_parser("patrol", help="real agents over fake hardware")
    _add_broker(patrol)
    patrol.add_argument("--recorders", type=int, default=20, help="how many")
    patrol.add_argument("--claim-file", type=Path, required=True, help="password of the claim account")
    patrol.add_argument("--state", type=Path, required=True, help="folder for the agents' state")
    way = patrol.add_mutually_exclusive_group(required=True)
    way.add_argument("--map", type=Path, help="bundle whose streets they walk")
    way.add_argument("--track", type=Path, action="append", help="GPX or CSV to replay; give it again for more")
    patrol.add_argument("--seed", type=int, default=1, help="the same seed, the same day")
    patrol.add_argument("--calm", action="store_true", help="no broken reception, no keys, no recordings")
    bulk = commands.add_parser("bulk", help="thousands of light devices, for load")
    _add_broker(bulk)
    bulk.add_argument("--username", required=True, help="account that may write for all of them")
    bulk.add_argument("--password-file", type=Path, required=True, help="its password")
    bulk.add_argument("--devices", type=int, default=1000, help="how many; they must be registered as BULK00001 …")
    bulk.add_argument("--per-s", type=float, default=1000, help="positions a second, all together")
    bulk.add_argument("--sid", type=int, default=1, help="session that they are in; a second run needs another")
    bulk.add_argument("--seconds", type=float, default=60, help="how long")
    return parser


def _add_broker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--broker", required=True, type=_address, metavar="HOST:PORT", help="address of the broker")
    parser.add_argument("--ca", type=Path, help="CA of its certificate; without it plain TCP")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError("write HOST:PORT, such as 127.0.0.1:8002")
    return host, int(port)


async def _until_stopped(arguments: argparse.Namespace) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await (_patrol(arguments) if arguments.command == "patrol" else _bulk(arguments))
    except asyncio.CancelledError:
        return


async def _patrol(arguments: argparse.Namespace) -> None:
    host, port = arguments.broker
    options = FleetOptions(
        recorders=arguments.recorders,
        broker_host=host,
        broker_port=port,
        ca_file=arguments.ca,
        claim_file=arguments.claim_file,
        state=arguments.state,
        seed=arguments.seed,
        calm=arguments.calm,
    )
    await run_fleet(options, _replays(arguments.track) if arguments.track else _patrols(arguments.map))


def _patrols(map_folder: Path) -> WayOf:
    streets = StreetGraph.load(map_folder)
    areas = [area.polygon for area in read_areas(map_folder) if len(streets.inside(area.polygon)) > CORNERS_MIN]

    def way_of(number: int, rng: random.Random) -> Way:
        return Patrol(streets, rng, areas[number % len(areas)] if areas else None)

    return way_of


def _replays(files: list[Path]) -> WayOf:
    tracks = [read_track(file) for file in files]

    def way_of(number: int, rng: random.Random) -> Way:
        return Replay(tracks[number % len(tracks)], skip_s=rng.uniform(0, 86_400))

    return way_of


async def _bulk(arguments: argparse.Namespace) -> None:
    host, port = arguments.broker
    password = arguments.password_file.read_text("utf-8").strip()
    broker = Broker(host=host, port=port, username=arguments.username, password=password, ca_file=arguments.ca)
    devices = crowd([f"BULK{number:05d}" for number in range(1, arguments.devices + 1)], sid=arguments.sid)
    bulk = Bulk(broker, devices, arguments.per_s)
    await bulk.run(arguments.seconds)
    print(f"{bulk.sent} positions sent")


if __name__ == "__main__":
    main()
