"""`xunlu-streaming relay`: one worker of the relay."""

import argparse
import asyncio
import sys

from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs
from xunlu_streaming.config import StreamingSettings
from xunlu_streaming.service import require_free_port, serve


def main() -> None:
    """Run a process of the media service."""
    parser = argparse.ArgumentParser(prog="xunlu-streaming", description="Settings come from XUNLU_STREAMING_….")
    parser.add_argument("process", nargs="?", choices=["relay"], default="relay", help="what to run")
    parser.parse_args()
    try:
        settings = StreamingSettings.load()
        configure_logs(settings.log_format, settings.log_level)
        require_free_port(settings)
        asyncio.run(serve(settings))
    except XunluError as error:
        print(f"xunlu-streaming: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
