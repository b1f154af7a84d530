"""House-keeping beside the main way: roll-ups, retention, expiry, and who was there when."""

from xunlu_platform.jobs.jobs import run

__all__ = ["run"]
