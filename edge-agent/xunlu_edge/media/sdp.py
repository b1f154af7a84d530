"""What a recorder offers, and what an answer says to it (RFC 8866, RFC 9429, RFC 9725 §4.2).

A publisher offers one bundle, sent only: H.264 with retransmission, and Opus. A participant of the radio net offers one
Opus stream each way.
"""

import ipaddress
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from xunlu_edge.errors import LiveError
from xunlu_edge.media.adapter import MediaDescription, RTCDtlsFingerprint, RTCIceCandidate, SessionDescription
from xunlu_edge.media.way import Address, Credentials

SDP_BYTES_MAX = 65_536
ADDRESSES_MAX = 8

VIDEO_TYPE, VIDEO_RTX_TYPE, AUDIO_TYPE = 102, 103, 111
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
EXTENSIONS = {1: MID, 2: ABS_SEND_TIME}
# Constrained baseline, level 3.1; the level bounds what we would receive, which is nothing.
H264_PARAMETERS = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"

Direction = Literal["sendonly", "sendrecv"]
Understood = TypeVar("Understood")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Synchronisation sources of the streams (RFC 3550 §8), and the name that binds them.

    Attributes:
        cname: of the recorder in this session.
        video: of the pictures.
        rtx: of their repeats.
        audio: of the sound, None without a microphone.
    """

    cname: str
    video: int
    rtx: int
    audio: int | None

    @classmethod
    def drawn(cls, *, audio: bool) -> "Sources":
        """New ones, all different."""
        video, rtx, sound = (secrets.randbits(30) << 2 | number for number in range(3))
        return cls(cname=secrets.token_hex(8), video=video, rtx=rtx, audio=sound if audio else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """Where the other end is, and how it proves to be it.

    Attributes:
        credentials: its own, of ICE.
        addresses: where it listens, best first.
        fingerprints: of its certificate.
        is_client: whether we begin the DTLS handshake.
    """

    credentials: Credentials
    addresses: tuple[Address, ...]
    fingerprints: tuple[RTCDtlsFingerprint, ...]
    is_client: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the relay agreed to.

    Attributes:
        remote: the relay.
        video_type: payload type of H.264.
        rtx_type: of retransmissions, None when it wants none.
        audio_type: of Opus, None when it wants no sound.
        extensions: header extensions, by number.
    """

    remote: Remote
    video_type: int
    rtx_type: int | None
    audio_type: int | None
    extensions: tuple[tuple[int, str], ...]


def offer(local: Credentials, fingerprint: RTCDtlsFingerprint, sources: Sources, candidates: Sequence[str] = ()) -> str:
    """The offer.

    Args:
        local: credentials of ICE.
        fingerprint: of our certificate.
        sources: of the streams.
        candidates: our own addresses, for a relay that asks by itself; none leaves it to learn them (RFC 8838 §4.1.3).
    """
    transport = _transport(local, fingerprint, candidates)
    sections = [[*_video(sources), *transport]]
    if sources.audio is not None:
        sections.append([*_audio("1", sources.audio, sources.cname, "sendonly"), *transport])
    return _session(sections)


def talk_offer(
    local: Credentials, fingerprint: RTCDtlsFingerprint, source: int, cname: str, candidates: Sequence[str] = ()
) -> str:
    """The offer of a participant of the radio net: one Opus stream each way; see `offer`."""
    return _session([[*_audio("0", source, cname, "sendrecv"), *_transport(local, fingerprint, candidates)]])


def _session(sections: Sequence[Sequence[str]]) -> str:
    """A description of sections that share one transport."""
    lines = [
        "v=0",
        f"o=- {secrets.randbits(62)} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(str(mid) for mid in range(len(sections)))}",
        "a=msid-semantic:WMS *",
        *(line for section in sections for line in section),
    ]
    return "\r\n".join(lines) + "\r\n"


def _video(sources: Sources) -> list[str]:
    feedback = ("nack", "nack pli", "ccm fir", "goog-remb")
    return [
        f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO_TYPE} {VIDEO_RTX_TYPE}",
        *_section("0", "video", "sendonly"),
        f"a=rtpmap:{VIDEO_TYPE} H264/90000",
        f"a=fmtp:{VIDEO_TYPE} {H264_PARAMETERS}",
        *(f"a=rtcp-fb:{VIDEO_TYPE} {kind}" for kind in feedback),
        f"a=rtpmap:{VIDEO_RTX_TYPE} rtx/90000",
        f"a=fmtp:{VIDEO_RTX_TYPE} apt={VIDEO_TYPE}",
        f"a=ssrc-group:FID {sources.video} {sources.rtx}",
        f"a=ssrc:{sources.video} cname:{sources.cname}",
        f"a=ssrc:{sources.rtx} cname:{sources.cname}",
    ]


