"""Live video among the jobs: what is heard for it, and what is done for it in which rhythm."""

from collections.abc import Awaitable, Callable

from xunlu_kit.clock import SystemClock
from xunlu_kit.mqtt import Session, Subscription
from xunlu_platform.auth.media_tokens import MediaTokens
from xunlu_platform.config import PlatformSettings
from xunlu_platform.dispatch.commands import Commands
from xunlu_platform.dispatch.live import Live
from xunlu_platform.jobs.inbox import Taker
from xunlu_platform.jobs.media import Media
from xunlu_platform.jobs.orders import Orders
from xunlu_platform.jobs.rights import Rights
from xunlu_platform.jobs.starts import Starts
from xunlu_platform.store.store import Store
from xunlu_protocol.fleet import Notice
from xunlu_protocol.topics import media_frame, media_order, media_recording

CLOSE_S = 15.0
ORDERS_S = 2.0
RIGHTS_S = 2.0
SOS_S = 2.0
RENEW_S = 10.0

Rhythm = list[tuple[str, float, Callable[[], Awaitable[None]]]]
"""Name, seconds between two runs, job."""


def subscriptions(tenant: str) -> list[Subscription]:
    """What the jobs below hear."""
    return [
        # A lost frame is followed by the next one.
        Subscription(topic=media_frame(tenant, "+"), qos=0),
        Subscription(topic=media_recording(tenant, "+")),
        Subscription(topic=media_order(tenant, "+")),
    ]


class LiveVideo:
    """The parts, made once."""

    def __init__(self, settings: PlatformSettings, store: Store, session: Session, unsaid: list[Notice]) -> None:
        """Make them.

        Args:
            settings: of the platform.
            store: with the jobs role.
            session: that hears `subscriptions`.
            unsaid: where commands go that desks want to hear of.

        Raises:
            ConfigError: the key of media tokens is missing.
        """
        clock = SystemClock()
        tokens = MediaTokens(settings.secret("media-key"), clock, publish_live_s=settings.publish_token_s)
        live = Live(settings=settings, tokens=tokens, commands=Commands(store, session, settings.tenant))
        self._settings = settings
        self._unsaid = unsaid
        self._media = Media(store, session, settings.tenant, clock)
        self._orders = Orders(store, session, settings.tenant)
        self._rights = Rights(store, session, settings.tenant, self._media.relays)
        self._starts = Starts(store, live, self._media.relays)

    def takers(self) -> dict[str, Taker]:
        """Who stores what of `subscriptions`."""
        tenant = self._settings.tenant
        return {
            media_frame(tenant, "+"): self._media.take_frame,
            media_recording(tenant, "+"): self._media.take_report,
            media_order(tenant, "+"): self._orders.retained.take,
        }

    def rhythm(self) -> Rhythm:
        """The jobs; that of SOS only where the settings want it."""
        always: Rhythm = [
            ("close_viewings", CLOSE_S, self._media.close_lost),
            ("recording_orders", ORDERS_S, self._orders.keep),
            ("live_rights", RIGHTS_S, self._rights.apply),
            ("live_tokens", RENEW_S, self._renew),
        ]
        return [*always, ("sos_live", SOS_S, self._watch_sos)] if self._settings.sos_live else always

    async def _watch_sos(self) -> None:
        self._unsaid += await self._starts.for_sos()

    async def _renew(self) -> None:
        self._unsaid += await self._starts.renewals(self._settings.publish_token_s / 2)
