"""What the routes work with, opened once for each process."""

import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends
from starlette.requests import HTTPConnection

from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_platform.api.fleet import Fleet
from xunlu_platform.api.metrics import NOTICES_LOST
from xunlu_platform.api.phone_line import Phones
from xunlu_platform.api.thumbnails import Thumbnails
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.note_tokens import NoteTokens
from xunlu_platform.auth.talk_tokens import TalkTokens
from xunlu_platform.auth.throttle import Throttle
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.commands import Commands
from xunlu_platform.dispatch.floors import Floors
from xunlu_platform.dispatch.live import Live
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.store import Store
from xunlu_protocol.fleet import FleetFrame, Notice
from xunlu_protocol.topics import fleet

log = logging.getLogger(__name__)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The process's own parts.

    Attributes:
        settings: of the platform.
        clock: time.
        store: the database as `xunlu_api`.
        mqtt: the broker as `xunlu-api`.
        broker_accounts: accounts of the devices at the broker.
        sign_ins: failed sign-ins of an address, and wrong addresses of shared incidents.
        shared: what an address asks of shared incidents.
        fleet: the newest of every device, in memory.
        relays: what the relay workers carry, in memory.
        floors: who has the floor of which talk group, in memory.
        thumbnails: the newest small picture of every recorder, in memory.
        commands: sends to devices.
        live: makes recorders publish.
        talk_tokens: lets people into the radio net.
        note_tokens: lets recorders fetch voice notes.
        phones: how many duty telephones are served.
    """

    settings: PlatformSettings
    clock: Clock
    store: Store
    mqtt: MqttSession
    broker_accounts: BrokerAccounts
    sign_ins: Throttle
    shared: Throttle
    fleet: Fleet
    relays: Relays
    floors: Floors
    thumbnails: Thumbnails
    commands: Commands
    live: Live
    talk_tokens: TalkTokens
    note_tokens: NoteTokens
    phones: Phones

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> None:
        """Publish at QoS 1 and wait for the broker, but not for ever.

        Raises:
            TransportError: the broker is away, refuses, or does not answer in time.
        """
        await publish(self.mqtt, topic, payload, retain=retain, expiry_s=expiry_s)

    async def notify(
        self, what: Literal["alarm", "command", "device", "organisation", "zone"], key: str, did: str | None
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
    """Where a request comes from: an IP address, None over anything else.

    Each proxy appends whom it serves to `X-Forwarded-For`, so the header is read from its end, as far as trusted
    proxies wrote it: what a client puts there itself stands before that.
    """
    address = _peer(connection)
    trusted = services_of(connection).settings.trusted_proxies
    hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    while hops and address is not None and _is_in(address, trusted):
        before = _parsed(hops.pop())
        if before is None:
            break
        address = before
    return None if address is None else str(address)


def is_this_machine(connection: HTTPConnection) -> bool:
    """Whether a request comes over loopback."""
    address = address_of(connection)
    return address is not None and ipaddress.ip_address(address).is_loopback


def came_over_tls(connection: HTTPConnection) -> bool:
    """Whether the browser speaks HTTPS: with us, or with a trusted proxy before us."""
    settings = services_of(connection).settings
    if settings.tls_certificate is not None:
        return True
    peer = _peer(connection)
    told = connection.headers.get("x-forwarded-proto")
    return told == "https" and peer is not None and _is_in(peer, settings.trusted_proxies)


def _peer(connection: HTTPConnection) -> Address | None:
    return _parsed(connection.client.host) if connection.client else None


def _parsed(text: str) -> Address | None:
    try:
        # The zone of a link-local address (RFC 4007) is our own interface's name.
        address = ipaddress.ip_address(text.partition("%")[0].strip())
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None) or address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
