"""Provisioning by claim (自动注册): a device without identity asks, and is told its own credentials one time.

One serial has one identity, ever: who asks again with another nonce is refused, because whoever holds the claim
credential could otherwise take over a device by its serial number. The nonce of before is answered again: with the same
words as long as this process remembers them, later with a new password, until the device has spoken with one.
"""

import asyncio
import logging
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Message
from xunlu_platform.api.metrics import CLAIMS, CLAIMS_DROPPED
from xunlu_platform.api.services import Services
from xunlu_platform.auth.broker_accounts import DeviceKind, DeviceStatus, is_reserved
from xunlu_platform.auth.logins import hash_token
from xunlu_platform.auth.passwords import random_password
from xunlu_platform.auth.throttle import Throttle
from xunlu_platform.errors import ConflictError, StoreError
from xunlu_platform.store.store import SYSTEM, Row, Session
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.topics import provision_request, provision_response

log = logging.getLogger(__name__)

REQUESTS_WAITING_MAX = 500
ANSWER_EXPIRY_S = 600
ANSWERS_KEPT_MAX = 5000
SERIAL_ATTEMPTS_MAX = 10
SERIAL_WINDOW_S = 60
PENDING_MAX = 10_000

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOST = "This serial has an identity already; replacing a lost credential needs an administrator."
_FULL = "Too many devices wait for approval; ask an administrator to look through them."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answered:
    """What a nonce was told, for the device that did not hear it."""

    request: ProvisionRequest
    response: ProvisionResponse
    until_s: float


