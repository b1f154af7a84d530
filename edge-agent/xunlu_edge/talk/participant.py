"""A recorder on the radio net: one WebSocket, one session of media, its key, its microphone and its loudspeaker.

Heavy, and imported with the first invitation. At rest it costs a STUN request about every 5 s and a ping every 20 s,
some 50 bytes a second with all headers. Nothing is captured, encoded, sent or decoded until somebody talks.
"""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any

from av import AudioFrame
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from xunlu_edge.errors import DeviceError, TalkError, TalkRefusedError
from xunlu_edge.hardware import Hardware
from xunlu_edge.media.adapter import RTCCertificate
from xunlu_edge.media.engine import find_ways
from xunlu_edge.media.handover import Handover
from xunlu_edge.media.opus import OpusEncoder
from xunlu_edge.settings import AgentSettings
from xunlu_edge.talk.ear import PIECE_S, Ear
from xunlu_edge.talk.key import ANSWER_S_MAX, Effect, Key
from xunlu_edge.talk.loudspeaker import Sounder
from xunlu_edge.talk.retry import Retry
from xunlu_edge.talk.tones import pieces
from xunlu_edge.talk.voice import Voice
from xunlu_protocol.base import Wire
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.talk import (
    Hello,
    Idle,
    Problem,
    Renew,
    Revoke,
    ServerMessage,
    Taken,
    TalkInvitation,
    Tune,
    Welcome,
    from_server,
)

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 10.0
PING_S, PONG_TIMEOUT_S = 20.0, 10.0
MESSAGE_BYTES_MAX = 1 << 20
MESSAGES_WAITING_MAX = 64
SOUNDS_WAITING_MAX = 5


