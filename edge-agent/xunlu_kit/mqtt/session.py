"""A self-healing session.

A `Session` connects, keeps itself connected with jittered back-off, restores its subscriptions, and hands out
messages that their receiver acknowledges by hand (MQTT 5.0 §4.3.2), so that an acknowledgement can wait for a database
commit. What the broker has sent and nobody has acknowledged is bounded by the receive maximum (§4.9): that is the
back-pressure.
"""

import asyncio
import contextlib
import logging
import math
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from xunlu_kit.backoff import backoff_s
from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt.values import Broker, Message, SessionOptions, Subscription

log = logging.getLogger(__name__)

# One readable event drains at most this many packets before other tasks get their turn.
PACKETS_PER_TURN = 64
# QoS 0 has no receive maximum: beyond this many waiting, new ones are dropped and counted.
UNACKNOWLEDGED_WAITING_MAX = 4096
HOUSEKEEPING_S = 1.0
CONNECT_TIMEOUT_S = 15.0
# A connection that ends sooner is no success: the next one waits longer, as when two processes share a client id.
STABLE_S = 5.0


class Session:
    """A self-healing MQTT 5 session; an async context manager, not reusable.

    Attributes:
        connection: counts successful connects, 0 before the first.
        dropped: QoS 0 messages dropped because nobody took them in time.
        refusal: the broker's last reason for refusing us, None when connected.
    """

    def __init__(
        self,
        broker: Broker,
        options: SessionOptions,
        *,
        on_connect: Callable[["Session"], Awaitable[None]] | None = None,
    ) -> None:
        """Describe the session; nothing is opened before `async with`.

        Args:
            broker: address and credentials.
            options: behaviour.
            on_connect: awaited after every connect, when the subscriptions stand; births belong here.
        """
        self.broker = broker
        self.options = options
        self.connection = 0
        self.dropped = 0
        self.refusal: str | None = None
        self._on_connect = on_connect
        self._inbox: deque[Message] = deque()
        self._inbox_filled = asyncio.Event()
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._puback: dict[int, asyncio.Future[None]] = {}
        self._suback: dict[int, asyncio.Future[None]] = {}
        self._connack: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop
        # One paho client for each connection: what it had queued when the connection broke is not sent twice.
        self._client: paho.Client | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        name = f"mqtt[{self.options.client_id}]"
        self._tasks = [
            asyncio.create_task(self._stay_connected(), name=f"{name}.connect"),
            asyncio.create_task(self._housekeep(), name=f"{name}.housekeep"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._up.is_set() and self._client is not None:
            self._client.disconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._down.wait()
        self._fail_waiters("the session was closed")

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        return self._up.is_set()

    async def wait_connected(self) -> None:
        """Wait for the first or the next connection."""
        await self._up.wait()

    def break_connection(self) -> None:
        """Drop the TCP connection without a farewell, as a lost signal does; the session heals itself."""
        sock: Any = self._client.socket() if self._client is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which stays able to read

    # -- messages -----------------------------------------------------------------------------------------------------

    async def messages(self) -> AsyncIterator[Message]:
        """Yield messages in order of arrival, for ever."""
        while True:
            while self._inbox:
                yield self._inbox.popleft()
            self._inbox_filled.clear()
            await self._inbox_filled.wait()

    async def batch(self, messages_max: int, wait_s: float) -> list[Message]:
        """Take what has arrived: at least one message unless `wait_s` passes first, at most `messages_max`."""
        if not self._inbox:
            self._inbox_filled.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._inbox_filled.wait()
        take = min(messages_max, len(self._inbox))
        return [self._inbox.popleft() for _ in range(take)]

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""
        return len(self._inbox)

    def acknowledge(self, message: Message) -> None:
        """Send PUBACK. A message of an earlier connection is left alone: the broker sends it again."""
        if message.qos and message.connection == self.connection and self._client is not None:
            self._client.ack(message.mid, message.qos)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> None:
        """Publish and, with QoS 1, wait for the broker's PUBACK.

        Args:
            topic: where.
            payload: what.
            qos: 0 or 1.
            retain: whether the broker keeps it for later subscribers.
            expiry_s: message expiry (MQTT 5.0 §3.3.2.3.3).

        Raises:
            TransportError: not connected, refused by the broker, or the connection broke first.
        """
        if not self._up.is_set() or self._client is None:
            raise TransportError(f"The broker is not reachable; {topic} was not sent.")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise TransportError(f"The broker did not take {topic}: {paho.error_string(info.rc)}")
        if qos:
            await self._await_reply(self._puback, info.mid)

    async def subscribe(self, *subscriptions: Subscription) -> None:
        """Subscribe until the connection ends; `SessionOptions.subscriptions` are the lasting ones.

        Raises:
            TransportError: refused, or the connection broke first.
        """
        if self._client is None:
            raise TransportError("The broker is not reachable; nothing was subscribed.")
        filters = [(s.topic, SubscribeOptions(qos=s.qos)) for s in subscriptions]
        code, mid = self._client.subscribe(filters)
        if code != paho.MQTT_ERR_SUCCESS or mid is None:
            raise TransportError(f"The broker did not take a subscription: {paho.error_string(code)}")
        await self._await_reply(self._suback, mid)

    async def _await_reply(self, waiters: dict[int, asyncio.Future[None]], mid: int) -> None:
        future = waiters.setdefault(mid, self._loop.create_future())
        try:
            await future
        finally:
            waiters.pop(mid, None)

    # -- connection ---------------------------------------------------------------------------------------------------

    def _make_client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.options.client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self.broker.username, self.broker.password)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(1000)
        if self.broker.ca_file is not None:
            client.tls_set_context(ssl.create_default_context(cafile=str(self.broker.ca_file)))
        if will := self.options.will:
            client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retain)
        client.on_connect = self._handle_connect
        client.on_disconnect = self._handle_disconnect
        client.on_message = self._handle_message
        client.on_publish = self._handle_publish
        client.on_subscribe = self._handle_subscribe
        client.on_socket_open = self._handle_socket_open
        client.on_socket_close = self._handle_socket_close
        client.on_socket_register_write = self._handle_want_write
        client.on_socket_unregister_write = self._handle_no_write
        return client

    async def _stay_connected(self) -> None:
        waits = backoff_s(cap_s=self.options.retry_cap_s)
        while True:
            up_s = math.inf
            try:
                await self._connect()
                up_s = self._loop.time()
                if self._on_connect is not None:
                    await self._on_connect(self)
                await self._down.wait()
            except (OSError, ValueError, TimeoutError, TransportError) as error:
                self._hang_up()
                log.warning("broker not reachable", extra={"client": self.options.client_id, "error": str(error)})
            except Exception:
                # Nobody waits for this task: without it the session would stay silent for ever.
                self._hang_up()
                log.exception("connection failed", extra={"client": self.options.client_id})
            if self._loop.time() - up_s > STABLE_S:
                waits = backoff_s(cap_s=self.options.retry_cap_s)
            await asyncio.sleep(next(waits))

    async def _connect(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = self.options.receive_maximum
        properties.SessionExpiryInterval = self.options.session_expiry_s
        self._down.clear()
        self._connack = self._loop.create_future()
        self._connack.add_done_callback(_retrieve)
        self._client = client = self._make_client()
        # paho's connect blocks in DNS, TCP and TLS: it runs beside the loop, its callbacks come back through the loop.
        connect = partial(
            client.connect,
            self.broker.host,
            self.broker.port,
            keepalive=self.options.keepalive_s,
            clean_start=self.options.clean_start,
            properties=properties,
        )
        await self._loop.run_in_executor(None, connect)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await self._connack
            if self.options.subscriptions:
                await self.subscribe(*self.options.subscriptions)
        self.refusal = None
        self._up.set()
        log.info("broker connected", extra={"client": self.options.client_id, "connection": self.connection})

    def _hang_up(self) -> None:
        """End the connection here and now, so that nothing of it is taken for the next one's."""
        self._up.clear()
        self.break_connection()
        while self._client is not None and self._client.socket() is not None:
            self._client.loop_read()

    async def _housekeep(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            if self._client is not None:
                self._client.loop_misc()

    def _fail_waiters(self, why: str) -> None:
        for waiters in (self._puback, self._suback):
            for future in waiters.values():
                if not future.done():
                    future.set_exception(TransportError(f"No answer from the broker: {why}."))
            waiters.clear()

    # -- paho's callbacks: all in the loop's thread, but for the two that a blocking connect makes ---------------------

    def _handle_connect(
        self, client: paho.Client, userdata: object, flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._connack is None or self._connack.done():
            return
        if reason.is_failure:
            self.refusal = str(reason)
            self._connack.set_exception(TransportError(f"The broker refused {self.broker.username}: {reason}."))
            return
        self.connection += 1
        self._connack.set_result(None)

    def _handle_disconnect(
        self, client: paho.Client, userdata: object, flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._up.is_set():
            log.info("broker disconnected", extra={"client": self.options.client_id, "reason": str(reason)})
        self._up.clear()
        self._down.set()
        if self._connack is not None and not self._connack.done():
            self._connack.set_exception(TransportError(f"The broker hung up: {reason}."))
        # What was not acknowledged comes again on the next connection.
        self._inbox = deque(m for m in self._inbox if m.qos == 0)
        self._fail_waiters(str(reason))

    def _handle_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        if message.qos == 0 and len(self._inbox) >= UNACKNOWLEDGED_WAITING_MAX:
            self.dropped += 1
            return
        self._inbox.append(
            Message(message.topic, bytes(message.payload), message.qos, message.retain, message.mid, self.connection)
        )
        self._inbox_filled.set()

    def _handle_publish(
        self, client: paho.Client, userdata: object, mid: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._resolve(self._puback, mid, [reason])

    def _handle_subscribe(
        self, client: paho.Client, userdata: object, mid: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        # The answer can arrive inside `subscribe`, before anybody waits for it.
        self._suback.setdefault(mid, self._loop.create_future())
        self._resolve(self._suback, mid, reasons)

    @staticmethod
    def _resolve(waiters: dict[int, asyncio.Future[None]], mid: int, reasons: list[ReasonCode]) -> None:
        future = waiters.get(mid)
        if future is None or future.done():
            return
        failure = next((reason for reason in reasons if reason.is_failure), None)
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(TransportError(f"The broker refused: {failure}."))

    def _handle_socket_open(self, client: paho.Client, userdata: object, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._watch, sock)

    def _watch(self, sock: Any) -> None:
        if (client := self._client) is not None and self._is_current(sock):
            self._loop.add_reader(sock, self._read, client)

    def _handle_socket_close(self, client: paho.Client, userdata: object, sock: Any) -> None:
        if (number := sock.fileno()) >= 0:
            with contextlib.suppress(ValueError):
                self._loop.remove_reader(number)
                self._loop.remove_writer(number)

    def _is_current(self, sock: object) -> bool:
        return self._client is not None and self._client.socket() is sock

    def _handle_want_write(self, client: paho.Client, userdata: object, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._watch_write, sock)

    def _watch_write(self, sock: Any) -> None:
        if (client := self._client) is not None and self._is_current(sock) and client.want_write():
            self._loop.add_writer(sock, client.loop_write)

    def _handle_no_write(self, client: paho.Client, userdata: object, sock: Any) -> None:
        if (number := sock.fileno()) >= 0:
            self._loop.remove_writer(number)

    def _read(self, client: paho.Client) -> None:
        for _ in range(PACKETS_PER_TURN):
            before = len(self._inbox)
            if client.loop_read() != paho.MQTT_ERR_SUCCESS:
                return
            # A TLS record that is already decrypted wakes no selector.
            sock: Any = client.socket()
            pending = sock is not None and isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            if len(self._inbox) == before and not pending:
                return
        self._loop.call_soon(self._read, client)


def _retrieve(future: asyncio.Future[None]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not future.cancelled():
        future.exception()
