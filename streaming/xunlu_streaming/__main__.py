"""`xunlu-streaming relay|record|ptt`: the processes of the media service."""

import argparse
import asyncio
import importlib
import sys
from typing import NamedTuple

from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs


class Entry(NamedTuple):
    """Where a process lives; imported only when it runs."""

    module: str
    settings: str
    what: str


ENTRIES = {
    "relay": Entry("xunlu_streaming.service", "xunlu_streaming.config:StreamingSettings", "serve WHIP, WHEP and media"),
    "record": Entry(
        "xunlu_streaming.record.service", "xunlu_streaming.record.config:RecordSettings", "record live paths to files"
    ),
    "ptt": Entry("xunlu_streaming.talk.service", "xunlu_streaming.talk.config:TalkSettings", "serve push-to-talk"),
}


def main() -> None:
    """Run one of the processes; the exit code is 1 for what a person can mend."""
    parser = argparse.ArgumentParser(prog="xunlu-streaming", description="Settings come from XUNLU_STREAMING_….")
    commands = parser.add_subparsers(dest="command", help="relay when none is named")
    for name, entry in ENTRIES.items():
        commands.add_parser(name, help=entry.what)
    entry = ENTRIES[parser.parse_args().command or "relay"]
    try:
        module, _, name = entry.settings.partition(":")
        settings = getattr(importlib.import_module(module), name).load()
        configure_logs(settings.log_format, settings.log_level)
        asyncio.run(importlib.import_module(entry.module).serve(settings))
    # A process is a group of tasks, so its errors may come as a group.
    except* XunluError as group:
        for error in _leaves(group):
            print(f"xunlu-streaming: {error}", file=sys.stderr)
        sys.exit(1)


def _leaves(group: BaseExceptionGroup[XunluError]) -> list[BaseException]:
    inner = [_leaves(one) if isinstance(one, BaseExceptionGroup) else [one] for one in group.exceptions]
    return [error for errors in inner for error in errors]


if __name__ == "__main__":
    main()
