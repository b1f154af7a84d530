"""Commands to devices: written down first, then sent; the answers move the row forward (ingest)."""

import secrets
from dataclasses import dataclass, field

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.store.store import Row, Scope, Session, Store
from xunlu_protocol.command import Arguments, CommandName, Request
from xunlu_protocol.topics import Kind, down

# Whoever reads a command's row must not be able to use what it carried.
NEVER_KEPT = frozenset({"token"})


def new_rid() -> str:
    """A name for a command that nobody else has."""
    return secrets.token_urlsafe(9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What a device is to do.

    Attributes:
        name: what.
        arguments: of the command, validated.
        live_s: seconds after which it must not start any more.
        rid: its identity.
    """

    name: CommandName
    arguments: Arguments
    live_s: int
    rid: str = field(default_factory=new_rid)


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """A command that is written down and not yet sent.

    Attributes:
        topic: where it goes.
        request: what is sent, secrets included.
        live_s: seconds that the broker keeps it.
    """

    topic: str
    request: Request = field(repr=False)
    live_s: int


class Commands:
    """Sends to the devices of one tenant."""

    def __init__(self, store: Store, mqtt: MqttSession, tenant: str) -> None:
        self._store = store
        self._mqtt = mqtt
        self._tenant = tenant

    async def queue(self, session: Session, device: Row, command: Command, *, account_id: int | None) -> Queued:
        """Write a command down in the transaction of whoever decides it; `send` follows after the commit.

        Args:
            session: of the decision.
            device: `id`, `did`, `kind`.
            command: what it is to do.
            account_id: who decided; None for a rule.
        """
        args = command.arguments.model_dump(mode="json", exclude_none=True)
        values = {
            "rid": command.rid,
            "device_id": device["id"],
            "name": command.name,
            "args": {name: value for name, value in args.items() if name not in NEVER_KEPT},
            "account_id": account_id,
            "live_s": command.live_s,
        }
        row = await session.one("commands", "insert", values)
        assert row is not None
        request = Request(rid=command.rid, name=command.name, args=args, exp=int(row["expires_at"].timestamp()))
        return self._queued(device, request, command.live_s)

    def again(self, row: Row) -> Queued:
        """A command that is written down already, to be sent once more: the same `rid` twice is one command.

        Args:
            row: `rid`, `name`, `args`, `expires_at` and `left_s` of one that carried no secret; `did`, `kind` of its
                device.
        """
        exp = int(row["expires_at"].timestamp())
        request = Request(rid=row["rid"], name=row["name"], args=row["args"], exp=exp)
        return self._queued(row, request, row["left_s"])

    def _queued(self, device: Row, request: Request, live_s: int) -> Queued:
        kind: Kind = "s" if device["kind"] == "station" else "d"
        topic = down(self._tenant, device["did"], "rpc", request.rid, kind=kind)
        return Queued(topic=topic, request=request, live_s=live_s)

    async def send(self, scope: Scope, queued: Queued) -> bool:
        """Send a command; one that the broker does not take is written down as failed, and the answer is False."""
        try:
            await publish(self._mqtt, queued.topic, queued.request.encode(), expiry_s=queued.live_s)
        except TransportError:
            why = "The message broker did not take it."
            async with self._store.session(scope) as session:
                await session.run("commands", "give_up", {"rid": queued.request.rid, "why": why})
            return False
        return True
