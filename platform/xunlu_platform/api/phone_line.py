"""A telephone at the broker: while its page is open, this process has an MQTT session for it, as recorders do.

So a telephone is told, confirmed and given up like any other device: its birth begins a session, the broker's will ends
it when this process dies, ingest judges what it reports, and `dn/ack` says what the database holds. The session is one
of the platform's own: a telephone has no account at the broker, and nobody can pose as one there.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Self

from pydantic_core import to_json

from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Message, SessionOptions, Subscription, Will
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_platform.api.metrics import PHONES_OPEN, PHONES_REFUSED
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.publish import publish
from xunlu_protocol import __version__
from xunlu_protocol.command import Request
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.phone import PhoneAck, PhoneAsk, PhoneHello, PhoneReport
from xunlu_protocol.status import Availability, Birth, State
from xunlu_protocol.topics import down_filter, parse_down, up

log = logging.getLogger(__name__)

APPEAR_TIMEOUT_S = 15.0


class Phones:
    """How many telephones one process serves: each costs a session at the broker."""

    def __init__(self, phones_max: int) -> None:
        self._phones_max = phones_max
        self._open = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[bool]:
        """A place for one telephone until the end of the context; False when all are taken."""
        if self._open >= self._phones_max:
            PHONES_REFUSED.inc()
            yield False
            return
        self._open += 1
        PHONES_OPEN.set(self._open)
        try:
            yield True
        finally:
            self._open -= 1
            PHONES_OPEN.set(self._open)


class PhoneLine:
    """The session of one telephone; an async context manager, not reusable.

    Attributes:
        replaced: the page was opened elsewhere with the same account; that one has the telephone now.
        left: the page was closed in order; it is not lost.
    """

    def __init__(self, settings: PlatformSettings, clock: Clock, did: str, hello: PhoneHello) -> None:
        """Describe the line.

        Args:
            settings: tenant and broker.
            clock: its wall time numbers the session: a later page has the larger number.
            did: the telephone's device.
            hello: what it can do.
        """
        self.replaced = self.left = False
        self._tenant = settings.tenant
        self._did = did
        self._clock = clock
        self._hello = hello
        self._sid = clock.time_ms()
        self._birth_topic = up(self._tenant, did, "birth")
        self._appeared = asyncio.Event()
        topics = (down_filter(self._tenant, did), self._birth_topic)
        options = SessionOptions(
            client_id=f"xunlu-phone-{secrets.token_hex(8)}",
            subscriptions=[Subscription(topic=one) for one in topics],
            will=Will(topic=up(self._tenant, did, "state"), payload=self._state("offline", "lost")),
        )
        self._session = MqttSession(settings.broker("api"), options, on_connect=self._appear)

    async def __aenter__(self) -> Self:
        """Open the session.

        Raises:
            TransportError: the broker does not answer.
        """
        await self._session.__aenter__()
        try:
            async with asyncio.timeout(APPEAR_TIMEOUT_S):
                await self._appeared.wait()
        except BaseException as error:
            await self._session.__aexit__(None, None, None)
            if isinstance(error, TimeoutError):
                raise TransportError("The message broker does not answer.") from error
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if not self.replaced:
                await self._tell_state("offline", "shutdown" if self.left else "lost")
        except TransportError as error:
            log.info("end of a telephone not told", extra={"did": self._did, "error": str(error)})
        finally:
            await self._session.__aexit__(None, None, None)

    async def report(self, report: PhoneReport) -> None:
        """Pass on what the page says.

        Raises:
            TransportError: the broker did not take it; the page keeps it and says it again.
        """
        topic = up(self._tenant, self._did, report.channel, report.tail or "")
        await publish(self._session, topic, to_json(report.payload))

    async def heard(self) -> AsyncIterator[PhoneAck | PhoneAsk]:
        """What the page is told, until it was replaced."""
        async for message in self._session.messages():
            with contextlib.suppress(ProtocolError):
                if self._is_replacement(message):
                    self.replaced = True
                    return
                if (told := self._told(message)) is not None:
                    yield told
            self._session.acknowledge(message)

    def _is_replacement(self, message: Message) -> bool:
        return message.topic == self._birth_topic and Birth.decode(message.payload).sid > self._sid

    @staticmethod
    def _told(message: Message) -> PhoneAck | PhoneAsk | None:
        """None for what a telephone has no use for: it has no shadow, and its radio is the account's own.

        Raises:
            ProtocolError: it is not for a device.
        """
        channel, _ = parse_down(message.topic)
        if channel == "ack":
            return PhoneAck(ack=Confirmation.decode(message.payload))
        return PhoneAsk(ask=Request.decode(message.payload)) if channel == "rpc" else None

    # -- what the telephone is ----------------------------------------------------------------------------------------

    async def _appear(self, session: MqttSession) -> None:
        birth = Birth(
            sid=self._sid,
            tst=self._clock.time_ms() // 1000,
            fw=__version__,
            serial=self._did,
            model=self._hello.model or None,
            caps=self._hello.caps,
        )
        await publish(session, self._birth_topic, birth.encode())
        await self._tell_state("online", None)
        self._appeared.set()

    async def _tell_state(self, availability: Availability, why: str | None) -> None:
        await publish(self._session, up(self._tenant, self._did, "state"), self._state(availability, why), retain=True)

    def _state(self, availability: Availability, why: str | None) -> bytes:
        return State(st=availability, sid=self._sid, tst=self._clock.time_ms() // 1000, why=why).encode()
