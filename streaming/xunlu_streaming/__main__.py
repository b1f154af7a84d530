"""`xunlu-streaming`: the media service."""

import argparse
import asyncio
import sys

from xunlu_kit.errors import XunluError
from xunlu_kit.logs import configure_logs
from xunlu_streaming.config import StreamingSettings
from xunlu_streaming.service import serve


def main() -> None:
    """Run the service."""
    argparse.ArgumentParser(prog="xunlu-streaming", description="Settings come from XUNLU_STREAMING_….").parse_args()
    try:
        settings = StreamingSettings.load()
        configure_logs(settings.log_format, settings.log_level)
        asyncio.run(serve(settings))
    except XunluError as error:
        print(f"xunlu-streaming: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
