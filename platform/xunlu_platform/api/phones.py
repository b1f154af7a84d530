"""`GET /api/v1/phone`: the WebSocket of the phone page, which makes a duty telephone a device of its own.

Its account has one telephone, made when the page is opened for the first time and carried by the account's officer.
What the page reports goes the way of a recorder's reports, and is confirmed in the same words.
"""

import asyncio
import contextlib
import logging
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect

from xunlu_kit.errors import TransportError
from xunlu_platform.api.audit import record
from xunlu_platform.api.metrics import PHONE_REPORTS_DROPPED
from xunlu_platform.api.phone_line import PhoneLine
from xunlu_platform.api.services import Services, services_of
from xunlu_platform.api.sockets import (
    FORBIDDEN,
    REPLACED,
    TOO_MANY,
    TOO_SLOW,
    Refusal,
    StreamGuard,
    send,
    serve,
    watch,
)
from xunlu_platform.auth.logins import Caller
from xunlu_platform.errors import StoreError
from xunlu_platform.store.store import SYSTEM, Row, Session
from xunlu_protocol.base import Wire
from xunlu_protocol.command import Request
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.phone import (
    REPORT_BYTES_MAX,
    PhoneAsk,
    PhoneHello,
    PhonePing,
    PhonePong,
    PhoneReport,
    PhoneWelcome,
    decode_from_phone,
)

log = logging.getLogger(__name__)

router = APIRouter(tags=["phone"])

HELLO_TIMEOUT_S = 10.0
MESSAGES_PER_S = 20
WAITING_MAX = 50
STATUS_CHECK_S = 15.0

NOT_UNDERSTOOD = 4400
NO_OFFICER = 4404
UNREACHABLE = 4503
# Of the closing handshake (RFC 6455 §7.4.1): the page said farewell, or was left.
IN_ORDER = frozenset({1000, 1001})


@router.websocket("/phone")
async def phone(websocket: WebSocket, caller: Annotated[Caller | None, Depends(StreamGuard("talk"))]) -> None:
    """A telephone that is there as long as this connection; the newest of an account takes the place of the others."""
    await websocket.accept()
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        refusal = websocket.state.refusal if caller is None else await _admit(websocket, caller)
        if refusal is not None:
            await websocket.close(refusal.code, refusal.why)


async def _admit(websocket: WebSocket, caller: Caller) -> Refusal | None:
    """Serve a telephone if there is a place for it; returns why the platform ends that, if it does."""
    if caller.officer_id is None:
        return Refusal(NO_OFFICER, "This account belongs to no officer; an administrator can link it.")
    services = services_of(websocket)
    with services.phones.place() as placed:
        if not placed:
            return Refusal(TOO_MANY, "Too many telephones are connected; this one tries again by itself.")
        return await _converse(websocket, services, caller)


async def _converse(websocket: WebSocket, services: Services, caller: Caller) -> Refusal | None:
    """From the first word to the last; `serve` has closed what one of its sides ended."""
    hello = await _hello(websocket)
    if hello is None:
        return Refusal(NOT_UNDERSTOOD, "Say hello first.")
    try:
        device = await _telephone(services, caller)
        if device["status"] != "approved":
            return Refusal(FORBIDDEN, "An administrator has disabled this telephone.")
        line = PhoneLine(services.settings, services.clock, device["did"], hello)
        async with line:
            await _begin(websocket, services, device)
            sides = (_listen(websocket, services, line), _tell(websocket, line), _watch_status(services, caller))
            await serve(websocket, caller, *sides, watch(websocket, caller, "talk"))
    except (StoreError, TransportError) as error:
        log.warning("telephone not served", extra={"username": caller.username, "error": str(error)})
        return Refusal(UNREACHABLE, "The platform is not complete at the moment; this tries again by itself.")
    return None


async def _hello(websocket: WebSocket) -> PhoneHello | None:
    with contextlib.suppress(TimeoutError, ProtocolError):
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            message = decode_from_phone((await websocket.receive_text()).encode())
        return message if isinstance(message, PhoneHello) else None
    return None


async def _begin(websocket: WebSocket, services: Services, device: Row) -> None:
    """Greet, and ask what was asked while no page was there to hear it."""
    await _say(websocket, PhoneWelcome(did=device["did"], now_ms=services.clock.time_ms()))
    async with services.store.session(SYSTEM) as session:
        rows = await session.all("phones", "waiting", {"id": device["id"], "limit": WAITING_MAX})
    for row in rows:
        await _say(websocket, PhoneAsk(ask=Request(**row)))


