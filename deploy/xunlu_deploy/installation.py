"""One machine from nothing to healthy: the order in which things are made and started."""

import asyncio
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from xunlu_deploy.broker import MessageBroker, TlsListener
from xunlu_deploy.console_lines import Warnings, progress, say
from xunlu_deploy.database import Database
from xunlu_deploy.errors import DeployError
from xunlu_deploy.health import see_free, see_free_udp
from xunlu_deploy.logins import Login, parse_logins, read_logins, write_logins
from xunlu_deploy.once import run_once
from xunlu_deploy.privilege import private_folder
from xunlu_deploy.processes import Plan, endpoints, program
from xunlu_deploy.runtime import Runtime, find
from xunlu_deploy.settings import DeploySettings
from xunlu_deploy.state import State
from xunlu_deploy.supervisor import Supervisor
from xunlu_deploy.tls import Certificate, ensure_certificate

Mode = Literal["demo", "up", "services"]

DATABASE_NAME = "xunlu"
RUNTIME_S = 1800.0
MIGRATE_S = 600.0
MAP_S = 600.0
ACCOUNTS_S = 120.0


class Installation:
    """Runs one state folder."""

    def __init__(self, settings: DeploySettings) -> None:
        """Describe it; nothing is touched before `run`."""
        self.settings = settings
        self.state = State(settings.state.resolve())
        self.warnings = Warnings()

    async def run(self, mode: Mode) -> None:
        """Start everything, say where it is, and keep it running until cancelled.

        Raises:
            DeployError: something could not be made or started; the message says what to do.
        """
        self.state.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self.state.make_secrets()
            for folder in (self.state.run, self.state.recordings, self.state.exports):
                private_folder(folder)
            certificate = ensure_certificate(self.state.tls, (self.settings.public_host,))
            plan = Plan(settings=self.settings, state=self.state, where=endpoints(self.settings, certificate.authority))
            for port, what in plan.ports().items():
                await see_free(port, what)
            for port, what in plan.media_ports().items():
                see_free_udp(port, what)
            async with Supervisor(self.state.logs, listener=self.warnings) as supervisor:
                await self._start_services(supervisor, certificate)
                if mode != "services":
                    logins = await self._start_platform(supervisor, plan, mode)
                    self._announce_platform(logins)
                self._announce_broker(plan)
                with self.warnings.visible():
                    await asyncio.Event().wait()

    async def _start_services(self, supervisor: Supervisor, certificate: Certificate) -> None:
        settings = self.settings
        processes = []
        database = None
        if settings.database_host is None or settings.broker_host is None:
            runtime = await self._runtime()
            if settings.database_host is None:
                database = Database(runtime=runtime, state=self.state, port=settings.port_of("database"))
                await asyncio.to_thread(database.prepare)
                processes.append(database.process())
            if settings.broker_host is None:
                broker = self._broker(runtime, certificate)
                broker.prepare()
                processes.append(broker.process())
        progress("Starting database and broker …")
        await supervisor.start(*processes)
        if database:
            await database.server.provision(DATABASE_NAME)

    async def _runtime(self) -> Runtime:
        """Find the programs; what is missing is made by a process of its own, which a signal can end at any time."""
        folder = self.settings.runtime or self.state.runtime
        runtime = find(folder)
        if runtime is None:
            argv = [sys.executable, "-m", "xunlu_deploy", "runtime"]
            await run_once(argv, {"XUNLU_RUNTIME": str(folder.resolve())}, timeout_s=RUNTIME_S, show=True)
            runtime = find(folder)
        if runtime is None:
            raise DeployError(f"The programs of database and broker are not in {folder}.")
        return runtime

    def _broker(self, runtime: Runtime, certificate: Certificate) -> MessageBroker:
        listener = TlsListener(
            port=self.settings.port_of("mqtt_tls"),
            certificate=certificate.certificate,
            key=certificate.key,
            host=self.settings.mqtt_host,
        )
        return MessageBroker(runtime=runtime, state=self.state, port=self.settings.port_of("mqtt_plain"), tls=listener)

    async def _start_platform(self, supervisor: Supervisor, plan: Plan, mode: Mode) -> list[Login]:
        environment = plan.platform_environment()
        progress("Preparing the map and the tables …")
        async with asyncio.TaskGroup() as group:
            group.create_task(run_once(self._map_command(), {}, timeout_s=MAP_S), name="map")
            group.create_task(
                run_once([program("xunlu-platform"), "migrate"], environment, timeout_s=MIGRATE_S), name="migrate"
            )
        logins = await self._logins(mode, environment)
        progress("Starting the platform …")
        await supervisor.start(*plan.servers())
        if mode == "demo":
            await self._start_fleet(supervisor, plan)
        return logins

    def _map_command(self) -> list[str | Path]:
        settings = self.settings
        shown = {
            "--name": settings.map_name,
            "--attribution": settings.map_attribution,
            "--approval-number": settings.map_approval_number,
        }
        options = [word for name, value in shown.items() if value for word in (name, value)]
        source = [settings.map.resolve()] if settings.map else []
        return [program("xunlu-map"), "prepare", *options, *source, self.state.map]

    async def _logins(self, mode: Mode, environment: dict[str, str]) -> list[Login]:
        """The demo's accounts, the same at every start; without a demo the first administrator, told once."""
        name, verb = ("demo-logins", "demo-data") if mode == "demo" else ("first-logins", "first-account")
        file = self.state.secrets / f"{name}.json"
        known = read_logins(file)
        if known is None:
            output = await run_once([program("xunlu-platform"), verb], environment, timeout_s=ACCOUNTS_S, secret=True)
            fresh = parse_logins(output.splitlines())
            write_logins(file, fresh)
            return fresh
        return known if mode == "demo" else []

    async def _start_fleet(self, supervisor: Supervisor, plan: Plan) -> None:
        if self.settings.stations:
            progress("Simulated stations do not exist yet; STATIONS is ignored.")
        if self.settings.recorders:
            progress(f"Starting {self.settings.recorders} simulated recorders …")
            await supervisor.start(plan.fleet())

    def _announce_platform(self, logins: list[Login]) -> None:
        settings = self.settings
        say(f"Console: {settings.scheme}://{settings.public_host}:{settings.port}")
        for login in logins:
            say(f"Login: {login.role} {login.username} {login.password}")

    def _announce_broker(self, plan: Plan) -> None:
        where = plan.where
        say(f"MQTT: {where.device_host} {where.device_port} {where.device_ca_file or '-'}")
        say(f"Claim: claim {self.state.secret('mqtt-claim')}")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the state folder: two supervisors over one database would destroy it."""
        path: Path = self.state.folder / "lock"
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DeployError(
                    f"Another xunlu already runs on {self.state.folder}. Stop it, or choose another: XUNLU_STATE=folder"
                ) from error
            yield