class Participant:
    """Takes part until it is cancelled.

    Attributes:
        key: its state.
        joins: how often it has joined.
    """

    def __init__(self, invitation: TalkInvitation, hardware: Hardware, settings: AgentSettings) -> None:
        """Describe it.

        Args:
            invitation: the first one.
            hardware: with microphone and loudspeaker.
            settings: of ICE, and the authority of certificates.
        """
        assert hardware.microphone is not None
        assert hardware.loudspeaker is not None
        self.key = Key()
        self.joins = 0
        self._invitation = invitation
        self._settings = settings
        self._microphone = hardware.microphone
        self._sounder = Sounder(hardware.loudspeaker)
        self._ear = Ear(self._sounder.play)
        self._certificate = RTCCertificate.generateCertificate()
        self._voice: Voice | None = None
        self._outbox: asyncio.Queue[Wire] | None = None
        self._opened = asyncio.Event()
        self._permit_ends_s = 0.0
        self._grace: asyncio.TimerHandle | None = None
        self._taken: set[str] = set()
        self._pressed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._moved = asyncio.Event()

    @property
    def is_joined(self) -> bool:
        """Whether it hears, and may ask for the floor."""
        return self._outbox is not None

    async def run(self) -> None:
        """Stay on the net, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sounder.run(), name="radio.loudspeaker")
            group.create_task(self._ear.run(), name="radio.ear")
            group.create_task(self._speak(), name="radio.microphone")
            group.create_task(self._stay_joined(), name="radio.net")

    # -- from the agent -----------------------------------------------------------------------------------------------

    def invite(self, invitation: TalkInvitation) -> None:
        """Another invitation: its token lengthens the session, its groups count at once."""
        before, self._invitation = self._invitation, invitation
        if invitation.url != before.url:
            self._moved.set()
        self._follow(before)
        if invitation.main is not None and invitation.main != before.main:
            # Whoever presses next must know whom it reaches.
            self._do(["returned" if invitation.main in before.scan else "called"])
        self._hurry.set()

    def press(self, urgency: int) -> None:
        """The key goes down: ask for the floor of the main group."""
        self._hurry.set()
        gid = self._invitation.main if self.is_joined else None
        self._do(self.key.press(gid, urgency, time.monotonic()))
        self._pressed.set()

    def escalate(self, urgency: int) -> None:
        """It became more urgent: a key that is down asks again."""
        gid = self._invitation.main if self.is_joined else None
        self._do(self.key.escalate(gid, urgency, time.monotonic()))
        self._pressed.set()

    def let_go(self) -> None:
        """The key comes up."""
        self._do(self.key.let_go())

    # -- the net ------------------------------------------------------------------------------------------------------

    async def _stay_joined(self) -> None:
        retry = Retry()
        while True:
            joins = self.joins
            try:
                await self._take_part()
            except (DeviceError, OSError, WebSocketException, ProtocolError) as error:
                log.info("off the radio net", extra={"error": str(error)})
                if isinstance(error, TalkRefusedError):
                    retry.refused()
            self._do(self.key.lost())
            if self.joins > joins:
                retry = Retry()
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(retry.wait_s()):
                    await self._hurry.wait()

    async def _take_part(self) -> None:
        """One connection, from hello to its end."""
        invitation = self._invitation
        self._moved.clear()
        voice = Voice(find_ways(self._settings), self._certificate, self._ear)
        try:
            async with self._connection(invitation.url) as socket:
                hello = Hello(
                    token=invitation.token, sdp=await voice.offer(), main=invitation.main, scan=invitation.scan
                )
                await socket.send(_text(hello))
                await voice.connect(await self._welcome(socket))
                outbox: asyncio.Queue[Wire] = asyncio.Queue(MESSAGES_WAITING_MAX)
                self._join(voice, outbox, invitation)
                await _first_of(
                    self._listen(socket), _tell(socket, outbox), voice.ended.wait(), self._moved.wait(), self._doubt()
                )
        finally:
            self._voice = self._outbox = None
            self._taken.clear()
            await voice.close()

    @contextlib.asynccontextmanager
    async def _connection(self, url: str) -> AsyncIterator[ClientConnection]:
        context = ssl.create_default_context(cafile=self._settings.live_ca_file) if url.startswith("wss:") else None
        async with connect(
            url,
            ssl=context,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1.0,
            ping_interval=PING_S,
            ping_timeout=PONG_TIMEOUT_S,
            max_size=MESSAGE_BYTES_MAX,
            compression=None,
            proxy=None,
        ) as socket:
            yield socket

    @staticmethod
    async def _welcome(socket: ClientConnection) -> str:
        """The SDP of the server's answer."""
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            message = from_server(_bytes(await socket.recv()))
        if isinstance(message, Problem):
            raise TalkRefusedError(f"The talk server refuses ({message.slug}): {message.detail}")
        if not isinstance(message, Welcome):
            raise TalkError("The talk server does not begin with a welcome; check its address.")
        return message.sdp

    def _join(self, voice: Voice, outbox: "asyncio.Queue[Wire]", invitation: TalkInvitation) -> None:
        self._voice, self._outbox = voice, outbox
        self.joins += 1
        log.info("on the radio net", extra={"main": invitation.main, "joins": self.joins})
        # It may have changed while we joined.
        self._follow(invitation)
        self._do(self.key.joined(time.monotonic()))
        self._pressed.set()

    def _follow(self, before: TalkInvitation) -> None:
        """Stay by the token of the newest invitation, and be in its groups and in no others."""
        newest, tune = self._invitation, _tuning(self._invitation)
        if newest.token != before.token:
            self._send(Renew(token=newest.token))
        if tune == _tuning(before):
            return
        self._send(tune)
        gids = {tune.main, *tune.scan}
        # Of a group that we have left nobody tells us that it fell idle.
        self._taken.intersection_update(gids)
        self._do(self.key.tune(gids))

    async def _listen(self, socket: ClientConnection) -> None:
        async for data in socket:
            try:
                message = from_server(_bytes(data))
            except ProtocolError as error:
                # A newer server may say more than we know.
                log.warning("message refused", extra={"reason": error.reason})
                continue
            if isinstance(message, Problem):
                log.warning("talk server complains", extra={"slug": message.slug, "detail": message.detail})
                if message.final:
                    raise TalkError(f"The talk server ends it ({message.slug}): {message.detail}")
            self._note(message)
            self._do(self.key.take(message))
            if isinstance(message, Revoke):
                self._await_end(message.left_s)

    async def _doubt(self) -> None:
        """A request that nobody answers ends the connection: after a change of address TCP may stay dead for long."""
        while True:
            await self._pressed.wait()
            self._pressed.clear()
            await asyncio.sleep(ANSWER_S_MAX)
            if self.key.is_unanswered(time.monotonic()):
                raise TalkError("The talk server does not answer.")

    def _await_end(self, grace_s: float) -> None:
        if self._grace is not None:
            self._grace.cancel()
        self._grace = asyncio.get_running_loop().call_later(grace_s, lambda: self._do(self.key.grace_is_over()))

    def _note(self, message: ServerMessage) -> None:
        match message:
            case Taken():
                self._taken.add(message.gid)
            case Idle():
                self._taken.discard(message.gid)
            case _:
                return

    # -- the key ------------------------------------------------------------------------------------------------------

    def _do(self, effects: Iterable[Effect]) -> None:
        """What the key decided, then microphone and way as its state wants them."""
        for effect in effects:
            if isinstance(effect, str):
                tone = pieces(effect)
                self._sounder.play(*tone)
                if effect == "permit":
                    # Nobody wants to hear the tone that the microphone hears.
                    self._permit_ends_s = time.monotonic() + len(tone) * PIECE_S
            else:
                self._send(effect)
        is_open = self.key.state in ("asking", "queued", "talking", "ending")
        (self._opened.set if is_open else self._opened.clear)()
        if self._voice is not None:
            self._voice.rest(idle=not is_open and not self._taken)

    def _send(self, message: Wire) -> None:
        if self._outbox is None:
            return
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            # The line is dead; whoever joins anew says hello with the newest groups, and asks again.
            self._moved.set()

    async def _speak(self) -> None:
        """The microphone is open while the key is down, for ever."""
        while True:
            await self._opened.wait()
            try:
                async with Handover("radio.microphone", self._microphone.open, depth=SOUNDS_WAITING_MAX) as microphone:
                    await self._say(microphone)
            except DeviceError as error:
                log.warning("microphone failed", extra={"error": str(error)})
                self._do([*self.key.let_go(), "deny"])

    async def _say(self, microphone: Handover[AudioFrame]) -> None:
        """What it hears goes out while the floor is ours."""
        encoder, first = OpusEncoder(), True
        while self._opened.is_set():
            frame = await microphone.get()
            if not self.key.is_talking or self._voice is None or float(frame.time or 0.0) < self._permit_ends_s:
                first = True
                continue
            for sound in encoder.encode(frame):
                self._voice.say(sound, first=first)
                first = False


async def _tell(socket: ClientConnection, outbox: "asyncio.Queue[Wire]") -> None:
    while True:
        await socket.send(_text(await outbox.get()))


async def _first_of(*sides: Coroutine[Any, Any, Any]) -> None:
    """Until one of them ends; its error is ours."""
    tasks = [asyncio.create_task(side, name="radio.connection") for side in sides]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _tuning(invitation: TalkInvitation) -> Tune:
    """The groups that it names."""
    return Tune(main=invitation.main, scan=invitation.scan)


def _text(message: Wire) -> str:
    return message.encode().decode()


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data
