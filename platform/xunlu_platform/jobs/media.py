"""Keeps what relays and the recorder process report, and confirms it when it is committed.

Both repeat themselves until they are confirmed, so that nothing is lost on the way; everything here may be heard twice.
"""

import logging

from xunlu_kit.clock import Clock
from xunlu_kit.mqtt import Message, Session
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.media import close_viewings, note_viewings, register_recording
from xunlu_platform.store.store import Store
from xunlu_protocol.media import MediaAck, MediaFrame, RecordingReport
from xunlu_protocol.topics import media_ack, media_recording

log = logging.getLogger(__name__)

LOST_S = 60.0
"""A viewing that no frame names for so long has ended: its relay was killed, or never came back."""


class Media:
    """What the relays said, and when.

    Attributes:
        relays: what they carry now.
    """

    def __init__(self, store: Store, session: Session, tenant: str, clock: Clock) -> None:
        self.relays = Relays(clock)
        self._store = store
        self._session = session
        self._tenant = tenant
        self._clock = clock
        self._named: dict[str, float] = {}
        self._listening = (0, clock.monotonic_s())

    async def take_frame(self, message: Message) -> None:
        """Keep the viewings of a frame, and confirm those that ended.

        Raises:
            ProtocolError: it is no frame.
            StoreError: the database does not answer.
            TransportError: it is kept, but could not be confirmed.
        """
        frame = MediaFrame.decode(message.payload)
        self.relays.take(frame)
        now_s = self._clock.monotonic_s()
        self._named.update((one.id, now_s) for one in frame.viewings)
        if frame.viewings:
            await note_viewings(self._store, frame.viewings, frame.tms)
        if ended := tuple(one.id for one in frame.viewings if one.to_ms is not None):
            await self._confirm(frame.worker, MediaAck(viewings=ended))

    async def take_report(self, message: Message) -> None:
        """Register a recording and confirm it; see `take_frame`. One of an unknown device stays unconfirmed."""
        report = RecordingReport.decode(message.payload)
        if not await register_recording(self._store, report):
            log.warning("recording of an unknown device", extra={"recording": report.id, "did": report.did})
            return
        host = message.topic.removeprefix(media_recording(self._tenant, ""))
        await self._confirm(host, MediaAck(recordings=(report.id,)))

    async def _confirm(self, source: str, ack: MediaAck) -> None:
        await publish(self._session, media_ack(self._tenant, source), ack.encode())

    async def close_lost(self) -> None:
        """End the viewings that no relay names any more, once we have listened long enough to know."""
        now_s = self._clock.monotonic_s()
        connection, since_s = self._listening
        if not self._session.connected or connection != self._session.connection:
            self._listening = (self._session.connection, now_s)
            return
        self._named = {name: at_s for name, at_s in self._named.items() if now_s - at_s < LOST_S}
        if now_s - since_s < LOST_S:
            return
        if closed := await close_viewings(self._store, self._named):
            log.warning("viewings ended without a word of their relay", extra={"viewings": closed})
