"""Push-to-talk among the jobs: groups and invitations that the broker retains, reports that are kept and confirmed."""

import asyncio
import contextlib
import logging

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Message, Session, Subscription
from xunlu_platform.auth.talk_tokens import TalkTokens
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.dispatch.talk_groups import group_message, tell_group
from xunlu_platform.jobs.inbox import Taker
from xunlu_platform.jobs.live import Rhythm
from xunlu_platform.jobs.retained import Retained
from xunlu_platform.store.store import Row, Store
from xunlu_platform.store.talk import (
    call_for_sos,
    invited_recorders,
    keep_log,
    published_group,
    published_groups,
    put_off_ends,
    register_burst,
)
from xunlu_protocol.talk import SCAN_MAX, TalkClaims, TalkInvitation
from xunlu_protocol.talk_reports import BurstReport, TalkAck, TalkLog
from xunlu_protocol.topics import down, talk_ack, talk_burst, talk_group, talk_log

log = logging.getLogger(__name__)

GROUPS_S = 2.0
"""What people make is told by the API at once; this follows the organisation, and mends."""
INVITATIONS_S = 5.0
"""A group that is told of or withdrawn turns the keys of its members at once; this follows all else, and mends."""
GATHER_S = 0.2
"""Between two looks at all invitations: many groups that change together are one change."""
ENDS_S = 10.0
"""The shortest silence that ends a group is a minute."""
SOS_S = 1.0
AFTER_SOS_S = 300
NEAREST = 8
"""So many on duty are called to an SOS."""
LOG_SOURCE = "log"


def subscriptions(tenant: str) -> list[Subscription]:
    """What the jobs below hear."""
    topics = (talk_group(tenant, "+"), down(tenant, "+", "talk"), talk_log(tenant), talk_burst(tenant, "+"))
    return [Subscription(topic=one) for one in topics]


class Talk:
    """The parts, made once."""

    def __init__(self, settings: PlatformSettings, store: Store, session: Session) -> None:
        """Make them.

        Args:
            settings: of the platform.
            store: with the jobs role.
            session: that hears `subscriptions`.

        Raises:
            ConfigError: the key of tokens is missing.
        """
        self._url = settings.recorder_talk_websocket
        self._tenant = settings.tenant
        self._store = store
        self._session = session
        self._tokens = TalkTokens(settings.secret("media-key"), SystemClock())
        self._groups = Retained(session)
        self._invitations = Retained(session)
        self._regrouped = asyncio.Event()
        self._signed: dict[str, tuple[TalkClaims, str]] = {}

    def takers(self) -> dict[str, Taker]:
        """Who stores what of `subscriptions`."""
        tenant = self._tenant
        return {
            talk_group(tenant, "+"): self._take_group,
            down(tenant, "+", "talk"): self._invitations.take,
            talk_log(tenant): self._take_log,
            talk_burst(tenant, "+"): self._take_burst,
        }

    def rhythm(self) -> Rhythm:
        """The jobs."""
        return [
            ("sos_talk", SOS_S, self._call_for_sos),
            ("talk_ends", ENDS_S, self._put_off_ends),
            ("talk_groups", GROUPS_S, self._keep_groups),
            ("talk_invitations", GATHER_S, self._keep_invitations),
        ]

    # -- what is retained ---------------------------------------------------------------------------------------------

    async def _take_group(self, message: Message) -> None:
        await self._groups.take(message)
        self._regrouped.set()

    async def _put_off_ends(self) -> None:
        await put_off_ends(self._store)

    async def _keep_groups(self) -> None:
        rows = await published_groups(self._store, self._tenant)
        await self._groups.mend({talk_group(self._tenant, row["gid"]): group_message(row) for row in rows})

    async def _keep_invitations(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(INVITATIONS_S):
                await self._regrouped.wait()
        self._regrouped.clear()
        rows = await invited_recorders(self._store, self._tenant)
        # Whoever is no longer invited is forgotten here, too.
        self._signed = {row["did"]: self._sign(row) for row in rows}
        wanted = {
            down(self._tenant, row["did"], "talk"): TalkInvitation(
                url=self._url, token=self._signed[row["did"]][1], main=row["main"], scan=tuple(row["scan"][:SCAN_MAX])
            ).encode()
            for row in rows
        }
        await self._invitations.mend(wanted)

    def _sign(self, row: Row) -> tuple[TalkClaims, str]:
        claims = self._tokens.recorder_claims(row["did"], row["name"], row["number"])
        known = self._signed.get(row["did"])
        return known if known is not None and known[0] == claims else (claims, self._tokens.sign(claims))

    async def _call_for_sos(self) -> None:
        for gid in await call_for_sos(self._store, nearest=NEAREST, after_sos_s=AFTER_SOS_S):
            log.info("emergency group called", extra={"gid": gid})
            await tell_group(self._session, self._tenant, gid, await published_group(self._store, self._tenant, gid))

    # -- what is reported ---------------------------------------------------------------------------------------------

    async def _take_log(self, message: Message) -> None:
        told = TalkLog.decode(message.payload)
        if told.entries:
            await keep_log(self._store, self._tenant, told.entries)
            await self._confirm(LOG_SOURCE, TalkAck(entries=tuple(one.id for one in told.entries)))

    async def _take_burst(self, message: Message) -> None:
        report = BurstReport.decode(message.payload)
        await register_burst(self._store, self._tenant, report)
        host = message.topic.removeprefix(talk_burst(self._tenant, ""))
        await self._confirm(host, TalkAck(bursts=(report.id,)))

    async def _confirm(self, source: str, ack: TalkAck) -> None:
        await publish(self._session, talk_ack(self._tenant, source), ack.encode())
