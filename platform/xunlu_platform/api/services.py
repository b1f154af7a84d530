"""What the routes work with, opened once for each process."""

import asyncio
import ipaddress
import logging
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends
from starlette.requests import HTTPConnection

from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_platform.api.fleet import Fleet
from xunlu_platform.api.metrics import NOTICES_LOST
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.throttle import Throttle
from xunlu_platform.config import PlatformSettings
from xunlu_platform.store.store import Store
from xunlu_protocol.fleet import FleetFrame, Notice
from xunlu_protocol.topics import fleet

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The process's own parts.

    Attributes:
        settings: of the platform.
        clock: time.
        store: the database as `xunlu_api`.
        mqtt: the broker as `xunlu-api`.
        broker_accounts: accounts of the devices at the broker.
        sign_ins: failed sign-ins of an address.
        fleet: the newest of every device, in memory.
    """

    settings: PlatformSettings
    clock: Clock
    store: Store
    mqtt: MqttSession
    broker_accounts: BrokerAccounts
    sign_ins: Throttle
    fleet: Fleet

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> None:
        """Publish at QoS 1 and wait for the broker, but not for ever.

        Raises:
            TransportError: the broker is away, refuses, or does not answer in time.
        """
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self.mqtt.publish(topic, payload, retain=retain, expiry_s=expiry_s)
        except TimeoutError as error:
            raise TransportError("The broker did not answer in time.") from error

    async def notify(
        self, what: Literal["alarm", "command", "device", "organisation"], key: str, did: str | None
    ) -> None:
        """Tell every API process to read something again. A lost notice loses nothing but immediacy."""
        frame = FleetFrame(notices=(Notice(what=what, id=key, did=did),))
        try:
            await self.mqtt.publish(fleet(self.settings.tenant, "api"), frame.encode(), qos=0)
        except TransportError as error:
            NOTICES_LOST.inc()
            log.warning("notice not sent", extra={"what": what, "error": str(error)})


def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that serves a request or a WebSocket."""
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services


Serving = Annotated[Services, Depends(services_of)]


def address_of(connection: HTTPConnection) -> str | None:
    """Where a request comes from: an IP address, None over anything else."""
    try:
        return str(ipaddress.ip_address(connection.client.host)) if connection.client else None
    except ValueError:
        return None
