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
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest

from xunlu_kit.errors import ConfigError, TransportError
from xunlu_kit.health import Page, health_page, serve_pages
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.media import MediaAck, RecordingReport
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_protocol.talk_reports import BurstReport, TalkAck
from xunlu_protocol.topics import media_ack, media_order, media_recording, talk_ack, talk_burst
from xunlu_streaming.record.bursts import PLACE, Bursts
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.keeper import Keeper
from xunlu_streaming.record.ledger import BurstDraft, Ledger, RecordingDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.recorder import Recorder
from xunlu_streaming.record.recovery import close_abandoned
from xunlu_streaming.record.reports import Reports

log = logging.getLogger(__name__)

DISK_THREADS = 4
ORDERS_SETTLE_S = 5.0
"""After a connect the broker brings every retained order within this time; one that it does not bring was withdrawn."""
FAREWELL_S = 2.0

Recordings = Reports[RecordingDraft, RecordingReport]
SpokenBursts = Reports[BurstDraft, BurstReport]


async def serve(settings: RecordSettings) -> None:
    """Record until SIGTERM or SIGINT; then every recording is finished.

    Raises:
        ConfigError: a secret is missing, or the folder cannot be used.
    """
    host = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname())[:64]
    shown = Ledger(settings.recordings, RecordingDraft, RecordingReport)
    spoken = Ledger(settings.recordings, BurstDraft, BurstReport, PLACE)
    measures, stopped = Measures(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with (
        _sole_owner(settings.recordings, shown, spoken),
        ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="disk") as pool,
    ):
        for close in (partial(close_abandoned, shown), partial(close_abandoned, spoken)):
            await asyncio.get_running_loop().run_in_executor(pool, close)
        async with _session(settings, host) as session:
            topics = media_recording(settings.tenant, host), talk_burst(settings.tenant, host)
            recordings = Reports(session, topics[0], shown, pool, measures.unconfirmed)
            bursts = Reports(session, topics[1], spoken, pool, measures.unconfirmed_bursts)
            await _record(settings, session, recordings, bursts, measures, stopped)
            with contextlib.suppress(TransportError, TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await recordings.say()
                    await bursts.say()


async def _record(
    settings: RecordSettings,
    session: Session,
    recordings: Recordings,
    bursts: SpokenBursts,
    measures: Measures,
    stopped: asyncio.Event,
) -> None:
    """Record until it is stopped, and every file is finished."""
    async with asyncio.TaskGroup() as files, asyncio.TaskGroup() as tasks:
        # A burst that goes on in a new file has two for a moment.
        spoken = Bursts(settings, Keeper(bursts, files, measures, 2 * settings.record_bursts_max), measures)
        shown = Keeper(recordings, files, measures, settings.recordings_max)
        recorder = Recorder(settings, shown, spoken, measures)
        work = [
            tasks.create_task(recorder.run(), name="recorder"),
            tasks.create_task(recordings.run(), name="reports"),
            tasks.create_task(bursts.run(), name="reports of bursts"),
            tasks.create_task(_listen(session, recorder, recordings, bursts), name="listen"),
            tasks.create_task(_forget_withdrawn(session, recorder), name="orders"),
            tasks.create_task(_serve_pages(settings, session, recorder), name="health"),
        ]
        await stopped.wait()
        for task in work:
            task.cancel()


@contextlib.contextmanager
def _sole_owner(root: Path, *ledgers: Ledger[Any, Any]) -> Iterator[None]:
    """Hold the folder: a second process would take our running recordings for abandoned ones."""
    try:
        for ledger in ledgers:
            ledger.open()
        lock = (root / "lock").open("w")
    except OSError as error:
        raise ConfigError(f"{root} cannot be used ({error}); set XUNLU_STREAMING_RECORDINGS.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"{root} belongs to another recorder process that still runs.") from error
        yield


def _session(settings: RecordSettings, host: str) -> Session:
    name = f"record@{host}"
    tenant = settings.tenant
    topics = (media_order(tenant, "+"), media_ack(tenant, host), talk_ack(tenant, host))
    options = SessionOptions(
        # Nobody may guess it: whoever connects with a client id ends the connection that has it.
        client_id=f"xunlu-record-{secrets.token_hex(4)}",
        subscriptions=[Subscription(topic=topic) for topic in topics],
        will=presence_will(name),
    )
    return Session(settings.broker(), options, on_connect=publish_presence(name))


async def _listen(session: Session, recorder: Recorder, recordings: Recordings, bursts: SpokenBursts) -> None:
    """Hear orders and confirmations for ever."""
    async for message in session.messages():
        try:
            match message.topic.split("/")[-3:-1]:
                case ["media", "order"]:
                    recorder.wishes.hear(message)
                    recorder.refresh()
                case ["media", "ack"]:
                    await recordings.confirm(MediaAck.decode(message.payload).recordings)
                case ["ptt", "ack"]:
                    await bursts.confirm(TalkAck.decode(message.payload).bursts)
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
        talk = recorder.bursts.client
        taps: dict[str, dict[str, object]] = {
            "relay": {"ok": bool(workers) and all(workers.values()), "workers": workers},
            # An installation need not have a talk server.
            "talk": {"ok": talk is None or talk.connected, "there": talk is not None},
        }
        return health_page(checks() | taps)

    async def measures() -> Page:
        body = generate_latest(recorder.measures.registry)
        return Page(body=body, content_type="text/plain; version=0.0.4; charset=utf-8")

    pages = {"/healthz": health, "/readyz": ready, "/metrics": measures}
    async with serve_pages(settings.record_health_host, settings.record_health_port, pages) as port:
        log.info("recorder ready", extra={"port": port})
        await asyncio.Event().wait()