# -- the device --------------------------------------------------------------------------------------------------------


async def _telephone(services: Services, caller: Caller) -> Row:
    """The device of the account, carried by its officer; made when there is none yet."""
    async with services.store.session(SYSTEM) as session:
        known = await session.one("phones", "of_account", {"account_id": caller.account_id})
        device = known or await _make(session, caller)
        carried = await _carry(session, caller, device)
    if known is None or not carried:
        await services.notify("device", device["did"], device["did"])
    return device


async def _make(session: Session, caller: Caller) -> Row:
    did = f"p-{secrets.token_hex(5)}"
    values = {"did": did, "account_id": caller.account_id, "officer_id": caller.officer_id}
    device = await session.one("phones", "insert", values)
    assert device is not None  # the account's reference proves the officer
    await record(session, caller, "phone.register", did)
    return device


async def _carry(session: Session, caller: Caller, device: Row) -> bool:
    """See to it that the officer carries the telephone; whether that was so before."""
    values = {"id": device["id"], "officer_id": caller.officer_id, "account_id": caller.account_id}
    row = await session.one("phones", "carried", values)
    if row is not None and row["carried"]:
        return True
    for statement in ("lay_down", "carry", "follow_officer"):
        await session.run("phones", statement, values)
    await record(session, caller, "phone.carry", device["did"])
    return False


# -- the sides of a connection -----------------------------------------------------------------------------------------


async def _listen(websocket: WebSocket, services: Services, line: PhoneLine) -> Refusal:
    """Pass on what the page reports: no faster than the broker takes it, and no more than the bound."""
    try:
        return await _pass_on(websocket, services, line)
    except TimeoutError:
        return Refusal(TOO_SLOW, "Nothing was heard of this telephone; it comes back by itself.")


async def _pass_on(websocket: WebSocket, services: Services, line: PhoneLine) -> Refusal:
    began_s, count = services.clock.monotonic_s(), 0
    while True:
        text = await _receive(websocket, line, services.settings.phone_silence_s)
        now_s = services.clock.monotonic_s()
        if now_s - began_s >= 1:
            began_s, count = now_s, 0
        count += 1
        if count > MESSAGES_PER_S:
            # Not read, it waits with the sender.
            await services.clock.sleep(began_s + 1 - now_s)
        if len(text) > REPORT_BYTES_MAX:
            return Refusal(NOT_UNDERSTOOD, "A message is too long.")
        try:
            message = decode_from_phone(text.encode())
        except ProtocolError as error:
            return Refusal(NOT_UNDERSTOOD, f"A message was not understood ({error.reason[:60]}).")
        if isinstance(message, PhonePing):
            await _say(websocket, PhonePong(n=message.n, now_ms=services.clock.time_ms()))
        elif isinstance(message, PhoneReport):
            await _report(line, message)


async def _receive(websocket: WebSocket, line: PhoneLine, silence_s: float) -> str:
    try:
        async with asyncio.timeout(silence_s):
            return await websocket.receive_text()
    except WebSocketDisconnect as farewell:
        line.left = farewell.code in IN_ORDER
        raise


async def _report(line: PhoneLine, report: PhoneReport) -> None:
    try:
        await line.report(report)
    except TransportError as error:
        PHONE_REPORTS_DROPPED.inc()
        log.warning("report of a telephone not passed on", extra={"channel": report.channel, "error": str(error)})


async def _tell(websocket: WebSocket, line: PhoneLine) -> Refusal:
    try:
        async for told in line.heard():
            await _say(websocket, told)
    except TimeoutError:
        return Refusal(TOO_SLOW, "This telephone reads too slowly; it comes back by itself.")
    return Refusal(REPLACED, "The page was opened elsewhere with this account.")


async def _watch_status(services: Services, caller: Caller) -> Refusal:
    """A telephone that an administrator disables ends within seconds."""
    while True:
        await services.clock.sleep(STATUS_CHECK_S)
        with contextlib.suppress(StoreError):
            async with services.store.session(SYSTEM) as session:
                row = await session.one("phones", "of_account", {"account_id": caller.account_id})
            if row is None or row["status"] != "approved":
                return Refusal(FORBIDDEN, "An administrator has disabled this telephone.")


async def _say(websocket: WebSocket, message: Wire) -> None:
    await send(websocket, message.encode())
