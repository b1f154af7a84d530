"""A publication from its first offer to its end: one camera, one encoder, and sessions that come and go under them.

A silent relay is asked again by datagram and by HTTP at the same time: when the network was away, the old session
answers first and goes on; when the relay was away, it has forgotten the session and takes a new offer.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from av import AudioFrame, VideoFrame

from xunlu_edge.errors import DeviceError, LiveError
from xunlu_edge.hardware import Microphone, VideoSource
from xunlu_edge.media.h264 import H264Encoder, Shape
from xunlu_edge.media.handover import Handover
from xunlu_edge.media.opus import OpusEncoder
from xunlu_edge.media.session import Session, Shared, open_session
from xunlu_edge.media.whip import RefusalError
from xunlu_kit.backoff import backoff_s
from xunlu_protocol.command import LiveStart

log = logging.getLogger(__name__)

# Without an answer for so long the relay is asked by HTTP, too, and nothing is encoded any more.
SILENT_S = 2.5
# A relay that says it does not know us is asked sooner.
FORGOTTEN_S = 0.5
GIVE_UP_S = 120.0
RETRY_FIRST_S, RETRY_CAP_S = 0.3, 8.0
LOOK_S = 0.1
# Pictures that would wait longer than this are not encoded at all: a late picture is worse than none.
BACKLOG_S_MAX = 0.3
SOUNDS_WAITING_MAX = 10


class Publication:
    """Live video for one request; `run` is its life.

    Attributes:
        published: set when the first session stands.
        shape: of the pictures that are sent, None before the first.
        skipped: pictures left out because the uplink was behind.
        sessions: how many were begun.
    """

    def __init__(
        self, request: LiveStart, shared: Shared, video: VideoSource, microphone: Microphone | None, codec: str
    ) -> None:
        """Describe it.

        Args:
            request: where to, and within which bounds.
            shared: what all sessions use.
            video: the camera.
            microphone: for sound, if there is one.
            codec: FFmpeg's name of the encoder.
        """
        self.published = asyncio.Event()
        self.shape: Shape | None = None
        self.skipped = 0
        self.sessions = 0
        self._request = request
        self._shared = shared
        self._microphone = microphone if request.audio else None
        self._session: Session | None = None
        self._encoder = H264Encoder(codec, height_max=request.height_max, fps_max=request.fps_max)
        self._video = Handover("live.camera", partial(video.open, request.height_max, request.fps_max), depth=1)
        self._hurry = asyncio.Event()
        self._picture: VideoFrame | None = None
        self._shown = asyncio.Event()

    @property
    def request(self) -> LiveStart:
        """The request in force."""
        return self._request

    def refresh(self, request: LiveStart) -> None:
        """Somebody asked again for the same address: take the fresh token, and use it at once if it is needed."""
        self._request = request
        self._shared.steering.bitrate.limit(request.bitrate_bps_max)
        self._hurry.set()

    async def latest_picture(self) -> VideoFrame:
        """What the camera saw last; waits for the first picture."""
        while self._picture is None:
            await self._shown.wait()
        return self._picture

    async def run(self) -> str:
        """Publish until the end; returns why it ended.

        Raises:
            DeviceError: the camera failed.
            LiveError: the relay refused, or nobody took it for minutes.
        """
        sound = asyncio.create_task(self._feed_sound(), name="live.sound")
        tasks = [
            asyncio.create_task(self._feed_pictures(), name="live.pictures"),
            asyncio.create_task(self._stay_published(), name="live.sessions"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(why for task in done if (why := task.result()) is not None)
        finally:
            for task in (sound, *tasks):
                task.cancel()
            await asyncio.gather(sound, *tasks, return_exceptions=True)
            if self._session is not None:
                await self._session.close()

    # -- sessions -----------------------------------------------------------------------------------------------------

    async def _stay_published(self) -> str:
        waits = self._waits()
        heard_s = time.monotonic()
        while True:
            if (session := self._session) is not None:
                await self._until_doubtful(session)
                if session.ended.is_set():
                    return "The relay ended it: nobody watches any more."
                heard_s = session.way.heard_s
            if await self._attempt():
                waits = self._waits()
            elif time.monotonic() - heard_s > GIVE_UP_S:
                raise LiveError("The relay has not taken it for two minutes.")
            else:
                await self._pause(next(waits))

    async def _attempt(self) -> bool:
        """Offer a session anew; returns whether it stands, or is not needed."""
        request = self._request
        try:
            session = await open_session(
                self._shared,
                request.whip,
                request.token,
                audio=self._microphone is not None,
                is_wanted=lambda: self._session is None or _is_silent(self._session),
            )
        except RefusalError as error:
            if error.is_final:
                raise
            log.info("relay is busy", extra={"status": error.status})
            await asyncio.sleep(error.retry_after_s or 0.0)
            return False
        except LiveError as error:
            log.info("relay not reached", extra={"error": str(error)})
            return False
        if session is not None:
            self._session, old = session, self._session
            self.sessions += 1
            self.published.set()
            log.info("live", extra={"session": self.sessions})
            if old is not None:
                await old.close()
        return True

    async def _until_doubtful(self, session: Session) -> None:
        """Until the session has ended, or its relay is silent; answers that come again are as good as never missed."""
        was_silent = _is_silent(session)
        while not session.ended.is_set() and not _is_silent(session):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await session.ended.wait()
        if not session.ended.is_set() and not was_silent:
            log.info("relay is silent")
            self._shared.steering.bitrate.interrupted()

    async def _pause(self, seconds: float) -> None:
        """Wait before the next offer, but not when somebody asks, or the old session answers again."""
        self._hurry.clear()
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and (self._session is None or _is_silent(self._session)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._hurry.wait()
                    return

    @staticmethod
    def _waits() -> Iterator[float]:
        return backoff_s(first_s=RETRY_FIRST_S, cap_s=RETRY_CAP_S)

    # -- pictures and sound -------------------------------------------------------------------------------------------

    async def _feed_pictures(self) -> None:
        loop = asyncio.get_running_loop()
        encoder = ThreadPoolExecutor(1, thread_name_prefix="live.encoder")
        try:
            async with self._video as camera:
                while True:
                    self._picture = frame = await camera.get()
                    self._shown.set()
                    if (keyframe := self._is_due(frame)) is None:
                        continue
                    bitrate_bps = self._shared.steering.bitrate.target_bps
                    encode = partial(self._encoder.encode, frame, bitrate_bps, keyframe=keyframe)
                    picture = await loop.run_in_executor(encoder, encode)
                    if picture is not None and self._session is not None:
                        self.shape = picture.shape
                        self._session.send_picture(picture)
        finally:
            # A hardware encoder that hangs must not hang the loop.
            encoder.shutdown(wait=False, cancel_futures=True)

    def _is_due(self, frame: VideoFrame) -> bool | None:
        """Whether the picture is to be a keyframe; None when it is not to be sent at all."""
        session, captured_s = self._session, float(frame.time or 0.0)
        if session is None or _is_silent(session) or not self._encoder.wants(captured_s):
            return None
        if session.backlog_s > BACKLOG_S_MAX:
            self.skipped += 1
            return None
        return self._shared.steering.takes_keyframe(captured_s)

    async def _feed_sound(self) -> None:
        if self._microphone is None:
            return
        try:
            async with Handover("live.microphone", self._microphone.open, depth=SOUNDS_WAITING_MAX) as microphone:
                encoder = OpusEncoder()
                while True:
                    self._send_sound(encoder, await microphone.get())
        except DeviceError as error:
            # A picture without sound is better than none.
            log.warning("microphone failed", extra={"error": str(error)})

    def _send_sound(self, encoder: OpusEncoder, frame: AudioFrame) -> None:
        for sound in encoder.encode(frame):
            if self._session is not None and not _is_silent(self._session):
                self._session.send_sound(sound)


def _is_silent(session: Session) -> bool:
    silent_s = time.monotonic() - session.way.heard_s
    return silent_s > (FORGOTTEN_S if session.way.is_forgotten else SILENT_S)