def _audio(mid: str, source: int, cname: str, direction: Direction) -> list[str]:
    return [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO_TYPE}",
        *_section(mid, "audio", direction),
        f"a=rtpmap:{AUDIO_TYPE} opus/48000/2",
        f"a=fmtp:{AUDIO_TYPE} minptime=10;useinbandfec=1",
        f"a=ssrc:{source} cname:{cname}",
    ]


def _section(mid: str, track: str, direction: Direction) -> list[str]:
    return [
        "c=IN IP4 0.0.0.0",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        f"a=mid:{mid}",
        f"a={direction}",
        f"a=msid:live {track}",
        *(f"a=extmap:{number} {uri}" for number, uri in EXTENSIONS.items()),
    ]


def _transport(local: Credentials, fingerprint: RTCDtlsFingerprint, candidates: Sequence[str]) -> list[str]:
    return [
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
        "a=setup:actpass",
        *(f"a=candidate:{candidate}" for candidate in candidates),
        "a=end-of-candidates" if candidates else "a=ice-options:trickle",
    ]


def read_answer(text: str) -> Answer:
    """Understand an answer.

    Raises:
        LiveError: it is none, or it takes no H.264.
    """
    return _read(text, _understood)


def read_talk_answer(text: str) -> tuple[Remote, int]:
    """Understand an answer of the talk server: where it is, and its payload type of Opus.

    Raises:
        LiveError: it is none, or it takes no Opus.
    """
    return _read(text, _talk_understood)


def _read(text: str, understand: Callable[[SessionDescription], Understood]) -> Understood:
    try:
        return understand(SessionDescription.parse(text))
    except (ValueError, AssertionError, LookupError, TypeError, AttributeError, StopIteration) as error:
        # aiortc's parser checks by assertion and by accident.
        raise LiveError(f"The relay's answer cannot be understood: {str(error) or type(error).__name__}.") from error


def _understood(description: SessionDescription) -> Answer:
    video = next((media for media in description.media if media.kind == "video" and media.port), None)
    audio = next((media for media in description.media if media.kind == "audio" and media.port), None)
    codec = next((codec for codec in video.rtp.codecs if codec.name == "H264"), None) if video is not None else None
    if video is None or codec is None or codec.payloadType is None:
        raise LiveError("The relay takes no H.264.")
    opus_type = _opus_type(audio)
    repeats = (other for other in video.rtp.codecs if other.name == "rtx")
    rtx = next((other for other in repeats if other.parameters.get("apt") == codec.payloadType), None)
    found = {media.rtp.muxId: media for media in description.media}
    extensions = {(each.id, each.uri) for media in found.values() for each in media.rtp.headerExtensions}
    return Answer(
        remote=_remote(description),
        video_type=codec.payloadType,
        rtx_type=rtx.payloadType if rtx is not None else None,
        audio_type=opus_type,
        extensions=tuple(sorted(extensions)),
    )


def _talk_understood(description: SessionDescription) -> tuple[Remote, int]:
    opus_type = _opus_type(next((media for media in description.media if media.kind == "audio" and media.port), None))
    if opus_type is None:
        raise LiveError("The talk server takes no Opus.")
    return _remote(description), opus_type


def _opus_type(audio: MediaDescription | None) -> int | None:
    opus = next((codec for codec in audio.rtp.codecs if codec.name == "opus"), None) if audio is not None else None
    return opus.payloadType if opus is not None else None


def _remote(description: SessionDescription) -> Remote:
    """Of a bundle, the first section speaks for all (RFC 9143 §7.1)."""
    first = description.media[0]
    if first.ice is None or not first.ice.usernameFragment or not first.ice.password or first.dtls is None:
        raise LiveError("The relay's answer lacks its credentials.")
    return Remote(
        credentials=Credentials(ufrag=first.ice.usernameFragment, password=first.ice.password),
        addresses=_addresses(first.ice_candidates),
        fingerprints=tuple(first.dtls.fingerprints),
        is_client=first.dtls.role != "client",
    )


def _addresses(candidates: Sequence[RTCIceCandidate]) -> tuple[Address, ...]:
    """UDP addresses of the relay; names and other transports are dropped without a word (RFC 8839 §5.1)."""
    usable = sorted((each for each in candidates if each.protocol.lower() == "udp"), key=lambda each: -each.priority)
    out: dict[Address, None] = {}
    for each in usable:
        try:
            host = ipaddress.ip_address(each.ip)
        except ValueError:
            continue
        if not host.is_unspecified and not host.is_multicast and 0 < each.port < 65_536:
            out[str(host), each.port] = None
    if not out:
        raise LiveError("The relay's answer names no address to send to; see the relay's setting of public addresses.")
    return tuple(out)[:ADDRESSES_MAX]
