"""Session descriptions (RFC 8866) of a client with one H.264 track."""

from dataclasses import dataclass
from typing import Literal

from aiortc import RTCDtlsParameters
from aiortc.sdp import SessionDescription

from tests.benchmarks.media.link import Credentials

Direction = Literal["sendonly", "recvonly"]
FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


@dataclass(frozen=True, kw_only=True, slots=True)
class Local:
    """What a client says of itself.

    Attributes:
        credentials: of ICE.
        fingerprint: SHA-256 of its certificate.
        address: its host candidate.
        direction: whether it publishes or plays.
        ssrc: of the track that it sends; its repairs have the next one.
    """

    credentials: Credentials
    fingerprint: str
    address: tuple[str, int]
    direction: Direction
    ssrc: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """What a client must know of the server.

    Attributes:
        credentials: of ICE.
        address: the first candidate on UDP and IPv4.
        dtls: fingerprints.
        mid: of the video.
        payload_type: of H.264.
        repair_type: of its retransmissions (RFC 4588); None without.
    """

    credentials: Credentials
    address: tuple[str, int]
    dtls: RTCDtlsParameters
    mid: str
    payload_type: int
    repair_type: int | None = None


def written(local: Local, *, mid: str = "0", payload_type: int = 96, repair_type: int | None = 97) -> str:
    """An offer, or the answer to one: the client is always the active side of DTLS, so the server picks the cipher."""
    types = " ".join(str(one) for one in (payload_type, repair_type) if one is not None)
    host, port = local.address
    lines = [
        "v=0",
        f"o=- {local.ssrc} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {mid}",
        "a=msid-semantic: WMS *",
        f"m=video 9 UDP/TLS/RTP/SAVPF {types}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={local.direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=rtpmap:{payload_type} H264/90000",
        f"a=fmtp:{payload_type} {FMTP}",
        f"a=rtcp-fb:{payload_type} nack",
        f"a=rtcp-fb:{payload_type} nack pli",
        f"a=ice-ufrag:{local.credentials.ufrag}",
        f"a=ice-pwd:{local.credentials.password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        "a=setup:active",
        f"a=candidate:1 1 udp 2130706431 {host} {port} typ host",
        "a=end-of-candidates",
    ]
    if repair_type is not None:
        lines += [f"a=rtpmap:{repair_type} rtx/90000", f"a=fmtp:{repair_type} apt={payload_type}"]
    if local.direction == "sendonly":
        ssrcs = (local.ssrc, local.ssrc + 1)
        lines += ["a=msid:load video", "a=ssrc-group:FID {} {}".format(*ssrcs)]
        lines += [f"a=ssrc:{ssrc} cname:load" for ssrc in ssrcs]
    return "\r\n".join([*lines, ""])


def read(text: str) -> Remote:
    """An answer, or an offer of Janus."""
    session = SessionDescription.parse(text)
    media = session.media[0]
    candidate = next(one for one in media.ice_candidates if one.protocol == "udp" and "." in one.ip)
    codec = next(one for one in media.rtp.codecs if one.mimeType == "video/H264")
    repairs = (one for one in media.rtp.codecs if one.parameters.get("apt") == codec.payloadType)
    ice = media.ice
    assert ice is not None
    assert ice.usernameFragment is not None
    assert ice.password is not None
    assert media.dtls is not None
    assert codec.payloadType is not None
    return Remote(
        credentials=Credentials(ufrag=ice.usernameFragment, password=ice.password),
        address=(candidate.ip, candidate.port),
        dtls=media.dtls,
        mid=media.rtp.muxId,
        payload_type=codec.payloadType,
        repair_type=next((one.payloadType for one in repairs), None),
    )
