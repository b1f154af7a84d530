"""The link: identity, the session with the broker, and the introduction after every connect."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from typing import Protocol

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import StorageError
from xunlu_edge.identity import Identity, load_identity
from xunlu_edge.provisioning import claim
from xunlu_edge.settings import AgentSettings
from xunlu_kit.backoff import backoff_s
from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Broker, Message, Session, SessionOptions, Subscription, Will
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.status import Availability, Birth, State
from xunlu_protocol.topics import Channel, DownChannel, Kind, down_filter, parse_down, up

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 30.0
FAREWELL_TIMEOUT_S = 2.0
SESSION_EXPIRY_S = 3600
"""The broker keeps commands and confirmations this long while the signal is lost."""
PENDING_RETRY_CAP_S = 20.0


class Resident(Protocol):
    """Who lives on the link: the agent."""

    def birth(self) -> Birth:
        """What the introduction says."""
        ...

    async def introduced(self) -> None:
        """The platform knows us: report the shadow, send the backlog."""
        ...

    def receive(self, channel: DownChannel, tail: str, payload: bytes) -> None:
        """Take in what the server wrote; safe on disk when it returns.

        Raises:
            ProtocolError: it breaks the contract.
        """
        ...


class Link:
    """One device at the broker.

    Attributes:
        identity: None until the claim was answered.
        ready: introduced and connected.
        approved: False while the broker refuses our birth, None before the first try.
        malformed: messages from the server that broke the contract.
    """

    def __init__(
        self, settings: AgentSettings, resident: Resident, watch: ClockWatch, clock: Clock, *, sid: int
    ) -> None:
        self.identity: Identity | None = None
        self.approved: bool | None = None
        self.malformed = 0
        self._settings = settings
        self._resident = resident
        self._watch = watch
        self._clock = clock
        self._sid = sid
        self._session: Session | None = None
        self._introduced_on = 0
        self._why = "lost"

    @property
    def _kind(self) -> Kind:
        return "s" if self._settings.kind == "station" else "d"

    @property
    def connected(self) -> bool:
        """Whether the broker answers."""
        return self._session is not None and self._session.connected

    @property
    def ready(self) -> bool:
        """Whether the platform takes our messages."""
        return self._session is not None and self.connected and self._session.connection == self._introduced_on

    @property
    def refusal(self) -> str | None:
        """The broker's last reason for not letting us in, such as a wrong password."""
        return self._session.refusal if self._session is not None else None

    def break_connection(self) -> None:
        """Lose the connection without a farewell, as a lost signal does; it heals itself."""
        if self._session is not None:
            self._session.break_connection()

    def say_goodbye(self, why: str) -> None:
        """Remember the reason that the last state will give."""
        self._why = why

    async def run(self) -> None:
        """Hold the link for ever; when cancelled, say why we go."""
        self.identity = load_identity(self._settings.state) or await claim(self._settings, self._clock)
        async with Session(self._broker(), self._options(), on_connect=self._introduce) as self._session:
            try:
                async for message in self._session.messages():
                    if self._take(message):
                        self._session.acknowledge(message)
            finally:
                await self._farewell(self._session)

    async def publish(
        self, channel: Channel, payload: bytes, tail: str = "", *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish under our own topic.

        Raises:
            TransportError: not connected, not yet approved, refused, or no answer in time.
        """
        if not self.ready or self._session is None:
            raise TransportError("The platform is not reachable.")
        await self._publish(self._session, channel, payload, tail, qos=qos, retain=retain)

    async def _publish(
        self,
        session: Session,
        channel: Channel,
        payload: bytes,
        tail: str = "",
        *,
        qos: int = 1,
        retain: bool = False,
    ) -> None:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await session.publish(self._topic(channel, tail), payload, qos=qos, retain=retain)
        except TimeoutError as error:
            raise TransportError("The broker did not answer in time.") from error

    # -- introduction -------------------------------------------------------------------------------------------------

    async def _introduce(self, session: Session) -> None:
        """Birth, subscription, state, then whatever the agent has to say. Runs after every connect."""
        self._introduced_on = 0
        waits = backoff_s(first_s=2.0, cap_s=PENDING_RETRY_CAP_S)
        while not await self._is_born(session):
            await self._clock.sleep(next(waits))
        assert self.identity is not None
        topic = down_filter(self.identity.tenant, self.identity.did, kind=self._kind)
        await self._within(session.subscribe(Subscription(topic=topic)))
        await self._publish(session, "state", self._state("online").encode(), retain=True)
        self._introduced_on = session.connection
        await self._resident.introduced()

    async def _is_born(self, session: Session) -> bool:
        """Publish the birth; False while we are pending: then we may only write our state."""
        try:
            await self._publish(session, "birth", self._resident.birth().encode())
        except TransportError:
            if not session.connected:
                raise
            if self.approved is not False:
                log.info("waiting for approval", extra={"did": self.identity.did if self.identity else None})
            self.approved = False
            await self._publish(session, "state", self._state("online", "pending").encode(), retain=True)
            return False
        self.approved = True
        return True

    @staticmethod
    async def _within(wait: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await wait
        except TimeoutError as error:
            raise TransportError("The broker did not answer in time.") from error

    async def _farewell(self, session: Session) -> None:
        self._introduced_on = 0
        with contextlib.suppress(TransportError, TimeoutError):
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                await self._publish(session, "state", self._state("offline", self._why).encode(), retain=True)

    def _take(self, message: Message) -> bool:
        """Whether the message may be acknowledged: what the disk refused comes again with the next connection."""
        try:
            channel, tail = parse_down(message.topic)
            self._resident.receive(channel, tail, message.payload)
        except ProtocolError as error:
            self.malformed += 1
            log.warning("message refused", extra={"topic": message.topic, "reason": error.reason})
        except StorageError as error:
            log.warning("message not kept", extra={"topic": message.topic, "error": str(error)})
            return False
        return True

    # -- names --------------------------------------------------------------------------------------------------------

    def _topic(self, channel: Channel, tail: str = "") -> str:
        assert self.identity is not None
        return up(self.identity.tenant, self.identity.did, channel, tail, kind=self._kind)

    def _state(self, availability: Availability, why: str | None = None) -> State:
        return State(st=availability, sid=self._sid, tst=self._watch.utc_ms() // 1000, why=why)

    def _broker(self) -> Broker:
        assert self.identity is not None
        return Broker(
            host=self._settings.broker_host,
            port=self._settings.broker_port,
            username=self.identity.username,
            password=self.identity.password,
            ca_file=self._settings.broker_ca_file,
        )

    def _options(self) -> SessionOptions:
        assert self.identity is not None
        return SessionOptions(
            client_id=self.identity.did,
            keepalive_s=self._settings.keepalive_s,
            clean_start=False,
            session_expiry_s=SESSION_EXPIRY_S,
            receive_maximum=100,
            will=Will(topic=self._topic("state"), payload=self._state("offline", "lost").encode()),
            retry_cap_s=self._settings.retry_cap_s,
        )
