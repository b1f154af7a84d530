"""One session with a relay: offered by WHIP, secured by DTLS-SRTP, fed with pictures and sound, steered by its RTCP."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xunlu_edge.errors import LiveError
from xunlu_edge.media import rtp, sdp
from xunlu_edge.media.adapter import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    DtlsSrtp,
    RTCCertificate,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    extensions_map,
    h264_payloads,
    unpack_remb_fci,
)
from xunlu_edge.media.h264 import EncodedPicture
from xunlu_edge.media.opus import BITRATE_BPS, EncodedSound
from xunlu_edge.media.opus import RATE_HZ as AUDIO_HZ
from xunlu_edge.media.pacer import Order, Pacer
from xunlu_edge.media.rtp import Outbound
from xunlu_edge.media.sdp import Answer, Remote, Sources
from xunlu_edge.media.steering import Steering
from xunlu_edge.media.way import Credentials, IceServer, Way, Ways
from xunlu_edge.media.whip import Resource, WhipClient

VIDEO_HZ = 90_000
REPORT_S = 1.0
RESUMING_S = 1.0
CONNECT_TIMEOUT_S = 8.0
CLOSE_TIMEOUT_S = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """What outlives a session.

    Attributes:
        whip: speaks to relays.
        ways: makes the way below DTLS, by setting.
        certificate: of DTLS.
        steering: bitrate and keyframes, as the relays ask for them.
        utc_ms: the recorder's best knowledge of UTC.
    """

    whip: WhipClient
    ways: Ways
    certificate: RTCCertificate
    steering: Steering
    utc_ms: Callable[[], int]


class Session:
    """A connected session; `open_session` makes it.

    Attributes:
        ended: set when the relay has ended it.
    """

    def __init__(self, shared: Shared, resource: Resource, sources: Sources, answer: Answer, way: Way) -> None:
        self.ended = asyncio.Event()
        self.resource = resource
        self.way = way
        self._shared = shared
        self._cname = sources.cname
        self._extensions = extensions_map(answer.extensions)
        self._resumed_s = float("-inf")
        self._sent_bytes = 0
        self._pacer = Pacer(self._send)
        rtx = (answer.rtx_type, sources.rtx) if answer.rtx_type is not None else None
        self._video = Outbound(payload_type=answer.video_type, clock_hz=VIDEO_HZ, mid="0", ssrc=sources.video, rtx=rtx)
        self._audio: Outbound | None = None
        if answer.audio_type is not None and sources.audio is not None:
            self._audio = Outbound(payload_type=answer.audio_type, clock_hz=AUDIO_HZ, mid="1", ssrc=sources.audio)
        self._dtls: DtlsSrtp
        self._reporting: asyncio.Task[None]

    def begin(self, dtls: DtlsSrtp) -> None:
        """Send from now on."""
        self._dtls = dtls
        dtls.on("statechange", self._look)
        self._reporting = asyncio.create_task(self._report(), name="live.reports")
        self._shared.steering.want_keyframe()
        self._look()

    async def close(self) -> None:
        """Say goodbye in every way there is, for at most a few seconds."""
        self._reporting.cancel()
        self._pacer.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                self._dtls.send_rtcp(rtp.bye([stream.ssrc for stream in self._streams]))
                await self._dtls.stop()
                await self._shared.whip.delete(self.resource)
        self.way.close()

    def resume(self) -> None:
        """After an interruption: repeats of what was missed must not hold up the keyframe that makes up for it."""
        self._resumed_s = time.monotonic()
        self._pacer.put_off()
        self._shared.steering.want_keyframe()

    @property
    def backlog_s(self) -> float:
        """How long what waits to be sent will take; more pictures than this would only be late."""
        return self._pacer.backlog_s

    @property
    def wants_sound(self) -> bool:
        """Whether the relay takes sound."""
        return self._audio is not None

    def send_picture(self, picture: EncodedPicture) -> None:
        """Queue a picture."""
        self._pacer.follow(self._shared.steering.bitrate.target_bps)
        now_s = time.monotonic()
        self._pacer.put(self._video.packets(h264_payloads(picture.data), picture.captured_s, now_s))

    def send_sound(self, sound: EncodedSound) -> None:
        """Send a piece of sound at once: it is small, and nobody forgives a late syllable."""
        if self._audio is not None:
            for packet in self._audio.packets([sound.data], sound.captured_s, time.monotonic()):
                # The marker of sound begins a burst of speech (RFC 3551 §4.1); ours never pauses.
                packet.marker = 0
                self._send(packet)

    # -- out ----------------------------------------------------------------------------------------------------------

    @property
    def _streams(self) -> list[Outbound]:
        return [self._video] if self._audio is None else [self._video, self._audio]

    def _send(self, packet: RtpPacket) -> None:
        data = rtp.serialize(packet, self._extensions, time.time() * 1000)
        self._dtls.send_rtp(data)
        self._sent_bytes += len(data)
        for stream in self._streams:
            stream.sent(packet)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            now_s, utc_ms = time.monotonic(), self._shared.utc_ms()
            self._shared.steering.bitrate.sent(self._sent_bytes * 8 / REPORT_S)
            self._sent_bytes = 0
            for stream in self._streams:
                self._dtls.send_rtcp(stream.report(self._cname, now_s, utc_ms))

    # -- in -----------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if self._dtls.is_closed:
            self.ended.set()

    def hear(self, packet: AnyRtcpPacket) -> None:
        """Take in what the relay reports or asks for."""
        steering = self._shared.steering
        match packet:
            case RtcpRrPacket():
                for report in packet.reports:
                    if report.ssrc == self._video.ssrc:
                        steering.bitrate.reported(report.fraction_lost / 256, time.monotonic())
            case RtcpRtpfbPacket() if packet.fmt == RTCP_RTPFB_NACK:
                self._repeat(packet.lost)
            case RtcpPsfbPacket() if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                steering.want_keyframe()
            case RtcpPsfbPacket() if packet.fmt == RTCP_PSFB_APP:
                with contextlib.suppress(ValueError):
                    estimate_bps, _ = unpack_remb_fci(packet.fci)
                    audio_bps = BITRATE_BPS if self._audio is not None else 0
                    steering.bitrate.estimated(estimate_bps - audio_bps, time.monotonic())
            case RtcpByePacket():
                self.ended.set()
            case _:
                pass

    def _repeat(self, sequences: list[int]) -> None:
        now_s = time.monotonic()
        repeats = [self._video.retransmission(sequence, now_s) for sequence in sequences]
        order: Order = "last" if now_s - self._resumed_s < RESUMING_S else "first"
        self._pacer.put([packet for packet in repeats if packet is not None], order)


async def open_session(
    shared: Shared, url: str, token: str, *, audio: bool, is_wanted: Callable[[], bool] = lambda: True
) -> Session | None:
    """Publish: offer, find the way, agree on keys.

    Args:
        shared: what outlives the session.
        url: of the relay's WHIP endpoint.
        token: bearer token.
        audio: whether there will be sound.
        is_wanted: see `WhipClient.publish`.

    Returns:
        A session that may be sent to; None when it was not wanted any more.

    Raises:
        LiveError: why not.
    """
    local, sources = Credentials(), Sources.drawn(audio=audio)
    resource: Resource | None = None
    session: Session | None = None

    def on_return() -> None:
        if session is not None:
            session.resume()

    way = shared.ways.way(local, on_return)
    try:
        fingerprint = shared.certificate.getFingerprints()[0]
        text = sdp.offer(local, fingerprint, sources, await way.candidates())
        resource = await shared.whip.publish(url, token, text, is_wanted=is_wanted)
        if resource is not None:
            session = await _connect(shared, resource, sources, way)
    finally:
        if session is None:
            way.close()
            if resource is not None:
                await shared.whip.delete(resource)
    return session


async def _connect(shared: Shared, resource: Resource, sources: Sources, way: Way) -> Session:
    answer = sdp.read_answer(resource.answer)
    session = Session(shared, resource, sources, answer, way)
    dtls = DtlsSrtp(way, shared.certificate, session.hear)
    await secure(dtls, way, answer.remote, resource.ice_servers)
    session.begin(dtls)
    return session


async def secure(dtls: DtlsSrtp, way: Way, remote: Remote, servers: Sequence[IceServer] = ()) -> None:
    """Find the way to the other end and agree on keys, within seconds.

    Raises:
        LiveError: why not.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await way.connect(remote.credentials, remote.addresses, servers)
            agreed = await dtls.shake_hands(list(remote.fingerprints), is_client=remote.is_client)
    except (TimeoutError, ConnectionError) as error:
        raise LiveError("The relay took the offer, but no datagram of it arrives; is its UDP port open?") from error
    if not agreed:
        raise LiveError("The relay and the recorder could not agree on keys (DTLS).")