class Provisioning:
    """Answers claims, one at a time."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._requests: asyncio.Queue[Message] = asyncio.Queue(REQUESTS_WAITING_MAX)
        self._answers: OrderedDict[str, _Answered] = OrderedDict()
        self._attempts = Throttle(clock, attempts_max=SERIAL_ATTEMPTS_MAX, window_s=SERIAL_WINDOW_S)

    def receive(self, message: Message) -> None:
        """Take a request; beyond a bound they are dropped, and their devices ask again."""
        try:
            self._requests.put_nowait(message)
        except asyncio.QueueFull:
            CLAIMS_DROPPED.inc()

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            message = await self._requests.get()
            try:
                await self._answer(message)
            except (StoreError, TransportError) as error:
                # Nothing was committed or nothing was told: the device asks again.
                log.warning("claim not answered", extra={"error": str(error)})

    async def _answer(self, message: Message) -> None:
        nonce = message.topic.removeprefix(provision_request(""))
        if not _IDENTIFIER.fullmatch(nonce):
            log.warning("claim with a bad nonce")
            return
        try:
            request = ProvisionRequest.decode(message.payload)
        except ProtocolError as error:
            log.warning("claim not understood", extra={"reason": error.reason})
            await self._tell(nonce, ProvisionResponse(status="refused", why=str(error)[:500]))
            return
        if self._attempts.wait_s(request.serial):
            CLAIMS_DROPPED.inc()
            return
        self._attempts.count(request.serial)
        response = await self._decide(nonce, request)
        CLAIMS.labels(response.status).inc()
        await self._tell(nonce, response)

    async def _decide(self, nonce: str, request: ProvisionRequest) -> ProvisionResponse:
        known = self._answers.get(nonce)
        if known is not None and known.until_s > self._clock.monotonic_s():
            same = known.request == request
            return known.response if same else ProvisionResponse(status="refused", why="Use a nonce of your own.")
        try:
            response = await self._register(nonce, request)
        except ConflictError:
            response = ProvisionResponse(status="refused", why=_LOST)
        if response.did is not None:
            self._remember(nonce, request, response)
            await self._services.notify("device", response.did, response.did)
        log.info("claim answered", extra={"status": response.status, "did": response.did, "serial": request.serial})
        return response

    def _remember(self, nonce: str, request: ProvisionRequest, response: ProvisionResponse) -> None:
        until_s = self._clock.monotonic_s() + ANSWER_EXPIRY_S
        self._answers[nonce] = _Answered(request=request, response=response, until_s=until_s)
        while len(self._answers) > ANSWERS_KEPT_MAX:
            self._answers.popitem(last=False)

    async def _register(self, nonce: str, request: ProvisionRequest) -> ProvisionResponse:
        """The broker's account first, then the commit: what fails in between leaves one that the next try renews."""
        who = {"vendor": request.vendor, "serial": request.serial}
        claim_hash = hash_token(nonce)
        async with self._services.store.session(SYSTEM) as session:
            claimed = await session.one("devices", "claimed", {**who, "claim_hash": claim_hash})
            if claimed is not None:
                if not claimed["open"]:
                    return ProvisionResponse(status="refused", why=_LOST)
                await _record_claim(session, request, claimed["did"], claimed["unit_id"], again=True)
                return await self._grant(claimed["did"], claimed["status"], claimed["kind"])
            expected = await session.one("expected", "one", who)
            pending = await session.one("devices", "count_pending")
            # A flood of strangers must not keep out those who are expected.
            if expected is None and pending is not None and pending["devices"] >= PENDING_MAX:
                return ProvisionResponse(status="refused", why=_FULL)
            status: DeviceStatus = "approved" if expected else "pending"
            did = await _free_did(session, request.serial)
            await self._insert(session, request, did, expected, claim_hash)
            return await self._grant(did, status, request.kind)

    async def _grant(self, did: str, status: DeviceStatus, kind: DeviceKind) -> ProvisionResponse:
        password = random_password()
        await self._services.broker_accounts.put(did, password, status, kind)
        tenant = self._services.settings.tenant
        return ProvisionResponse(status=status, did=did, tenant=tenant, username=did, password=password)

    async def _insert(
        self, session: Session, request: ProvisionRequest, did: str, expected: Row | None, claim_hash: bytes
    ) -> None:
        tenant = self._services.settings.tenant
        root = await session.one("units", "root", {"tenant": tenant})
        if root is None:
            raise StoreError("There is no unit yet: run `xunlu-platform first-account`.")
        unit_id = expected["unit_id"] if expected else root["id"]
        values = {
            **request.model_dump(include={"serial", "vendor", "model", "kind"}), "did": did, "tenant": tenant,
            "unit_id": unit_id, "status": "approved" if expected else "pending",
            "inspection_report": expected["inspection_report"] if expected else None, "claim_hash": claim_hash,
        }  # fmt: skip
        row = await session.one("devices", "insert", values)
        assert row is not None
        if expected and expected["officer_id"]:
            officer = {"id": row["id"], "officer_id": expected["officer_id"], "account_id": None}
            await session.run("devices", "bind_if_free", officer)
        await _record_claim(session, request, did, unit_id, expected=expected is not None)

    async def _tell(self, nonce: str, response: ProvisionResponse) -> None:
        payload = response.encode()
        await self._services.publish(provision_response(nonce), payload, expiry_s=ANSWER_EXPIRY_S)


async def _record_claim(session: Session, request: ProvisionRequest, did: str, unit_id: int, **more: bool) -> None:
    await session.run("audit", "insert", {
        "account_id": None, "username": "claim", "unit_id": unit_id, "action": "device.claim", "target": did,
        "detail": {"serial": request.serial, "vendor": request.vendor, **more}, "address": None,
    })  # fmt: skip


async def _free_did(session: Session, serial: str) -> str:
    """The serial where it can be a name and is free; else a random one."""
    if _IDENTIFIER.fullmatch(serial) and not is_reserved(serial):
        row = await session.one("devices", "taken", {"did": serial})
        if row is not None and not row["taken"]:
            return serial
    return f"d-{secrets.token_hex(5)}"


async def reconcile(services: Services) -> None:
    """Once after the start, make the broker's rules equal to the devices of the database."""
    await services.mqtt.wait_connected()
    try:
        async with services.store.session(SYSTEM) as session:
            devices = await session.all("devices", "identities")
        missing = await services.broker_accounts.reconcile(devices)
    except (StoreError, TransportError) as error:
        log.warning("accounts of devices not compared", extra={"error": str(error)})
        return
    if missing:
        log.warning("devices without an account need new credentials", extra={"devices": len(missing)})
