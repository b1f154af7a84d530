"""Logging: constant messages with fields; JSON lines on a server, readable lines on a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["json", "text"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _on_one_line(value: object) -> str:
    """A value as text, quoted where it could pretend to be a line of its own or steer a terminal."""
    text = str(value)
    return text if text.isprintable() else repr(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, then the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record; exceptions go to the field `error`."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "ts": when,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """`21:04:05 INFO    xunlu_edge.agent  message  field=value …`, in local time."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record, its fields behind the message."""
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        fields = "".join(f"  {name}={_on_one_line(value)}" for name, value in _fields(record).items())
        line = f"{when} {record.levelname:<7} {record.name}  {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logs(log_format: LogFormat, level: str = "INFO") -> None:
    """Send the root logger to standard output.

    Args:
        log_format: `json` for machines, `text` for people.
        level: the lowest level that is written.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
