"""A client below the peer connection: the recorder's ICE and DTLS, with an SDP of its own and media by hand."""

import asyncio
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import httpx2
from aiortc import RTCCertificate
from aiortc.sdp import MediaDescription, SessionDescription
from pylibsrtp._binding import ffi, lib

from tests.media import Relay
from xunlu_edge.media.adapter import AnyRtcpPacket, DtlsSrtp, RtcpRtpfbPacket
from xunlu_edge.media.ice import IceClient
from xunlu_edge.media.way import Address, Credentials

CONNECT_TIMEOUT_S = 15.0
# To read all certificates of the system takes longer than a session.
TLS = ssl.create_default_context()
NACK_S = 0.03
NACK_NUMBERS_MAX = 250
LINES = {
    "H264": ("H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    "VP8": ("VP8/90000", ""),
    "opus": ("opus/48000/2", "minptime=10;useinbandfec=1"),
}


@dataclass(frozen=True, slots=True)
class Format:
    """A payload type, and that of its repairs."""

    name: str
    pt: int
    repair: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a client offers.

    Attributes:
        video: formats in order of preference; empty leaves the track out.
        audio: likewise.
        extensions: header extension URIs of the video by id.
        rids: layers of a simulcast.
    """

    video: Sequence[Format] = ()
    audio: Sequence[Format] = ()
    extensions: Mapping[int, str] = field(default_factory=dict)
    rids: Sequence[str] = ()


H264_CAMERA = Wish(video=[Format("H264", 96, 97)], audio=[Format("opus", 111)])
VP8_CAMERA = Wish(video=[Format("VP8", 96, 97)], audio=[Format("opus", 111)])
# Other numbers than the camera's, so that every packet is renumbered on its way.
WINDOW = Wish(video=[Format("VP8", 100, 101), Format("H264", 102, 103)], audio=[Format("opus", 109)])


def offer(wish: Wish, direction: str, credentials: Credentials, fingerprint: str) -> str:
    """A session description (RFC 8866) of a client that is the active side of DTLS."""
    kinds = [(kind, formats) for kind, formats in (("video", wish.video), ("audio", wish.audio)) if formats]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {' '.join(str(number) for number in range(len(kinds)))}"]
    for mid, (kind, formats) in enumerate(kinds):
        numbers = [str(pt) for one in formats for pt in (one.pt, one.repair) if pt is not None]
        lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(numbers)}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
        lines += [f"a=ice-ufrag:{credentials.ufrag}", f"a=ice-pwd:{credentials.password}"]
        lines += [f"a=fingerprint:sha-256 {fingerprint}", "a=setup:active", f"a={direction}", "a=rtcp-mux"]
        lines += [line for one in formats for line in _format_lines(one)]
        if kind == "video":
            lines += [f"a=extmap:{number} {uri}" for number, uri in wish.extensions.items()]
            lines += [f"a=rid:{rid} send" for rid in wish.rids]
            lines += [f"a=simulcast:send {';'.join(wish.rids)}"] if wish.rids else []
    return "\r\n".join([*lines, ""])


def _format_lines(one: Format) -> list[str]:
    mapping, parameters = LINES[one.name]
    lines = [f"a=rtpmap:{one.pt} {mapping}"]
    lines += [f"a=fmtp:{one.pt} {parameters}"] if parameters else []
    lines += [f"a=rtcp-fb:{one.pt} {what}" for what in ("nack", "nack pli", "goog-remb")]
    if one.repair is not None:
        lines += [f"a=rtpmap:{one.repair} rtx/90000", f"a=fmtp:{one.repair} apt={one.pt}"]
    return lines


class _Dtls(DtlsSrtp):
    """Hands out RTP as it is."""

    heard: Callable[[bytes], None]

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        del arrival_time_ms
        self.heard(data)


class MediaClient:
    """One WHIP or WHEP session.

    Attributes:
        answer: of the relay, parsed.
        reports: RTCP that came, unless somebody else takes it by `on_report`.
        tracks: what came, by kind.
        way: the datagrams below.
    """

    def __init__(
        self,
        relay: Relay,
        path: str,
        action: Literal["publish", "play"],
        wish: Wish,
        *,
        address: Address | None = None,
        repairs: bool = True,
    ) -> None:
        """Describe it.

        Args:
            relay: the worker that is asked first.
            path: of the session.
            action: what it does.
            wish: what it offers.
            address: where to send to instead of the candidates of the answer.
            repairs: whether it asks for what it misses.
        """
        self.reports: list[AnyRtcpPacket] = []
        self.on_report: Callable[[AnyRtcpPacket], None] = self.reports.append
        self.tracks: dict[str, Reception] = {}
        self.answer: SessionDescription
        self.url = ""
        self._credentials = Credentials()
        self.way = IceClient(self._credentials, lambda: None)
        self._relay, self._path, self._action, self._wish = relay, path, action, wish
        self._address = address
        self._repairs = repairs
        self._headers = relay.headers(path, action)
        self._certificate = RTCCertificate.generateCertificate()
        self._dtls = _Dtls(self.way, self._certificate, self._take_report)
        self._dtls.heard = self._take
        self._asking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.reach()
        await self.shake_hands()
        return self

    async def shake_hands(self) -> None:
        """Finish what `reach` began."""
        dtls = self.answer.media[0].dtls
        assert dtls is not None
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            assert await self._dtls.shake_hands(dtls.fingerprints, is_client=True)
        if self._action == "play":
            self.tracks = {media.kind: Reception.of(media) for media in self.answer.media}
            self._asking = asyncio.create_task(self._ask(), name="client.nack") if self._repairs else None

    async def reach(self) -> None:
        """Begin a session and find the way, but shake no hands."""
        fingerprint = next(one.value for one in self._certificate.getFingerprints() if one.algorithm == "sha-256")
        direction = "sendonly" if self._action == "publish" else "recvonly"
        await self.signal(offer(self._wish, direction, self._credentials, fingerprint))
        addresses = [(one.ip, one.port) for one in self.answer.media[0].ice_candidates]
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await self.way.connect(self.remote, [self._address] if self._address else addresses)

    @property
    def remote(self) -> Credentials:
        """ICE name and password of the relay's side."""
        ice = self.answer.media[0].ice
        assert ice is not None
        return Credentials(ufrag=str(ice.usernameFragment), password=str(ice.password))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._dtls.stop()
        self.vanish()

    async def signal(self, text: str) -> None:
        """Exchange offer and answer, as often as another worker is named (RFC 9725 §4.5)."""
        url = f"{self._relay.url}/{'whip' if self._action == 'publish' else 'whep'}/{self._path}"
        async with httpx2.AsyncClient(verify=TLS) as http:
            answer = await http.post(url, content=text, headers=self._headers)
            while answer.status_code == 307:
                url = answer.headers["location"]
                answer = await http.post(url, content=text, headers=self._headers)
        assert answer.status_code == 201, answer.text
        self.url = str(httpx2.URL(url).join(answer.headers["location"]))
        self.answer = SessionDescription.parse(answer.text)

    async def delete(self) -> int:
        """End the session by HTTP."""
        async with httpx2.AsyncClient(verify=TLS) as http:
            return (await http.delete(self.url, headers=self._headers)).status_code

    def vanish(self) -> None:
        """Leave without a word."""
        if self._asking is not None:
            self._asking.cancel()
        self.way.close()

    @property
    def is_over(self) -> bool:
        """Whether the relay has said goodbye."""
        return self._dtls.is_closed

    # -- out ----------------------------------------------------------------------------------------------------------

    def protected(self, packet: bytes) -> bytes:
        """RTP as it goes out, however long (pylibsrtp's own call ends at 1,356 bytes)."""
        buffer = ffi.new("char[]", len(packet) + 64)
        ffi.memmove(buffer, packet, len(packet))
        length = ffi.new("int *", len(packet))
        assert lib.srtp_protect(self._dtls._tx_srtp._srtp[0], buffer, length) == 0
        return bytes(ffi.buffer(buffer, length[0]))

    def send(self, packet: bytes) -> None:
        """Send RTP."""
        self.way.send(self.protected(packet))

    def protected_report(self, packet: bytes) -> bytes:
        """RTCP as it goes out."""
        return self._dtls._tx_srtp.protect_rtcp(packet)

    def report(self, packet: bytes) -> None:
        """Send RTCP."""
        self.way.send(self.protected_report(packet))

    # -- in -----------------------------------------------------------------------------------------------------------

    def _take_report(self, packet: AnyRtcpPacket) -> None:
        self.on_report(packet)

    def _take(self, packet: bytes) -> None:
        for track in self.tracks.values():
            track.take(packet)

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(NACK_S)
            for track in self.tracks.values():
                if lost := [number & 0xFFFF for number in track.missing()]:
                    self.report(bytes(RtcpRtpfbPacket(fmt=1, ssrc=7, media_ssrc=track.ssrc, lost=lost)))


HEADER = struct.Struct("!BBHII")


class Reception:
    """What came of one track, each packet once, by extended sequence number.

    Attributes:
        ssrc: as the answer names it.
        packets: plain RTP; repairs are put back into what they repair (RFC 4588).
        first: number of the first one that came.
        repaired: how many came as repairs.
        alien: packets of this track's SSRCs with a payload type that was not agreed on.
    """

    def __init__(self, ssrc: int, repair_ssrc: int | None, repairs: Mapping[int, int], types: set[int]) -> None:
        self.ssrc = ssrc
        self.packets: dict[int, bytes] = {}
        self.first = -1
        self.highest = -1
        self.repaired = self.alien = 0
        self._repair_ssrc = repair_ssrc
        self._repairs = repairs
        self._types = types

    @classmethod
    def of(cls, media: MediaDescription) -> Self:
        """As an answer announces it."""
        ssrc = media.ssrc[0].ssrc
        repair_ssrc = next((one.items[1] for one in media.ssrc_group if one.semantic == "FID"), None)
        types = {int(one.payloadType or 0): one.parameters.get("apt") for one in media.rtp.codecs}
        repairs = {kind: int(original) for kind, original in types.items() if original is not None}
        return cls(ssrc, None if repair_ssrc is None else int(repair_ssrc), repairs, types.keys() - repairs.keys())

    def take(self, packet: bytes) -> None:
        """Take a packet, if it is of this track."""
        first, second, seq, stamp, ssrc = HEADER.unpack_from(packet)
        kind = second & 0x7F
        if ssrc == self._repair_ssrc and kind in self._repairs:
            at = body_at(packet)
            [seq] = struct.unpack_from("!H", packet, at)
            header = HEADER.pack(first, second & 0x80 | self._repairs[kind], seq, stamp, self.ssrc)
            packet = header + packet[12:at] + packet[at + 2 :]
            self.repaired += 1
        elif ssrc != self.ssrc:
            return
        elif kind not in self._types:
            self.alien += 1
            return
        self._keep(seq, packet)

    def _keep(self, seq: int, packet: bytes) -> None:
        if self.first < 0:
            self.first = self.highest = 0x10000 + seq
        number = self.highest + ((seq - self.highest + 0x8000) & 0xFFFF) - 0x8000
        if number >= self.first:
            self.highest = max(self.highest, number)
            self.packets.setdefault(number, packet)

    def missing(self) -> list[int]:
        """Numbers that have not come."""
        newest = range(max(self.first, self.highest - 1000), self.highest)
        return [number for number in newest if number not in self.packets][:NACK_NUMBERS_MAX] if self.first >= 0 else []

    def stamps(self) -> list[int]:
        """RTP times in the order of numbers."""
        return [HEADER.unpack_from(self.packets[number])[3] for number in sorted(self.packets)]

    def pictures(self) -> list[tuple[bytes, ...]]:
        """The payloads of every picture that is complete, in order; what comes before the first marker is none."""
        complete, parts, before = [], list[bytes](), -1
        for number in sorted(self.packets):
            packet = self.packets[number]
            if number != before + 1:
                # The very first packet begins a picture; behind a gap the next marker does.
                parts = [] if number == self.first else [b""]
            parts.append(payload(packet))
            if packet[1] & 0x80:
                if parts[0]:
                    complete.append(tuple(parts))
                parts = []
            before = number
        return complete


def body_at(packet: bytes) -> int:
    """Where the header and its extension end (RFC 3550 §5.3.1); these packets have no CSRCs."""
    return 16 + 4 * int.from_bytes(packet[14:16]) if packet[0] & 0x10 else 12


def payload(packet: bytes) -> bytes:
    """What lies behind the header and its extension."""
    return packet[body_at(packet) :]


async def figures(relay: Relay) -> dict[str, Any]:
    """The worker's metrics, without their common beginning."""
    async with httpx2.AsyncClient(verify=TLS) as http:
        text = (await http.get(f"{relay.url}/metrics")).text
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    return {name.removeprefix("xunlu_streaming_"): float(value) for name, value in pairs}
