"""Commands: delivered → accepted | rejected → running → done | failed, each step told and kept on disk."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, get_args

from xunlu_edge.actions import Actions
from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import BusyError, DeviceError, StorageError
from xunlu_edge.ledger import Ledger
from xunlu_edge.publisher import Publisher
from xunlu_kit.errors import TransportError
from xunlu_protocol.base import decode_json
from xunlu_protocol.command import (
    BAD_ARGUMENTS,
    BUSY,
    EXPIRED,
    HARDWARE,
    OK,
    UNSUPPORTED,
    Arguments,
    CommandName,
    Reply,
    ReplyState,
    Request,
    check,
)
from xunlu_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

WAITING_MAX = 16
WORKERS = 4
WHY_MAX = 500
NAMES = frozenset(get_args(CommandName))


class Commands:
    """Receives, deduplicates, performs and answers commands."""

    def __init__(
        self,
        ledger: Ledger,
        actions: Actions,
        publisher: Publisher,
        watch: ClockWatch,
        *,
        on_reboot: Callable[[], None],
        on_config: Callable[[], None],
    ) -> None:
        """Settle what the last run left unfinished.

        Args:
            ledger: commands on disk.
            actions: what they do.
            publisher: where replies go.
            watch: for expiry.
            on_reboot: the machine is about to restart.
            on_config: the configuration changed and is to be reported.
        """
        self._ledger = ledger
        self._actions = actions
        self._publisher = publisher
        self._watch = watch
        self._on_reboot = on_reboot
        self._on_config = on_config
        self._waiting: asyncio.Queue[Request] = asyncio.Queue(WAITING_MAX)
        self._replies: asyncio.Queue[tuple[str, Reply]] = asyncio.Queue(WAITING_MAX * 8)
        self._settle()

    def _settle(self) -> None:
        for answer in self._ledger.unfinished():
            if answer.name == "reboot" and answer.reply.st == "running":
                self._ledger.advance(answer.rid, self._reply("done"))
            else:
                why = "The recorder was restarted before it was done."
                self._ledger.advance(answer.rid, self._reply("failed", HARDWARE, why))

    # -- in -----------------------------------------------------------------------------------------------------------

    def receive(self, rid: str, payload: bytes) -> None:
        """Take a request in; on disk when this returns, so that it may be acknowledged."""
        if (known := self._ledger.answer(rid)) is not None:
            self._queue(rid, known.reply)
            return
        try:
            request = Request.decode(payload)
        except ProtocolError as error:
            code = UNSUPPORTED if _names_unknown_command(payload) else BAD_ARGUMENTS
            self._begin(rid, "", self._reply("rejected", code, str(error)))
            return
        if request.rid != rid:
            self._begin(rid, request.name, self._reply("rejected", BAD_ARGUMENTS, "rid: not the topic's."))
        elif self._waiting.full():
            self._begin(rid, request.name, self._reply("rejected", BUSY, "Too many commands wait."))
        else:
            self._begin(rid, request.name, self._reply("delivered"))
            self._waiting.put_nowait(request)

    def connected(self) -> None:
        """Tell again what the broker has not taken."""
        for answer in self._ledger.unsent():
            self._queue(answer.rid, answer.reply)

    # -- work ---------------------------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Perform commands, a few at a time, for ever."""
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                workers.create_task(self._work(), name=f"command-{number}")

    async def _work(self) -> None:
        while True:
            request = await self._waiting.get()
            try:
                await self._perform(request)
            except ProtocolError as error:
                self._advance(request, self._reply("failed", BAD_ARGUMENTS, str(error)))
            except BusyError as error:
                self._advance(request, self._reply("failed", BUSY, str(error)))
            except (DeviceError, OSError) as error:
                log.warning("command failed", extra={"rid": request.rid, "command": request.name, "error": str(error)})
                self._advance(request, self._reply("failed", HARDWARE, str(error)))

    async def _perform(self, request: Request) -> None:
        arguments = self._admit(request)
        if arguments is None:
            return
        self._advance(request, self._reply("accepted"))
        self._advance(request, self._reply("running"))
        log.info("command", extra={"rid": request.rid, "command": request.name})
        result = await self._actions.perform(request.name, arguments)
        if request.name == "reboot":
            # The next run of the agent says `done`: only it can know.
            self._on_reboot()
            return
        if request.name == "config":
            self._on_config()
        self._advance(request, self._reply("done", result=result))

    def _admit(self, request: Request) -> Arguments | None:
        """The arguments of a request that may start; None when it was rejected."""
        if self._watch.utc_ms() // 1000 > request.exp:
            self._advance(request, self._reply("rejected", EXPIRED, "It came too late."))
            return None
        try:
            arguments = check(request)
        except ProtocolError as error:
            self._advance(request, self._reply("rejected", BAD_ARGUMENTS, str(error)))
            return None
        if not self._actions.supports(request.name, arguments):
            self._advance(request, self._reply("rejected", UNSUPPORTED, "This hardware cannot do it."))
            return None
        return arguments

    # -- out ----------------------------------------------------------------------------------------------------------

    async def send_replies(self) -> None:
        """Publish replies in their order, for ever."""
        while True:
            rid, reply = await self._replies.get()
            with contextlib.suppress(TransportError, StorageError):
                await self._publisher.publish("rpc", reply.encode(), rid)
                self._ledger.mark_sent(rid, reply)

    def _begin(self, rid: str, name: str, reply: Reply) -> None:
        self._ledger.begin(rid, name, reply)
        self._queue(rid, reply)

    def _advance(self, request: Request, reply: Reply) -> None:
        try:
            self._ledger.advance(request.rid, reply)
        except StorageError as error:
            log.warning("reply not kept", extra={"rid": request.rid, "error": str(error)})
        self._queue(request.rid, reply)

    def _queue(self, rid: str, reply: Reply) -> None:
        # What finds no room is unsent in the ledger and goes out after the next connect.
        with contextlib.suppress(asyncio.QueueFull):
            self._replies.put_nowait((rid, reply))

    def _reply(
        self, state: ReplyState, code: int = OK, why: str | None = None, result: dict[str, Any] | None = None
    ) -> Reply:
        return Reply(
            st=state, tst=self._watch.utc_ms() // 1000, code=code, why=why[:WHY_MAX] if why else None, result=result
        )


def _names_unknown_command(payload: bytes) -> bool:
    try:
        value = decode_json(payload)
    except ProtocolError:
        return False
    return isinstance(value, dict) and isinstance(value.get("name"), str) and value["name"] not in NAMES
