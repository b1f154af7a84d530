"""`GET /ptt`: the WebSocket of a participant."""

import asyncio
import contextlib
import logging
import time

from joserfc.jwk import OKPKey
from prometheus_client import Counter
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.talk import (
    ClientMessage,
    Deny,
    FloorRelease,
    FloorRequest,
    Hello,
    Ping,
    Pong,
    Problem,
    Renew,
    TakeDown,
    Tune,
    from_client,
)
from xunlu_streaming.errors import StreamError, TokenError
from xunlu_streaming.http.callers import address_of, is_this_machine
from xunlu_streaming.http.problems import of_stream
from xunlu_streaming.http.throttle import Throttle
from xunlu_streaming.sdp import Offer
from xunlu_streaming.talk.net import RadioNet
from xunlu_streaming.talk.participant import Participant, text_of
from xunlu_streaming.tokens import verify_talk

log = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 10.0
SEND_TIMEOUT_S = 10.0
MESSAGE_CHARACTERS_MAX = 80_000
MESSAGES_PER_S = 50
"""Of one connection, for ever; ten times as many at once."""
WAITING_MAX = 1000
"""Connections that have not said hello yet."""
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
"""RFC 6455 §7.4.1; 1013 is in IANA's registry."""


class TalkPage:
    """Lets participants in, and carries what they say and hear."""

    def __init__(self, net: RadioNet, key: OKPKey, throttle: Throttle, refusals: Counter) -> None:
        self._net = net
        self._key = key
        self._throttle = throttle
        self._refusals = refusals
        self._waiting = 0

    def route(self) -> WebSocketRoute:
        """The page."""
        return WebSocketRoute("/ptt", self.serve)

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its hello to its end."""
        await websocket.accept()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            who = await self._welcome(websocket)
            if who is not None:
                await self._converse(websocket, who)

    # -- hello --------------------------------------------------------------------------------------------------------

    async def _welcome(self, websocket: WebSocket) -> Participant | None:
        """Let somebody in; None when refused, and told why."""
        if self._waiting >= WAITING_MAX or self._wait_s(websocket):
            await self._refuse(websocket, Problem(slug="overloaded", detail="Try again in 5 s.", final=True))
            return None
        self._waiting += 1
        try:
            hello = await _hello(websocket)
            claims = verify_talk(hello.token, self._key, now_s=time.time())
            who = await self._net.join(claims, Offer.parse(hello.sdp))
        except ProtocolError as error:
            await self._refuse(websocket, Problem(slug="message", detail=str(error)[:500], final=True))
        except StreamError as error:
            problem = of_stream(error)
            await self._refuse(websocket, Problem(slug=problem.name, detail=problem.detail[:500], final=True))
        else:
            self._net.tune(who, hello.main, hello.scan)
            return who
        finally:
            self._waiting -= 1
        return None

    def _wait_s(self, websocket: WebSocket) -> float:
        return 0.0 if is_this_machine(websocket) else self._throttle.wait_s(str(address_of(websocket)))

    async def _refuse(self, websocket: WebSocket, problem: Problem) -> None:
        self._refusals.labels(problem.slug).inc()
        await _end(websocket, problem)

    # -- afterwards ---------------------------------------------------------------------------------------------------

    async def _converse(self, websocket: WebSocket, who: Participant) -> None:
        """Hear and tell until one of the two ends; an orderly farewell leaves the net at once, a broken line later."""
        sides = [asyncio.create_task(self._listen(websocket, who)), asyncio.create_task(self._tell(websocket, who))]
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in sides:
                side.cancel()
            results = await asyncio.gather(*sides, return_exceptions=True)
            for one in results:
                # A line that breaks or stalls is no mistake of ours; all else is.
                if isinstance(one, Exception) and not isinstance(
                    one, WebSocketDisconnect | RuntimeError | TimeoutError
                ):
                    log.error("conversation failed", extra={"who": who.id}, exc_info=one)
            codes = [one.code for one in results if isinstance(one, WebSocketDisconnect)]
            if who.outbox.last is not None or codes[:1] in ([1000], [1001]):
                who.peer.close("left")
            else:
                who.lost_s = time.monotonic()

    async def _listen(self, websocket: WebSocket, who: Participant) -> None:
        allowed, filled_s = 10.0 * MESSAGES_PER_S, time.monotonic()
        while True:
            try:
                message = from_client(await _receive(websocket))
                now_s = time.monotonic()
                allowed = min(10.0 * MESSAGES_PER_S, allowed + (now_s - filled_s) * MESSAGES_PER_S) - 1
                filled_s = now_s
                if allowed < 0:
                    who.outbox.end(Problem(slug="too-many", detail="Send fewer messages.", final=True))
                    # The other side says so, and then both end.
                    await asyncio.sleep(SEND_TIMEOUT_S)
                    return
                self._obey(who, message)
            except ProtocolError as error:
                who.tell(Problem(slug="message", detail=str(error)[:500]))

    def _obey(self, who: Participant, message: ClientMessage) -> None:
        """Do what is asked before anything else happens."""
        net = self._net
        match message:
            case Ping():
                who.tell(Pong(n=message.n))
            case Tune():
                net.tune(who, message.main, message.scan)
            case Renew():
                self._renew(who, message.token)
            case FloorRequest() | FloorRelease() | TakeDown():
                self._at_the_floor(who, message)
            case Hello():
                who.tell(Problem(slug="message", detail="You have said hello already."))

    def _renew(self, who: Participant, token: str) -> None:
        """A token that is not good changes nothing: the one before ends when it ends."""
        try:
            claims = verify_talk(token, self._key, now_s=time.time(), sub=who.id)
        except TokenError as error:
            problem = of_stream(error)
            who.tell(Problem(slug=problem.name, detail=problem.detail[:500]))
        else:
            self._net.renew(who, claims)

    def _at_the_floor(self, who: Participant, message: FloorRequest | FloorRelease | TakeDown) -> None:
        group = self._net.groups.get(message.gid) if message.gid in who.tuned else None
        if group is None:
            # It may be gone since, or never have been theirs: they learn nothing more of it.
            who.tell(Deny(gid=message.gid, cause="receive_only"))
            return
        match message:
            case FloorRequest():
                self._net.calls.request(group, who, message.urgency, may_wait=message.wait)
            case FloorRelease():
                self._net.calls.release(group, who)
            case TakeDown():
                self._net.calls.take_down(group, who)

    async def _tell(self, websocket: WebSocket, who: Participant) -> None:
        outbox = who.outbox
        while True:
            for text in await outbox.take():
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await websocket.send_text(text)
            if outbox.overflowed and outbox.last is None:
                outbox.end(Problem(slug="too-slow", detail="Read faster, and connect anew.", final=True))
            if outbox.last is not None:
                return await _end(websocket, outbox.last)


async def _hello(websocket: WebSocket) -> Hello:
    """The first message.

    Raises:
        TimeoutError: it does not come.
        ProtocolError: it is another one.
    """
    async with asyncio.timeout(HELLO_TIMEOUT_S):
        hello = from_client(await _receive(websocket))
    if not isinstance(hello, Hello):
        raise ProtocolError("t", "The first message is a hello.")
    return hello


async def _receive(websocket: WebSocket) -> bytes:
    """The next message.

    Raises:
        WebSocketDisconnect: the other side has gone.
        ProtocolError: it is too large, or not text.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1006)
    text = message.get("text")
    if text is None or len(text) > MESSAGE_CHARACTERS_MAX:
        raise ProtocolError("size", f"A message is text of at most {MESSAGE_CHARACTERS_MAX} characters.")
    return str(text).encode()


async def _end(websocket: WebSocket, problem: Problem) -> None:
    """Say what is wrong, then close."""
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await websocket.send_text(text_of(problem))
        code = TRY_AGAIN_LATER if problem.slug in ("overloaded", "server-ends") else POLICY_VIOLATION
        await websocket.close(code, problem.slug)
