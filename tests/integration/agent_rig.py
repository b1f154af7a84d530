"""A real agent at the real broker: its recorder, and a server that hears and answers by hand."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.services import TestBroker
from tests.unit.xunlu_edge.rig import Receiver, bench_hardware, epoch_bytes
from xunlu_edge.agent import Agent
from xunlu_edge.identity import Identity, store_identity
from xunlu_edge.settings import AgentSettings
from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Broker, Session, SessionOptions, Subscription
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.dynamic_security import RESPONSE_TOPIC
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.topics import down

WAIT_S = 10.0
TENANT = "main"


class Server:
    """Hears everything that devices write, in order, and answers by hand."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.session.messages():
            self.session.acknowledge(message)
            if message.payload:
                is_picture = message.topic.endswith("/thumb")
                self.heard.append((message.topic, message.payload if is_picture else json.loads(message.payload)))
                self._news.set()

    def of(self, did: str, channel: str) -> list[Any]:
        topic = f"xunlu/v1/{TENANT}/d/{did}/up/{channel}"
        return [value for heard, value in self.heard if heard == topic or heard.startswith(f"{topic}/")]

    def has(self, did: str, channel: str, count: int) -> bool:
        return len(self.of(did, channel)) >= count

    def sequences(self, did: str) -> set[int]:
        values = [*self.of(did, "loc"), *self.of(did, "evt")]
        return {one["seq"] for value in values for one in (value if isinstance(value, list) else [value])}

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def confirm(self, did: str, sid: int, upto: int) -> None:
        await self.session.publish(down(TENANT, did, "ack"), Confirmation(sid=sid, upto=upto).encode())


@asynccontextmanager
async def session(broker: Broker, *filters: str) -> AsyncIterator[Session]:
    options = SessionOptions(
        client_id=f"test-{secrets.token_hex(4)}", subscriptions=[Subscription(topic=one) for one in filters]
    )
    async with Session(broker, options) as open_session:
        async with asyncio.timeout(WAIT_S):
            await open_session.wait_connected()
        yield open_session


@asynccontextmanager
async def device_accounts(broker: TestBroker) -> AsyncIterator[BrokerAccounts]:
    """The platform's hand on the broker's accounts."""
    async with session(broker.account("xunlu-api"), RESPONSE_TOPIC) as api:
        accounts = BrokerAccounts(api, TENANT)

        async def hear() -> None:
            async for message in api.messages():
                api.acknowledge(message)
                accounts.handle(message)

        async with task(hear(), "accounts"):
            yield accounts


@asynccontextmanager
async def task(coroutine: Coroutine[Any, Any, None], name: str) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(coroutine, name=name)
    try:
        yield running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class Recorder:
    """A real agent with a receiver that says what it is told."""

    def __init__(self, broker: TestBroker, state: Path, did: str | None = None) -> None:
        self.did = did or f"rec-{secrets.token_hex(4)}"
        self.password = secrets.token_urlsafe(16)
        self.hardware = bench_hardware()
        self.began_ms = SystemClock().time_ms() // 1000 * 1000 - 3_600_000
        self.seen = 0
        self.settings = AgentSettings(
            state=state,
            broker_host=broker.host,
            broker_port=broker.tls_port,
            broker_ca_file=broker.ca_file,
            serial=self.did,
            claim_password_file=broker.secrets / "mqtt-claim",
            retry_cap_s=0.2,
            resend_after_s=1,
        )

    def know_itself(self) -> None:
        identity = Identity(did=self.did, tenant=TENANT, username=self.did, password=self.password)
        store_identity(self.settings.state, identity)

    def see(self, count: int) -> None:
        """Hear `count` fixes, each so far from the last that it is reported."""
        assert isinstance(self.hardware.gnss, Receiver)
        for number in range(self.seen, self.seen + count):
            self.hardware.gnss.said.put_nowait(epoch_bytes(self.began_ms + number * 10_000, 31.2 + number * 0.0003))
        self.seen += count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Agent]:
        agent = Agent(self.settings, self.hardware)
        async with task(agent.run(), "agent") as run:
            yield agent
            agent.stop()
            await run
