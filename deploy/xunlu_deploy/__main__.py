"""`xunlu demo | up | …`: the whole platform on one machine, in the foreground, and what keeps it."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from xunlu_deploy.backup import back_up, restore
from xunlu_deploy.broker import write_accounts
from xunlu_deploy.console_lines import progress, say
from xunlu_deploy.database import HOST, Server
from xunlu_deploy.installation import DATABASE_NAME, Installation, Mode
from xunlu_deploy.runtime import Runtime, find_or_make
from xunlu_deploy.settings import DeploySettings
from xunlu_deploy.state import State
from xunlu_deploy.supervisor import first_of
from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs

Arguments = argparse.Namespace
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(words: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = _parser().parse_args(words)
    try:
        settings = DeploySettings.load()
        configure_logs(settings.log_format, "WARNING")
        COMMANDS[arguments.command](settings, arguments)
    except XunluError as error:
        progress(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xunlu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run everything, with simulated recorders")
    commands.add_parser("up", help="run everything, for real devices")
    commands.add_parser("services", help="run database and broker alone")
    commands.add_parser("runtime", help="find or make the programs of database and broker, and end")
    commands.add_parser("secrets", help="make every password, and the accounts of a broker that is run elsewhere")
    commands.add_parser("provision", help="make roles, database and extension on a server that is run elsewhere")
    backup = commands.add_parser("backup", help="save a running installation")
    backup.add_argument("target", type=Path, help="folder of all backups")
    backup.add_argument("--keep", type=int, choices=range(1, 1000), metavar="N", default=7, help="backups that stay")
    again = commands.add_parser("restore", help="put a backup into an empty state folder")
    again.add_argument("backup", type=Path, help="one backup")
    return parser


def _state(settings: DeploySettings) -> State:
    return State(settings.state.resolve())


def _runtime(settings: DeploySettings) -> Runtime:
    return find_or_make(settings.runtime or _state(settings).runtime, progress)


def _run(settings: DeploySettings, arguments: Arguments) -> None:
    asyncio.run(_run_until_signal(settings, arguments.command))


def _make_runtime(settings: DeploySettings, _: Arguments) -> None:
    _runtime(settings)


def _make_secrets(settings: DeploySettings, _: Arguments) -> None:
    _state(settings).make_secrets()
    write_accounts(_state(settings))


def _provision(settings: DeploySettings, _: Arguments) -> None:
    server = Server(host=settings.database_host or HOST, port=settings.database_port, state=_state(settings))
    asyncio.run(server.provision(DATABASE_NAME))


def _back_up(settings: DeploySettings, arguments: Arguments) -> None:
    port, state = settings.port_of("database"), _state(settings)
    say(str(back_up(_runtime(settings), state, arguments.target, port=port, keep=arguments.keep)))


def _restore(settings: DeploySettings, arguments: Arguments) -> None:
    restore(arguments.backup, _state(settings))


COMMANDS: dict[str, Callable[[DeploySettings, Arguments], None]] = {
    "demo": _run,
    "up": _run,
    "services": _run,
    "runtime": _make_runtime,
    "secrets": _make_secrets,
    "provision": _provision,
    "backup": _back_up,
    "restore": _restore,
}


async def _run_until_signal(settings: DeploySettings, mode: Mode) -> None:
    """Run until a signal comes; the first one stops everything in order, later ones change nothing."""
    work = asyncio.create_task(Installation(settings).run(mode), name="installation")
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        progress("Stopping …")
        work.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await work
    except* XunluError as errors:
        raise first_of(errors.exceptions) from None


if __name__ == "__main__":
    sys.exit(main())
