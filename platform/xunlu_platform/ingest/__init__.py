"""Ingest: from MQTT messages to rows, acknowledged after commit.

Read `worker.py` for the way of a batch and `handlers.py` for the list of what happens to a message.
"""

from xunlu_platform.ingest.worker import run

__all__ = ["run"]
