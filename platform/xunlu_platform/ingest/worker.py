"""The way of a batch: take, prepare, commit, acknowledge.

While one batch commits, the next is prepared; there are never more than these two. When the database stops, the worker
stops acknowledging, and the broker stops sending at the receive maximum: that is the back-pressure.
"""

import asyncio
import hashlib
import logging
import os
import socket
from collections.abc import Iterable, Sequence

from xunlu_kit.backoff import backoff_s
from xunlu_kit.clock import Clock, SystemClock
from xunlu_kit.mqtt import Message, Session, SessionOptions, Subscription
from xunlu_platform.config import PlatformSettings
from xunlu_platform.errors import StoreError
from xunlu_platform.ingest.answers import Confirmations, Frames
from xunlu_platform.ingest.batch import Batch, Item
from xunlu_platform.ingest.decode import address
from xunlu_platform.ingest.handlers import FILTERS, KEEPERS
from xunlu_platform.ingest.metrics import Metrics
from xunlu_platform.ingest.page import serve_health
from xunlu_platform.ingest.registry import Registry
from xunlu_platform.store.arrivals import ArrivalStore, Held, Outcome, RefusedByDatabaseError
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.fleet import FleetFrame
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_protocol.topics import OWNTRACKS_FILTER, UP_FILTERS, fleet

log = logging.getLogger(__name__)

SESSION_EXPIRY_S = 7 * 86_400
TAKE_WAIT_S = 1.0
# A commit of one message costs nearly what one of fifty does: what comes sooner after the last waits for company.
COMMIT_INTERVAL_S = 0.05
RETRY_CAP_S = 5.0
COVERED_MAX = 50_000
# A hundred thousand holes: what a full outbox of 30 MB leaves when every second fix was thinned out of it.
SHREDS_BYTES_MAX = 2_000_000


async def run(settings: PlatformSettings, name: str) -> None:
    """Run a worker until cancelled.

    Args:
        settings: the platform's settings.
        name: such as `ingest-1`; the broker keeps what is unacknowledged under it, so it must stay the same.
    """
    metrics, clock = Metrics(), SystemClock()
    host = f"{name}@{socket.gethostname()}"
    api = fleet(settings.tenant, "api")
    shared = tuple(Subscription(topic=f"$share/ingest/{one}") for one in (*UP_FILTERS, OWNTRACKS_FILTER))
    broker = settings.broker("ingest")
    # Whoever may connect at all could take over a session whose name they guess; the secret keeps it unguessable.
    unguessable = hashlib.sha256(f"{name}:{broker.password}".encode()).hexdigest()[:16]
    options = SessionOptions(
        client_id=f"xunlu-{name}-{unguessable}",
        clean_start=False,
        session_expiry_s=SESSION_EXPIRY_S,
        receive_maximum=settings.receive_maximum,
        subscriptions=(*shared, Subscription(topic=api, qos=0)),
        will=presence_will(host),
        retry_cap_s=RETRY_CAP_S,
    )
    async with (
        ArrivalStore(settings.database("ingest"), settings.time_zone) as store,
        Session(broker, options, on_connect=publish_presence(host)) as session,
        asyncio.TaskGroup() as tasks,
    ):
        confirmations = Confirmations(session, metrics, settings.tenant, settings.confirm_interval_s)
        frames = Frames(session, metrics, settings.tenant, name, settings.frame_interval_s)
        worker = Worker(store, session, confirmations, frames, metrics, clock, api)
        tasks.create_task(confirmations.run(), name="confirmations")
        tasks.create_task(frames.run(), name="frames")
        tasks.create_task(serve_health(settings, session, worker, metrics, clock), name="health")
        log.info("ingest started", extra={"worker": name, "pid": os.getpid()})
        await worker.run(settings.batch_messages_max)


