"""The jobs process: a list of jobs with their rhythm, each in a task of its own. One is enough; two do no harm."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from xunlu_kit.errors import TransportError
from xunlu_kit.health import Page, health_page, serve_pages
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.config import PlatformSettings
from xunlu_platform.errors import StoreError
from xunlu_platform.jobs import live, talk
from xunlu_platform.jobs.erased_files import ErasedFiles
from xunlu_platform.jobs.exports import Exports
from xunlu_platform.jobs.inbox import Taker, take_messages
from xunlu_platform.jobs.live import LiveVideo, Rhythm
from xunlu_platform.jobs.messages import Messages
from xunlu_platform.jobs.presence import take_state
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.jobs.talk import Talk
from xunlu_platform.jobs.zones import Zones
from xunlu_platform.store import housekeeping
from xunlu_platform.store.store import Store
from xunlu_protocol.fleet import FleetFrame, Notice
from xunlu_protocol.presence import presence_will, publish_presence
from xunlu_protocol.topics import UP_STATE_FILTERS, fleet, server_state

log = logging.getLogger(__name__)

# With fixes every second these are a hundred thousand.
HOURS_PER_ROLL_UP = 20
NOTICES_MAX = 1000
ROLL_UP_DELAY = timedelta(minutes=5)
CATCH_UP = timedelta(days=7)
HOUR = timedelta(hours=1)
# By the machine's own clock: readers of a day that is sorted wait, so it happens when hardly anybody looks.
NIGHT_HOURS = range(1, 5)


@dataclass(slots=True)
class Jobs:
    """What the jobs share.

    Attributes:
        store: with the jobs role.
        session: to tell the API processes.
        topic: of our fleet frames.
        unsaid: commands that moved and that no desk has heard of.
        marked: the last hour that was marked as over.
        last: when each job last succeeded.
        trouble: why a job failed the last time.
    """

    store: Store
    session: Session
    topic: str
    unsaid: list[Notice] = field(default_factory=list)
    marked: datetime | None = None
    last: dict[str, datetime] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)

    async def expire_commands(self) -> None:
        """Say `expired` where nobody answered."""
        rows = await housekeeping.expire_commands(self.store)
        self.unsaid += [Notice(what="command", id=row["rid"], did=row["did"]) for row in rows]
        del self.unsaid[:-NOTICES_MAX]
        if self.unsaid:
            await self.session.publish(self.topic, FleetFrame(notices=tuple(self.unsaid)).encode(), qos=0)
            self.unsaid.clear()

    async def keep_watch(self) -> None:
        """Note that we hear who comes and goes; what a power cut ends, only the missing note tells."""
        if self.session.connected:
            await housekeeping.keep_watch(self.store)

    async def roll_up(self) -> None:
        """Mark the hours that are over, then compute what is due."""
        over = (datetime.now(UTC) - ROLL_UP_DELAY).replace(minute=0, second=0, microsecond=0)
        if self.marked is None:
            known = await housekeeping.last_rolled_up(self.store)
            self.marked = max(known, over - CATCH_UP) if known else over - CATCH_UP
        while self.marked + HOUR < over:
            self.marked += HOUR
            await housekeeping.hour_over(self.store, self.marked)
        while await roll_up(self.store, hours_max=HOURS_PER_ROLL_UP):
            pass

    async def apply_retention(self) -> None:
        """Erase what the rules say."""
        for run in await housekeeping.apply_retention(self.store):
            fields = {name: run[name] for name in ("subject", "rows_affected", "chunks_affected")}
            log.info("retention applied", extra=fields)

    async def sort_history(self) -> None:
        """At night, put the days that are over into the order of their devices: a day is then read in one go."""
        while datetime.now().astimezone().hour in NIGHT_HOURS and (chunk := await housekeeping.sort_chunk(self.store)):
            log.info("positions sorted", extra={"chunk": chunk})

    async def tidy(self) -> None:
        """Forget what nobody needs."""
        await housekeeping.tidy(self.store)


async def run(settings: PlatformSettings) -> None:
    """Run all jobs until cancelled."""
    host = f"jobs@{socket.gethostname()}"
    states = (server_state("+"), *UP_STATE_FILTERS)
    options = SessionOptions(
        # Nobody may guess it: whoever connects with a client id ends the connection that has it.
        client_id=f"xunlu-jobs-{secrets.token_hex(4)}",
        subscriptions=[
            *(Subscription(topic=one) for one in states),
            *live.subscriptions(settings.tenant),
            *talk.subscriptions(settings.tenant),
        ],
        will=presence_will(host),
    )
    async with (
        Store(settings.database("jobs"), connections_max=4) as store,
        Session(settings.broker("jobs"), options, on_connect=publish_presence(host)) as session,
        asyncio.TaskGroup() as tasks,
    ):
        jobs = Jobs(store, session, fleet(settings.tenant, "jobs"))
        video = LiveVideo(settings, store, session, jobs.unsaid)
        radio = Talk(settings, store, session)
        rhythm: Rhythm = [
            ("expire_commands", 2, jobs.expire_commands),
            ("keep_watch", 10, jobs.keep_watch),
            ("roll_up", 30, jobs.roll_up),
            ("apply_retention", 3600, jobs.apply_retention),
            ("erase_files", 60, ErasedFiles(store, settings.recordings).erase),
            ("sort_history", 900, jobs.sort_history),
            ("tidy", 300, jobs.tidy),
            *video.rhythm(),
            *radio.rhythm(),
            *Messages(settings, store, session).rhythm(),
            *Zones(store, settings.time_zone, session, jobs.topic).rhythm(),
            *Exports(settings, store).rhythm(),
        ]
        registry = CollectorRegistry()
        runs = Counter("xunlu_jobs_runs", "Runs by job and outcome.", ("job", "outcome"), registry=registry)
        age = Gauge("xunlu_jobs_last_success_timestamp_seconds", "Last success by job.", ("job",), registry=registry)
        for name, period_s, job in rhythm:
            tasks.create_task(_repeat(jobs, name, period_s, job, runs, age), name=name)
        takers: dict[str, Taker] = {
            **video.takers(),
            **radio.takers(),
            **dict.fromkeys(states, partial(take_state, store)),
        }
        tasks.create_task(take_messages(session, takers), name="inbox")
        tasks.create_task(_serve(settings, jobs, registry), name="health")


async def _repeat(
    jobs: Jobs, name: str, period_s: float, job: Callable[[], Awaitable[None]], runs: Counter, age: Gauge
) -> None:
    while True:
        try:
            await job()
        except (StoreError, TransportError) as error:
            jobs.trouble[name] = str(error)
            runs.labels(job=name, outcome="failed").inc()
            log.warning("job failed, it is tried again", extra={"job": name, "error": str(error)})
        except Exception as error:
            # One job that cannot go on is no reason for the others to stop.
            jobs.trouble[name] = str(error)
            runs.labels(job=name, outcome="failed").inc()
            log.exception("job failed, it is tried again", extra={"job": name})
        else:
            jobs.trouble.pop(name, None)
            jobs.last[name] = datetime.now(UTC)
            runs.labels(job=name, outcome="ok").inc()
            age.labels(job=name).set_to_current_time()
        await asyncio.sleep(period_s)


async def _serve(settings: PlatformSettings, jobs: Jobs, registry: CollectorRegistry) -> None:
    async def health() -> Page:
        checks: dict[str, dict[str, object]] = {
            "broker": {"ok": jobs.session.connected, "why": jobs.session.refusal},
            **{name: {"ok": name not in jobs.trouble, "last": at} for name, at in jobs.last.items()},
            **{name: {"ok": False, "why": why} for name, why in jobs.trouble.items()},
        }
        return health_page(checks)

    async def measures() -> Page:
        return Page(body=generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")

    pages = {"/healthz": health, "/readyz": health, "/metrics": measures}
    async with serve_pages(settings.health_host, settings.health_port, pages) as port:
        log.info("health page", extra={"port": port})
        await asyncio.Event().wait()
