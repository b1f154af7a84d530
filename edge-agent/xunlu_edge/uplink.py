"""The uplink: brings the outbox to the platform, newest first in one lane, the backlog in the other.

The live lane takes what was just appended and bundles what gathered while the last message was on its way, so that a
slow link sends fewer and larger messages. The backlog lane walks the outbox from its oldest entry: after every connect,
when the platform names missing sequences, and when entries stay unconfirmed. Nothing is remembered about single
entries: what lies in the outbox is unconfirmed, and a second arrival changes nothing. Only an event that the disk
refused waits here until it is sent.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence

from xunlu_edge.errors import StorageError
from xunlu_edge.outbox import Entry, Mark, Outbox
from xunlu_edge.publisher import Publisher
from xunlu_kit.clock import Clock
from xunlu_kit.errors import TransportError
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event
from xunlu_protocol.location import LOCATIONS_PER_MESSAGE_MAX, Location, encode_locations
from xunlu_protocol.topics import Channel

log = logging.getLogger(__name__)

LIVE_WAITING_MAX = 1000
LIVE_AGE_MS = 15_000
"""An older location goes to `up/loc/hist`."""
EVENT_LATE_MS = 60_000
"""An older event says `hist`: it is told, but no longer an emergency of this minute."""
MISSING_AFTER_S = 6.0
"""What is missing now may be on its way through another worker: it is sent again only when it still is after this."""
WINDOW = 5000
"""Entries of the backlog sent and not yet confirmed: the platform's pace is ours."""
PATIENCE_MAX_S = 300.0
BEGINNING = Mark(-1, 0)


class Uplink:
    """Sends the outbox.

    Attributes:
        overflow: live entries left to the backlog because the live lane was full.
    """

    def __init__(self, outbox: Outbox, publisher: Publisher, clock: Clock, *, resend_after_s: float) -> None:
        self.overflow = 0
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._resend_after_s = resend_after_s
        self._patience_s = resend_after_s
        self._live: deque[Entry] = deque()
        self._live_filled = asyncio.Event()
        self._upto = BEGINNING
        self._due_s: float | None = None
        self._due_changed = asyncio.Event()
        self._outstanding = 0
        self._confirmed = asyncio.Event()

    # -- what happens -------------------------------------------------------------------------------------------------

    def offer(self, entry: Entry) -> None:
        """Send an entry that was just appended. Without a connection it simply stays in the outbox.

        An event that the disk refused waits for the connection here, unless more wait than the live lane holds.
        """
        if len(self._live) >= LIVE_WAITING_MAX:
            elsewhere = (number for number, waiting in enumerate(self._live) if not waiting.is_only_here)
            del self._live[next(elsewhere, 0)]
            self.overflow += 1
        self._live.append(entry)
        self._live_filled.set()

    def connected(self) -> None:
        """The platform listens (again): everything that waits is backlog, everything from now on is live."""
        self._live = deque(entry for entry in self._live if entry.is_only_here)
        self._live_filled.set()
        self._patience_s = self._resend_after_s
        self._schedule(0.0, self._outbox.mark)

    def confirm(self, confirmation: Confirmation) -> None:
        """Take in a `dn/ack`."""
        removed = self._outbox.confirm(confirmation)
        upto = Mark(confirmation.sid, confirmation.upto)
        self._outstanding = max(0, self._outstanding - removed)
        if removed:
            self._confirmed.set()
            self._regain_patience()
        if confirmation.missing and self._outbox.holds_upto(upto):
            self._schedule(MISSING_AFTER_S, max(upto, self._upto))

    def _regain_patience(self) -> None:
        """The platform stores again: what it has not confirmed by now need not wait for minutes."""
        self._patience_s = self._resend_after_s
        if self._due_s is not None:
            self._schedule(self._resend_after_s, self._upto)

    def _schedule(self, in_s: float, upto: Mark) -> None:
        due = self._clock.monotonic_s() + in_s
        if self._due_s is None or due < self._due_s:
            self._due_s = due
            self._due_changed.set()
        self._upto = upto

    # -- lanes --------------------------------------------------------------------------------------------------------

    async def send_live(self) -> None:
        """Send what is offered, for ever."""
        while True:
            await self._live_filled.wait()
            batch = [self._live.popleft() for _ in range(min(len(self._live), LOCATIONS_PER_MESSAGE_MAX))]
            if not self._live:
                self._live_filled.clear()
            now_ms = self._clock.time_ms()
            stale = [entry for entry in batch if now_ms - entry.created_ms > LIVE_AGE_MS]
            fresh = [entry for entry in batch if now_ms - entry.created_ms <= LIVE_AGE_MS]
            try:
                await self._publish(fresh, "loc")
                await self._publish(stale, "loc/hist")
            except TransportError as error:
                self._live.extendleft(entry for entry in reversed(batch) if entry.is_only_here)
                log.debug("live entries stay in the outbox", extra={"entries": len(batch), "error": str(error)})

    async def send_backlog(self) -> None:
        """Walk the outbox whenever that is due, for ever."""
        while True:
            await self._wait_until_due()
            self._due_s = None
            try:
                await self._walk(self._upto)
            except (TransportError, TimeoutError, StorageError) as error:
                log.info("backlog interrupted", extra={"waiting": self._outbox.count, "error": str(error)})
            # What was appended until now has been sent once; should it stay unconfirmed, it is sent again.
            self._schedule(self._patience_s, self._outbox.mark)
            self._patience_s = min(PATIENCE_MAX_S, self._patience_s * 2)

    async def _wait_until_due(self) -> None:
        while True:
            self._due_changed.clear()
            remaining = None if self._due_s is None else self._due_s - self._clock.monotonic_s()
            if remaining is not None and remaining <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(remaining):
                    await self._due_changed.wait()

    async def _walk(self, upto: Mark) -> None:
        """Send everything up to a mark once: events first, they are few and matter most."""
        self._outstanding = 0
        for events in (True, False):
            after = BEGINNING
            while batch := self._outbox.oldest(after, upto, events=events, limit=LOCATIONS_PER_MESSAGE_MAX):
                await self._publish(batch, "loc/hist")
                after = batch[-1].mark
                await self._wait_for_room(len(batch))

    async def _wait_for_room(self, sent: int) -> None:
        self._outstanding += sent
        while self._outstanding > WINDOW:
            self._confirmed.clear()
            async with asyncio.timeout(self._resend_after_s):
                await self._confirmed.wait()

    # -- messages -----------------------------------------------------------------------------------------------------

    async def _publish(self, entries: Sequence[Entry], channel: Channel) -> None:
        """One message for each event, then one for all locations."""
        for entry in entries:
            if entry.kind != "loc":
                await self._publisher.publish("evt", self._event_payload(entry), entry.kind)
        locations = [entry.payload for entry in entries if entry.kind == "loc"]
        if channel == "loc/hist" and locations:
            late = [Location.decode(payload).model_copy(update={"hist": True}) for payload in locations]
            await self._publisher.publish(channel, encode_locations(late))
        elif len(locations) == 1:
            await self._publisher.publish(channel, locations[0])
        elif locations:
            await self._publisher.publish(channel, b"[" + b",".join(locations) + b"]")

    def _event_payload(self, entry: Entry) -> bytes:
        if self._clock.time_ms() - entry.created_ms <= EVENT_LATE_MS:
            return entry.payload
        return Event.decode(entry.payload).model_copy(update={"hist": True}).encode()
