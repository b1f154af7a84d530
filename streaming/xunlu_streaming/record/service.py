"""The process around the recorder: one owner of the folder, the broker, pages, and an orderly end."""

import asyncio
import contextlib
import fcntl
import logging
import re
import secrets
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import generate_latest

from xunlu_kit.errors import ConfigError, TransportError
from xunlu_kit.health import Page, health_page, serve_pages
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.media import MediaAck
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_protocol.topics import media_ack, media_order, media_recording
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.ledger import Ledger
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.recorder import Recorder
from xunlu_streaming.record.recovery import close_abandoned
from xunlu_streaming.record.reports import Reports

log = logging.getLogger(__name__)

DISK_THREADS = 4
ORDERS_SETTLE_S = 5.0
"""After a connect the broker brings every retained order within this time; one that it does not bring was withdrawn."""
FAREWELL_S = 2.0


async def serve(settings: RecordSettings) -> None:
    """Record until SIGTERM or SIGINT; then every recording is finished.

    Raises:
        ConfigError: a secret is missing, or the folder cannot be used.
    """
    host = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname())[:64]
    ledger, measures = Ledger(settings.recordings), Measures()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with _sole_owner(ledger), ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="disk") as pool:
        await asyncio.get_running_loop().run_in_executor(pool, close_abandoned, ledger)
        async with _session(settings, host) as session:
            reports = Reports(session, media_recording(settings.tenant, host), ledger, pool, measures)
            for report in ledger.unconfirmed():
                reports.add(report)
            recorder = Recorder(settings, ledger, reports, measures, pool)
            async with asyncio.TaskGroup() as files, asyncio.TaskGroup() as tasks:
                work = [
                    tasks.create_task(recorder.run(files), name="recorder"),
                    tasks.create_task(reports.run(), name="reports"),
                    tasks.create_task(_listen(session, recorder, reports), name="listen"),
                    tasks.create_task(_forget_withdrawn(session, recorder), name="orders"),
                    tasks.create_task(_serve_pages(settings, session, recorder), name="health"),
                ]
                await stopped.wait()
                for task in work:
                    task.cancel()
            with contextlib.suppress(TransportError, TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await reports.say()


@contextlib.contextmanager
def _sole_owner(ledger: Ledger) -> Iterator[None]:
    """Hold the folder: a second process would take our running recordings for abandoned ones."""
    try:
        ledger.open()
        lock = (ledger.root / "lock").open("w")
    except OSError as error:
        raise ConfigError(f"{ledger.root} cannot be used ({error}); set XUNLU_STREAMING_RECORDINGS.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"{ledger.root} belongs to another recorder process that still runs.") from error
        yield


def _session(settings: RecordSettings, host: str) -> Session:
    name = f"record@{host}"
    topics = (media_order(settings.tenant, "+"), media_ack(settings.tenant, host))
    options = SessionOptions(
        # Nobody may guess it: whoever connects with a client id ends the connection that has it.
        client_id=f"xunlu-record-{secrets.token_hex(4)}",
        subscriptions=[Subscription(topic=topic) for topic in topics],
        will=presence_will(name),
    )
    return Session(settings.broker(), options, on_connect=publish_presence(name))


async def _listen(session: Session, recorder: Recorder, reports: Reports) -> None:
    """Hear orders and confirmations for ever."""
    async for message in session.messages():
        if message.topic.split("/")[-2] == "order":
            recorder.wishes.hear(message)
            recorder.refresh()
        else:
            try:
                await reports.confirm(MediaAck.decode(message.payload).recordings)
            except (ProtocolError, OSError) as error:
                # The report is said again, and then confirmed again.
                log.warning("confirmation not taken", extra={"error": str(error)})
        session.acknowledge(message)


async def _forget_withdrawn(session: Session, recorder: Recorder) -> None:
    """After each new connection drop the orders that were withdrawn while there was none."""
    while True:
        await session.wait_connected()
        connection = session.connection
        await asyncio.sleep(ORDERS_SETTLE_S)
        if session.connected and session.connection == connection:
            recorder.wishes.forget_before(connection)


async def _serve_pages(settings: RecordSettings, session: Session, recorder: Recorder) -> None:
    def checks() -> dict[str, dict[str, object]]:
        return {
            "broker": {"ok": session.connected, "why": session.refusal},
            "disk": {"ok": recorder.trouble is None, "why": recorder.trouble},
        }

    async def ready() -> Page:
        return health_page(checks())

    async def health() -> Page:
        workers = {name: client.connected for name, client in recorder.clients.items()}
        return health_page(checks() | {"relay": {"ok": bool(workers) and all(workers.values()), "workers": workers}})

    async def measures() -> Page:
        body = generate_latest(recorder.measures.registry)
        return Page(body=body, content_type="text/plain; version=0.0.4; charset=utf-8")

    pages = {"/healthz": health, "/readyz": ready, "/metrics": measures}
    async with serve_pages(settings.record_health_host, settings.record_health_port, pages) as port:
        log.info("recorder ready", extra={"port": port})
        await asyncio.Event().wait()