class Worker:
    """Owner of a worker's state; everything runs in its one task and the commit that it awaits.

    Attributes:
        committed_s: monotonic time of the last commit, or of the start.
        trouble: why the last attempt to commit failed, None when it succeeded.
    """

    def __init__(
        self,
        store: ArrivalStore,
        session: Session,
        confirmations: Confirmations,
        frames: Frames,
        metrics: Metrics,
        clock: Clock,
        notices: str,
    ) -> None:
        self.committed_s = clock.monotonic_s()
        self.trouble: str | None = None
        self._store = store
        self._session = session
        self._confirmations = confirmations
        self._frames = frames
        self._metrics = metrics
        self._clock = clock
        self._notices = notices
        self._registry = Registry(store, clock)
        self._covered: dict[tuple[int, int], int] = {}
        self._shredded: frozenset[tuple[int, int]] = frozenset()

    async def run(self, messages_max: int) -> None:
        """Take batches, for ever."""
        finishing: asyncio.Task[None] | None = None
        taken_s = -COMMIT_INTERVAL_S
        while True:
            await self._clock.sleep(max(0.0, taken_s + COMMIT_INTERVAL_S - self._clock.monotonic_s()))
            messages = await self._session.batch(messages_max, TAKE_WAIT_S)
            taken_s = self._clock.monotonic_s()
            self._metrics.waiting.set(self._session.waiting)
            items = self._address(messages)
            strangers = self._registry.strangers(item.did for item in items if item.did)
            if strangers and finishing is not None:
                # The registry and the commit share one connection.
                await finishing
                finishing = None
            await self._learn(strangers)
            batch = self._prepare(items)
            if finishing is not None:
                await finishing
            finishing = asyncio.create_task(self._finish(items, batch), name="commit") if items else None

    # -- prepare ------------------------------------------------------------------------------------------------------

    def _address(self, messages: Iterable[Message]) -> list[Item]:
        now_ms = self._clock.time_ms()
        items = []
        for message in messages:
            if message.topic == self._notices:
                self._notice(message.payload)
                continue
            item = Item(message, now_ms)
            try:
                address(item)
            except ProtocolError:
                item.did = ""  # `decode` refuses it in its place in the list
            items.append(item)
        return items

    def _notice(self, payload: bytes) -> None:
        try:
            frame = FleetFrame.decode(payload)
        except ProtocolError as error:
            log.warning("notice not understood", extra={"error": str(error)})
            return
        for notice in frame.notices:
            if notice.what == "device" and notice.did:
                self._registry.forget(notice.did)

    async def _learn(self, strangers: list[str]) -> None:
        waits = backoff_s(cap_s=RETRY_CAP_S)
        learned = not strangers
        while not learned:
            try:
                await self._registry.learn(strangers)
                learned = True
            except StoreError as error:
                await self._wait(error, next(waits))

    def _prepare(self, items: Iterable[Item]) -> Batch:
        batch = Batch(self._metrics, self._registry.devices, self._covered, self._shredded)
        for item in items:
            self._handle(item, batch)
        batch.count()
        return batch

    def _handle(self, item: Item, batch: Batch) -> None:
        for accept in FILTERS:
            try:
                accept(item, batch)
            except ProtocolError as error:
                batch.refuse(item, error.reason, str(error))
                log.warning("message refused", extra={"topic": item.message.topic[:200], "reason": error.reason})
                return
            except Exception:
                # The broker would bring it again and again, and stop the worker each time.
                batch.refuse(item, "failure", f"{accept.__name__} failed; see the log of the worker.")
                self._metrics.failures.labels(handler=accept.__name__).inc()
                log.exception("handler failed", extra={"handler": accept.__name__, "topic": item.message.topic[:200]})
                return
        for keep in KEEPERS:
            try:
                keep(item, batch)
            except Exception:
                self._metrics.failures.labels(handler=keep.__name__).inc()
                log.exception("handler failed", extra={"handler": keep.__name__, "topic": item.message.topic[:200]})

    # -- commit -------------------------------------------------------------------------------------------------------

    async def _finish(self, items: Sequence[Item], batch: Batch) -> None:
        """Commit until it succeeds, then acknowledge and tell."""
        outcome = await self._commit(items, batch)
        for item in items:
            self._session.acknowledge(item.message)
        self._remember(outcome.held)
        self._confirmations.add(batch.dids, outcome.held)
        self._frames.add(batch.frame, outcome, batch.dids)
        self._metrics.stored.inc(outcome.stored)
        if outcome.zones_failed:
            self._metrics.failures.labels(handler="zones").inc()
        self._metrics.duplicates.inc(len(batch.arrivals.positions) - outcome.stored)

    async def _commit(self, items: Sequence[Item], batch: Batch) -> Outcome:
        waits = backoff_s(cap_s=RETRY_CAP_S)
        self._metrics.batch_messages.observe(len(items))
        outcome: Outcome | None = None
        while outcome is None:
            try:
                with self._metrics.commit_s.time():
                    outcome = await self._store.commit(batch.arrivals)
            except RefusedByDatabaseError as error:
                outcome = await self._commit_apart(items, batch, error)
            except StoreError as error:
                await self._wait(error, next(waits))
        self.committed_s, self.trouble = self._clock.monotonic_s(), None
        return outcome

    async def _commit_apart(self, items: Sequence[Item], batch: Batch, error: RefusedByDatabaseError) -> Outcome | None:
        """Halve a batch that the database refuses until the one message to blame stands alone.

        Who refuses even its dead letter refuses everything, such as a database that has become read-only: then the
        message is not to blame, and None asks for another try.
        """
        if len(items) > 1:
            middle = len(items) // 2
            outcome = Outcome()
            for part in (items[:middle], items[middle:]):
                half = self._prepare_again(part)
                _merge(outcome, await self._commit(part, half))
                batch.dids |= half.dids
            return outcome
        culprit = Batch(self._metrics, {}, {})
        log.error("message refused by the database", extra={"topic": items[0].message.topic[:200], "error": str(error)})
        culprit.refuse(items[0], "store", str(error))
        try:
            return await self._store.commit(culprit.arrivals)
        except StoreError as refusal:
            await self._wait(refusal, RETRY_CAP_S)
            return None

    def _prepare_again(self, items: Iterable[Item]) -> Batch:
        fresh = [Item(item.message, item.received_ms) for item in items]
        for item in fresh:
            try:
                address(item)
            except ProtocolError:
                item.did = ""
        return self._prepare(fresh)

    async def _wait(self, error: StoreError, seconds: float) -> None:
        self.trouble = str(error)
        self._metrics.retries.inc()
        log.warning("database not reachable, nothing is acknowledged", extra={"error": str(error)})
        await self._clock.sleep(seconds)

    def _remember(self, held: Iterable[Held]) -> None:
        if len(self._covered) > COVERED_MAX:
            self._covered.clear()
        for one in held:
            key = one.device_id, one.sid
            self._covered[key] = one.missing[0][0] - 1 if one.missing else one.upto
            if one.bytes > SHREDS_BYTES_MAX:
                self._shredded |= {key}
            elif key in self._shredded:
                self._shredded -= {key}


def _merge(total: Outcome, part: Outcome) -> None:
    total.stored += part.stored
    total.zones_failed |= part.zones_failed
    total.held += part.held
    total.events += part.events
    total.alarms += part.alarms
    total.movements += part.movements
    total.commands += part.commands
