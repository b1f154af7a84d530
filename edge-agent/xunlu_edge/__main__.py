"""`xunlu-agent`: the agent of one recorder, configured by the environment (`XUNLU_AGENT_…`)."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from xunlu_edge.agent import Agent
from xunlu_edge.health import pages
from xunlu_edge.linux import find_hardware
from xunlu_edge.settings import AgentSettings
from xunlu_kit.clock import SystemClock
from xunlu_kit.errors import XunluError
from xunlu_kit.health import serve_pages
from xunlu_kit.logs import configure_logs
from xunlu_protocol import __version__

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the agent until SIGINT or SIGTERM; returns the exit code."""
    _parser().parse_args(arguments)
    try:
        settings = AgentSettings()
    except ValidationError as error:
        print(f"The settings cannot be used:\n{error}", file=sys.stderr)
        return 2
    configure_logs(settings.log_format, settings.log_level)
    problems: list[BaseException] = []
    try:
        asyncio.run(_run(settings))
    except* XunluError as errors:
        problems += errors.exceptions
    for problem in problems:
        log.error("agent cannot run", extra={"error": str(problem)})
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    width = max(len(name) for name in AgentSettings.model_fields)
    settings = "\n".join(
        f"  XUNLU_AGENT_{name.upper():<{width}}  {field.description}"
        for name, field in AgentSettings.model_fields.items()
    )
    parser = argparse.ArgumentParser(
        prog="xunlu-agent",
        description="Report a recorder's positions, events and condition to a Xunlu platform.",
        epilog=f"Settings (environment):\n{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


async def _run(settings: AgentSettings) -> None:
    clock = SystemClock()
    agent = Agent(settings, find_hardware(settings, clock), clock)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.stop)
    async with contextlib.AsyncExitStack() as stack:
        if settings.health_port is not None:
            await stack.enter_async_context(
                serve_pages(settings.health_host, settings.health_port, pages(agent, clock))
            )
        await agent.run()


if __name__ == "__main__":
    sys.exit(main())
