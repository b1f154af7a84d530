"""Requests to Mosquitto's dynamic-security plug-in, over its control topic, as plain values.

The plug-in answers every command on one response topic that all administrators read; `correlationData` tells whose
answer it is.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Message, Session

log = logging.getLogger(__name__)

REQUEST_TOPIC = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC = "$CONTROL/dynamic-security/v1/response"
ANSWER_TIMEOUT_S = 10.0
REQUESTS_MAX = 16


class DynamicSecurityError(TransportError):
    """The plug-in refused a command.

    Attributes:
        reason: its words, such as `Client not found`.
    """

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"The broker refused {command}: {reason}.")
        self.reason = reason


class DynamicSecurity:
    """The plug-in as seen by one session, which must be subscribed to `RESPONSE_TOPIC`."""

    def __init__(self, mqtt: Session) -> None:
        self._mqtt = mqtt
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._turn = asyncio.Semaphore(REQUESTS_MAX)

    async def call(self, command: str, **fields: object) -> Mapping[str, Any]:
        """Run one command.

        Args:
            command: such as `createClient`.
            fields: its parameters, as the plug-in's documentation names them.

        Returns:
            The member `data` of the answer, empty without one.

        Raises:
            DynamicSecurityError: refused.
            TransportError: the broker is away or does not answer in time.
        """
        key = secrets.token_hex(8)
        request = {"commands": [{"command": command, "correlationData": key, **fields}]}
        async with self._turn:
            self._waiting[key] = future = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._mqtt.publish(REQUEST_TOPIC, json.dumps(request).encode())
                    answer = await future
            except TimeoutError as error:
                raise TransportError(f"The broker did not answer {command}. Is the plug-in loaded?") from error
            finally:
                del self._waiting[key]
        if reason := answer.get("error"):
            raise DynamicSecurityError(command, str(reason))
        data = answer.get("data", {})
        return data if isinstance(data, dict) else {}

    def handle(self, message: Message) -> None:
        """Take a message of `RESPONSE_TOPIC`; answers to others are left alone."""
        try:
            answers = json.loads(message.payload)["responses"]
        except (ValueError, KeyError, TypeError):
            log.warning("answer of the broker not understood", extra={"bytes": len(message.payload)})
            return
        for answer in answers:
            future = self._waiting.get(answer.get("correlationData", ""))
            if future is not None and not future.done():
                future.set_result(answer)
