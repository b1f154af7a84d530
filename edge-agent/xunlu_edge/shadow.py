"""The shadow: the configuration in force, desired by the platform, reported back, kept across restarts."""

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from xunlu_edge.database import read_document, write_document
from xunlu_edge.situation import Situation
from xunlu_protocol.base import decode_json
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.shadow import RecorderConfig, Shadow

log = logging.getLogger(__name__)

DOCUMENT = "shadow"
WHY_MAX = 500


class ShadowKeeper:
    """Owns the configuration.

    Attributes:
        reported: what `up/shadow` says.
    """

    def __init__(self, database: sqlite3.Connection, situation: Situation) -> None:
        self._database = database
        self._situation = situation
        self.reported = self._stored()
        self._situation.config = self.reported.config

    def _stored(self) -> Shadow:
        body = read_document(self._database, DOCUMENT)
        if body is None:
            return Shadow.initial()
        try:
            return Shadow.decode(body)
        except ProtocolError as error:
            log.warning("stored configuration unreadable, using the initial one", extra={"reason": error.reason})
            return Shadow.initial()

    def desire(self, payload: bytes) -> bool:
        """Take over a desired configuration; returns whether there is something to report.

        One that breaks its bounds is not taken over, in no part: the report keeps the old version and says why.
        """
        if not payload:
            return False
        try:
            desired = Shadow.decode(payload)
        except ProtocolError as error:
            log.warning("desired configuration refused", extra={"reason": error.reason})
            self.reported = self.reported.model_copy(update={"why": str(error)[:WHY_MAX]})
            return True
        if desired.version == self.reported.version and self.reported.why is None:
            return False
        write_document(self._database, DOCUMENT, desired.encode())
        self._apply(desired)
        log.info("configuration taken over", extra={"version": desired.version})
        return True

    def override(self, changes: Mapping[str, Any]) -> None:
        """Change some fields now, until the next desired version or restart (command `config`).

        Raises:
            ProtocolError: an unknown field, or one out of its bounds.
        """
        if unknown := sorted(set(changes) - set(RecorderConfig.model_fields)):
            raise ProtocolError("config", f"Unknown settings: {', '.join(unknown)[:200]}.")
        merged = decode_json(self.reported.config.encode()) | dict(changes)
        self._apply(self.reported.model_copy(update={"config": RecorderConfig.parse(merged), "why": None}))

    def _apply(self, shadow: Shadow) -> None:
        self.reported = shadow.model_copy(update={"why": None})
        self._situation.config = shadow.config
