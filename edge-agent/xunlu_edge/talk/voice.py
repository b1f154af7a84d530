"""The session of media with the talk server: one Opus stream each way, and nothing at all while nobody talks."""

import asyncio
import secrets
import time

from xunlu_edge.errors import LiveError, TalkError
from xunlu_edge.media.adapter import AnyRtcpPacket, DtlsSrtp, RTCCertificate, RtpPacket
from xunlu_edge.media.opus import RATE_HZ, EncodedSound
from xunlu_edge.media.rtp import Outbound
from xunlu_edge.media.sdp import read_talk_answer, talk_offer
from xunlu_edge.media.session import secure
from xunlu_edge.media.way import Credentials, Ways
from xunlu_edge.talk.ear import Ear

CLOSE_TIMEOUT_S = 1.0


class Voice:
    """What is said and heard in one session.

    Attributes:
        sent: packets.
        heard: packets.
        ended: set when the other end has ended it.
    """

    def __init__(self, ways: Ways, certificate: RTCCertificate, ear: Ear) -> None:
        self.sent = self.heard = 0
        self.ended = asyncio.Event()
        self._ear = ear
        self._certificate = certificate
        self._local = Credentials()
        self._way = ways.way(self._local, lambda: None)
        self._ssrc = secrets.randbits(32)
        self._opus_type = -1
        self._uplink: Outbound | None = None
        self._dtls = DtlsSrtp(self._way, certificate, self._report, self._take)
        self._dtls.on("statechange", self._look)

    async def offer(self) -> str:
        """SDP to say hello with.

        Raises:
            TalkError: no address could be gathered.
        """
        try:
            candidates = await self._way.candidates()
        except ConnectionError as error:
            raise TalkError(str(error)) from error
        return talk_offer(
            self._local, self._certificate.getFingerprints()[0], self._ssrc, secrets.token_hex(8), candidates
        )

    async def connect(self, answer: str) -> None:
        """Find the way and agree on keys.

        Raises:
            TalkError: why not.
        """
        try:
            remote, self._opus_type = read_talk_answer(answer)
            await secure(self._dtls, self._way, remote)
        except LiveError as error:
            raise TalkError(f"No sound passes to the talk server: {error}") from error
        self._uplink = Outbound(payload_type=self._opus_type, clock_hz=RATE_HZ, mid=None, ssrc=self._ssrc)

    def rest(self, *, idle: bool) -> None:
        """Nobody talks, or somebody does again; see `Way.rest`."""
        self._way.rest(idle=idle)

    def say(self, sound: EncodedSound, *, first: bool) -> None:
        """Send a piece of sound; the first of a burst carries the marker (RFC 3551 §4.1)."""
        if self._uplink is None:
            return
        for packet in self._uplink.packets([sound.data], sound.captured_s, time.monotonic()):
            packet.marker = int(first)
            self._dtls.send_rtp(packet.serialize())
            self.sent += 1

    async def close(self) -> None:
        """Say goodbye, for a moment at most."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._dtls.stop()
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self._way.close()

    def _take(self, packet: RtpPacket) -> None:
        if packet.payload_type == self._opus_type and packet.payload:
            self.heard += 1
            self._ear.hear(packet.sequence_number, packet.payload)

    def _report(self, packet: AnyRtcpPacket) -> None:
        """Nothing that the server reports changes what is sent: the error correction is always on."""

    def _look(self) -> None:
        if self._dtls.is_closed:
            self.ended.set()
