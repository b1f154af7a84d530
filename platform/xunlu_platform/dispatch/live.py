"""Making recorders publish live video: at which relay worker, with which token."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from xunlu_platform.auth.broker_accounts import DeviceKind
from xunlu_platform.auth.media_tokens import MediaTokens
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.commands import Command, Commands, Queued, new_rid
from xunlu_platform.store.store import Row, Session
from xunlu_protocol.command import LiveStart
from xunlu_protocol.media import worker_of

START_LIVE_S = 30
"""A recorder that was away longer must not begin by itself: nobody waits any more."""

RECENT_S = 8
"""Whoever asks within these seconds waits for the same start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watcher:
    """Who wants to see.

    Attributes:
        account_id: None for a rule.
        username: for the token.
        name: for the officer who is seen.
    """

    account_id: int | None
    username: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """A `live_start` on its way.

    Attributes:
        rid: of the command.
        queued: to be sent after the commit; None when somebody else sent it a moment ago.
    """

    rid: str
    queued: Queued | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """Addresses, tokens and the command, as the settings say."""

    settings: PlatformSettings
    tokens: MediaTokens
    commands: Commands

    def whep(self, did: str) -> str:
        """Where browsers play a path (WHEP)."""
        urls = self.settings.streaming_urls
        return f"{urls[worker_of(did, urls)]}/whep/{did}"

    def whip(self, did: str, kind: DeviceKind) -> str:
        """Where its device publishes it (RFC 9725): the same worker, by the address that recorders or browsers know."""
        urls = self.settings.streaming_urls
        reached = urls if kind == "phone" else self.settings.recorder_streaming_urls or urls
        return f"{reached[worker_of(did, urls)]}/whip/{did}"

    async def start(self, session: Session, device: Row, watcher: Watcher, *, audio: bool = True) -> Start:
        """Queue the command that makes a recorder publish, unless one is on its way.

        Args:
            session: of the decision.
            device: `id`, `did`, `kind`.
            watcher: who wants to see.
            audio: whether the microphone is wanted, too.
        """
        # Two who click at once ask one after the other: one uplink, one command.
        await session.one("live", "take_turn", {"device_id": device["id"]})
        recent = await session.one("live", "recent_start", {"device_id": device["id"], "recent_s": RECENT_S})
        if recent:
            return Start(rid=recent["rid"], queued=None)
        return await self._queue(session, device, watcher, {"by": watcher.name, "audio": audio})

    async def renew(self, session: Session, device: Row, watcher: Watcher) -> Start:
        """Queue the command of a recorder that publishes once more, with a fresh token for its return.

        Args:
            session: of the decision.
            device: `id`, `did`, `kind`, and `args` of the command of before.
            watcher: in whose name; the officer goes on reading the one of before.
        """
        return await self._queue(session, device, watcher, device["args"])

    async def _queue(self, session: Session, device: Row, watcher: Watcher, how: Mapping[str, object]) -> Start:
        rid = new_rid()
        token = self.tokens.publish(device["did"], command=rid, user=watcher.username)
        arguments = LiveStart.parse({**how, "whip": self.whip(device["did"], device["kind"]), "token": token})
        command = Command(name="live_start", arguments=arguments, live_s=START_LIVE_S, rid=rid)
        return Start(rid=rid, queued=await self.commands.queue(session, device, command, account_id=watcher.account_id))


def new_viewing() -> str:
    """A name for a viewing: `jti` of its token."""
    return secrets.token_urlsafe(9)
