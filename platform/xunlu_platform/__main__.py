"""`xunlu-platform api|ingest|jobs|migrate|first-account|demo-data`."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Iterator

from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs
from xunlu_platform.config import PlatformSettings


def main() -> None:
    """Run one of the platform's processes or tasks; the exit code is 1 for what a person can mend."""
    arguments = _parser().parse_args()
    code = 0
    try:
        settings = PlatformSettings.load()
        configure_logs(settings.log_format, settings.log_level)
        asyncio.run(_run(arguments, settings))
    # A process is a group of tasks, so its errors may come as a group.
    except* XunluError as group:
        for error in _leaves(group):
            print(f"xunlu-platform: {error}", file=sys.stderr)
        code = 1
    except* KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _leaves(group: BaseExceptionGroup[XunluError]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xunlu-platform", description="Settings come from XUNLU_PLATFORM_….")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api", help="serve REST, the WebSocket, the console and the map")
    ingest = commands.add_parser("ingest", help="take what devices report into the database")
    ingest.add_argument("--name", default="ingest-1", help="name of this worker, unique among the workers")
    commands.add_parser("jobs", help="roll-ups, retention, expiry")
    commands.add_parser("migrate", help="bring the database to this version")
    commands.add_parser("first-account", help="make the account `admin`, when there is none, and print its password")
    commands.add_parser("demo-data", help="fill an empty installation with a district; prints new accounts as JSON")
    return parser


# Where each one lives; imported only when it runs: a worker needs no web framework.
ENTRIES = {
    "api": "xunlu_platform.app:serve",
    "ingest": "xunlu_platform.ingest:run",
    "jobs": "xunlu_platform.jobs:run",
    "migrate": "xunlu_platform.installation:migrate",
    "first-account": "xunlu_platform.installation:make_first_account",
    "demo-data": "xunlu_platform.demo_data:make_demo_data",
}


async def _run(arguments: argparse.Namespace, settings: PlatformSettings) -> None:
    module, _, name = ENTRIES[arguments.command].partition(":")
    entry = getattr(importlib.import_module(module), name)
    await (entry(settings, arguments.name) if arguments.command == "ingest" else entry(settings))


if __name__ == "__main__":
    main()
