"""The agent: one recorder, from its hardware to the broker."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from xunlu_edge.actions import Actions
from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.commands import Commands
from xunlu_edge.database import open_database
from xunlu_edge.events import Events
from xunlu_edge.hardware import Hardware
from xunlu_edge.journal import Journal
from xunlu_edge.ledger import Ledger
from xunlu_edge.link import Link
from xunlu_edge.live import Live
from xunlu_edge.notes import Notes
from xunlu_edge.outbox import Outbox
from xunlu_edge.positions import Positions
from xunlu_edge.settings import AgentSettings
from xunlu_edge.shadow import ShadowKeeper
from xunlu_edge.situation import Situation
from xunlu_edge.talk.radio import Radio
from xunlu_edge.telemetry import Reporter
from xunlu_edge.thumbnails import Thumbnails
from xunlu_edge.uplink import Uplink
from xunlu_kit.clock import Clock, SystemClock
from xunlu_kit.errors import TransportError
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.status import Birth
from xunlu_protocol.topics import DownChannel

log = logging.getLogger(__name__)


class Agent:
    """A recorder. Many can live in one process; each owns its state folder.

    The parts share no task: the receiver, the keys, the clock, the link, the two lanes of the uplink, telemetry and
    commands each run by themselves, so that a lost connection never holds up a fix, nor a silent receiver an SOS.
    """

    def __init__(self, settings: AgentSettings, hardware: Hardware, clock: Clock | None = None) -> None:
        """Open the state folder and begin a session.

        Raises:
            StorageError: the state folder cannot be used.
        """
        clock = clock or SystemClock()
        self._settings = settings
        self._hardware = hardware
        self._stopping = asyncio.Event()
        self._shadow_changed = asyncio.Event()
        self._database = open_database(settings.state)
        self.situation = Situation()
        self.watch = ClockWatch(clock)
        self.outbox = Outbox(self._database, clock, bytes_max=settings.outbox_bytes_max)
        self.link = Link(settings, self, self.watch, clock, sid=self.outbox.sid)
        self.uplink = Uplink(self.outbox, self.link, clock, resend_after_s=settings.resend_after_s)
        self.journal = Journal(self.outbox, self.uplink, self.watch)
        self.shadow = ShadowKeeper(self._database, self.situation)
        self.positions = Positions(hardware, self.journal, self.situation, self.watch, clock)
        self.radio = Radio(hardware, settings, self.situation)
        self.events = Events(hardware, self.journal, self.situation, self._database, self.watch, clock, self.radio.feel)
        self.reporter = Reporter(
            hardware, self.situation, self.outbox, self.journal, self.events, self.link, self.watch, clock
        )
        self.live = Live(hardware, settings, self.watch)
        self.thumbnails = Thumbnails(self.live, hardware, self.situation, self.link, lambda: self.link.ready, clock)
        actions = Actions(
            hardware=hardware,
            positions=self.positions,
            events=self.events,
            shadow=self.shadow,
            situation=self.situation,
            live=self.live,
            notes=Notes(hardware, settings, self._database, clock),
            watch=self.watch,
            clock=clock,
        )
        self.commands = Commands(
            Ledger(self._database, clock),
            actions,
            self.link,
            self.watch,
            on_reboot=lambda: self.stop("reboot"),
            on_config=self._shadow_changed.set,
        )

    # -- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Report until `stop` or cancellation; both say goodbye to the platform."""
        log.info("agent started", extra={"serial": self._settings.serial, "sid": self.outbox.sid})
        try:
            async with self._tasks():
                await self._stopping.wait()
        finally:
            self.outbox.close()
            self._database.close()
            log.info("agent stopped", extra={"serial": self._settings.serial})

    def stop(self, why: str = "shutdown") -> None:
        """End `run`; the platform is told why, such as `shutdown`, `dock`, `update`."""
        self.link.say_goodbye(why)
        self._stopping.set()

    @contextlib.asynccontextmanager
    async def _tasks(self) -> AsyncIterator[None]:
        """All tasks, named after the recorder; the first failure of one ends them all."""
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "positions": self.positions.run(),
            "keys": self.events.watch_keys(),
            "clock": self.events.watch_clock(),
            "uplink": self.uplink.send_live(),
            "backlog": self.uplink.send_backlog(),
            "telemetry": self.reporter.run(),
            "commands": self.commands.work(),
            "replies": self.commands.send_replies(),
            "shadow": self._report_shadow(),
            "live": self.live.run(),
            "radio": self.radio.run(),
            "thumbnails": self.thumbnails.run(),
            "link": self.link.run(),
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part, name=f"{self._settings.serial}.{name}") for name, part in parts.items()]
            yield
            for task in tasks:
                task.cancel()

    # -- the link's resident ------------------------------------------------------------------------------------------

    def birth(self) -> Birth:
        """What the introduction says."""
        return Birth(
            sid=self.outbox.sid,
            tst=self.watch.utc_ms() // 1000,
            fw=self._settings.firmware,
            serial=self._settings.serial,
            vendor=self._settings.vendor,
            model=self._settings.model,
            caps=self._hardware.capabilities,
            config=self.shadow.reported.config.fingerprint,
        )

    async def introduced(self) -> None:
        """The platform knows us: report the shadow, then send what waits."""
        await self._publish_shadow()
        self.uplink.connected()
        self.reporter.connected()
        self.commands.connected()

    def receive(self, channel: DownChannel, tail: str, payload: bytes) -> None:
        """Take in what the server wrote.

        Raises:
            ProtocolError: it breaks the contract.
        """
        match channel:
            case "ack":
                self.uplink.confirm(Confirmation.decode(payload))
            case "shadow":
                if self.shadow.desire(payload):
                    self._shadow_changed.set()
            case "rpc":
                self.commands.receive(tail, payload)
            case "talk":
                self.radio.invite(payload)

    async def _report_shadow(self) -> None:
        while True:
            await self._shadow_changed.wait()
            self._shadow_changed.clear()
            # Without a connection the next introduction reports it.
            with contextlib.suppress(TransportError):
                await self._publish_shadow()

    async def _publish_shadow(self) -> None:
        await self.link.publish("shadow", self.shadow.reported.encode(), retain=True)
