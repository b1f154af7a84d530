"""`xunlu demo | up | services | runtime`: the whole platform on one machine, in the foreground."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence

from xunlu_deploy.console_lines import progress
from xunlu_deploy.installation import Installation, Mode
from xunlu_deploy.runtime import find_or_make
from xunlu_deploy.settings import DeploySettings
from xunlu_deploy.state import State
from xunlu_deploy.supervisor import first_of
from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs

COMMANDS = {
    "demo": "everything, with simulated recorders",
    "up": "everything, for real devices",
    "services": "database and broker alone",
    "runtime": "make or find the programs of database and broker, and end",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="xunlu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    command = parser.parse_args(arguments).command
    try:
        settings = DeploySettings.load()
        configure_logs(settings.log_format, "WARNING")
        if command == "runtime":
            find_or_make(settings.runtime or State(settings.state.resolve()).runtime, progress)
        else:
            asyncio.run(_run(settings, command))
    except XunluError as error:
        progress(str(error))
        return 1
    return 0


async def _run(settings: DeploySettings, mode: Mode) -> None:
    """Run until a signal comes; the first one stops everything in order, later ones change nothing."""
    work = asyncio.create_task(Installation(settings).run(mode), name="installation")
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        progress("Stopping …")
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await work
    except* XunluError as errors:
        raise first_of(errors.exceptions) from None


if __name__ == "__main__":
    sys.exit(main())
