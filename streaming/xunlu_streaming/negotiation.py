"""What the relay agrees to: pure functions from an offer to both sides' common ground.

The relay decodes nothing, so it agrees to what it can forward whole: H.264 with packetization mode 1 in any profile,
VP8 and Opus, with their retransmissions. A request succeeds for all of its media or not at all (RFC 9725 §4.4.3).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NoReturn, Protocol

from xunlu_streaming.errors import SdpError
from xunlu_streaming.sdp import Codec, Direction, Media, Offer

Kind = Literal["video", "audio"]

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
DEPENDENCY_DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

HOP_EXTENSIONS = (MID, RID, REPAIRED_RID, ABS_SEND_TIME, TRANSPORT_CC)
"""What only the way from the publisher to us is about; viewers never get it."""
PASSED_EXTENSIONS = (AUDIO_LEVEL, VIDEO_ORIENTATION, PLAYOUT_DELAY, ABS_CAPTURE_TIME, DEPENDENCY_DESCRIPTOR)
"""What means the same to a viewer."""

_NAMES = {"h264": "H264", "vp8": "VP8", "opus": "opus"}
_KINDS: Mapping[str, Kind] = {"H264": "video", "VP8": "video", "opus": "audio"}
_PUBLISHER_FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"})
# A viewer's congestion is not estimated: what it gets bears the publisher's send times and transport numbers.
_VIEWER_FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "goog-remb"})
# Parameters that describe the stream of who writes them (RFC 6184 §8.1, RFC 7587 §6.1) are no matter of the answer.
_SENDERS_PARAMETERS = "sprop-"


class Source(Protocol):
    """A track of a path as viewers are told of it."""

    @property
    def ssrc(self) -> int:
        """Of its packets."""

    @property
    def repair_ssrc(self) -> int:
        """Of its retransmissions."""

    @property
    def codec(self) -> str:
        """Of its publication now; empty when there is none."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """Common ground.

    Attributes:
        media: our side of every description of the offer, in its order.
    """

    media: tuple[Media, ...]

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """What there is."""
        return frozenset(kind for kind, _ in self._formats())

    @cached_property
    def extensions(self) -> Mapping[str, int]:
        """Header extension ids by URI; in a bundle an id means one thing (RFC 9143 §9.1)."""
        return {uri: number for one in self.media for uri, number in one.extensions.items()}

    def _formats(self) -> Iterator[tuple[Kind, Codec]]:
        """All codecs, retransmission formats left out."""
        for one in self.media:
            for codec in one.codecs:
                if codec.apt is None:
                    yield _KINDS[codec.name], codec


@dataclass(frozen=True, kw_only=True)
class AcceptedPublisher(Accepted):
    """What a publisher will send: one codec of each kind, so that none can change on the way."""

    @cached_property
    def payload_types(self) -> Mapping[int, str]:
        """Codec of each payload type."""
        return {codec.pt: codec.name for _, codec in self._formats()}

    @cached_property
    def kinds_of(self) -> Mapping[int, Kind]:
        """Kind of each payload type."""
        return {codec.pt: kind for kind, codec in self._formats()}

    @cached_property
    def clocks(self) -> Mapping[int, int]:
        """RTP clock of each payload type, Hz."""
        return {codec.pt: codec.clock_hz for _, codec in self._formats()}

    @cached_property
    def parameters(self) -> Mapping[int, str]:
        """Format parameters of each payload type, as in SDP."""
        return {codec.pt: codec.parameters for _, codec in self._formats()}

    @cached_property
    def repairs(self) -> Mapping[int, int]:
        """Payload type of each retransmission format → payload type that it repairs."""
        return {codec.pt: codec.apt for one in self.media for codec in one.codecs if codec.apt is not None}

    @cached_property
    def repair_of(self) -> Mapping[int, int]:
        """SSRC of each retransmission stream → SSRC that it repairs, as far as the offer says."""
        return {repair: ssrc for one in self.media for repair, ssrc in one.repairs.items()}

    @cached_property
    def video_ssrcs(self) -> tuple[int, ...]:
        """SSRCs of the video, as far as the offer says."""
        return next((one.ssrcs for one in self.media if one.kind == "video"), ())

    @cached_property
    def rids(self) -> tuple[str, ...]:
        """The simulcast layers; empty without simulcast."""
        return next((one.simulcast for one in self.media if one.kind == "video"), ())


@dataclass(frozen=True, kw_only=True)
class AcceptedViewer(Accepted):
    """What a viewer can be sent: of each codec one payload type, so that whatever is published may flow."""

    @cached_property
    def payload_types(self) -> Mapping[str, int]:
        """Payload type of each codec."""
        return {codec.name: codec.pt for _, codec in self._formats()}

    @cached_property
    def repair_types(self) -> Mapping[str, int]:
        """Payload type of each codec's retransmissions, where the viewer offers one."""
        pairs = ((codec.name, one.repair_of(codec.pt)) for one in self.media for codec in one.codecs)
        return {name: repair.pt for name, repair in pairs if repair is not None}


def accept_publisher(offer: Offer) -> AcceptedPublisher:
    """Agree to receive (RFC 9725 §4.2, §4.4): the first codec of each kind that can be relayed.

    Raises:
        SdpError: no such codec, or an offer that is none of WHIP.
    """
    _check(offer, sends=True)
    return AcceptedPublisher(
        media=tuple(
            replace(
                _agree(one, _first_of_each(_usable(one))[:1], _PUBLISHER_FEEDBACK, offer),
                direction="recvonly",
                ssrcs=one.ssrcs,
                repairs=one.repairs,
                simulcast=one.simulcast if len(one.simulcast) > 1 and RID in one.extensions else (),
            )
            for one in offer.media
        )
    )


def accept_viewer(offer: Offer, tracks: Mapping[Kind, Source]) -> AcceptedViewer:
    """Agree to send: every codec that may be published, the one that is published now first.

    A viewer may be there before the publisher, and outlives its publications.

    Args:
        offer: of the viewer.
        tracks: what viewers are told of.

    Raises:
        SdpError: no such codec, or an offer that is none of WHEP.
    """
    _check(offer, sends=False)
    media = []
    for one in offer.media:
        track = tracks["video" if one.kind == "video" else "audio"]
        codecs = sorted(
            _first_of_each(sorted(_usable(one), key=_plainness)), key=lambda codec: codec.name != track.codec
        )
        agreed = _agree(one, codecs, _VIEWER_FEEDBACK, offer)
        repaired = any(codec.apt is not None for codec in agreed.codecs)
        media.append(
            replace(
                agreed,
                direction="sendonly",
                extensions={uri: number for uri, number in agreed.extensions.items() if uri not in HOP_EXTENSIONS},
                ssrcs=(track.ssrc,),
                repairs={track.repair_ssrc: track.ssrc} if repaired else {},
                simulcast=(),
            )
        )
    return AcceptedViewer(media=tuple(media))


def accept_participant(offer: Offer, ssrc: int) -> AcceptedViewer:
    """Agree to talk and to listen: one Opus stream each way, or only to listen where there is no microphone.

    Args:
        offer: of a participant of the radio net.
        ssrc: of all that it will hear.

    Raises:
        SdpError: no Opus, or more than one track.
    """
    _check(offer, sends=False)
    if [one.kind for one in offer.media] != ["audio"]:
        _refuse("tracks", "The radio net takes one audio track and nothing else.")
    [one] = offer.media
    agreed = _agree(one, _first_of_each(_usable(one)), frozenset(), offer)
    direction: Direction = "sendrecv" if one.direction == "sendrecv" else "sendonly"
    return AcceptedViewer(media=(replace(agreed, direction=direction, extensions={}, ssrcs=(ssrc,)),))


def _refuse(reason: str, message: str) -> NoReturn:
    raise SdpError(reason, message, malformed=False)


def _check(offer: Offer, *, sends: bool) -> None:
    """What both protocols demand of an offer (RFC 9725 §4.2, §4.4.1, §4.4.2; WHEP alike)."""
    allowed: Sequence[Direction] = ("sendonly" if sends else "recvonly", "sendrecv")
    if offer.lite:
        _refuse("ice-lite", "The relay is ICE-lite, so a client must do full ICE.")
    if len(offer.media) > 1 and {one.mid for one in offer.media} != set(offer.bundle):
        _refuse("bundle", "All media must be in one BUNDLE group (RFC 9143).")
    for one in offer.media:
        if one.kind not in {"video", "audio"}:
            _refuse("kind", f"The relay takes video and audio, no {one.kind}. Offer without it.")
        if not one.protocol.endswith(("/SAVPF", "/SAVP")):
            _refuse("protocol", f"The protocol {one.protocol} is not encrypted RTP.")
        if one.direction not in allowed or (one.port == 0 and not one.bundle_only):
            _refuse("direction", f"{one.kind} must be {allowed[0]}: a client either publishes or watches.")
        if not one.rtcp_mux:
            _refuse("rtcp-mux", "RTCP must share the port of the media (rtcp-mux).")
    if len({one.kind for one in offer.media}) < len(offer.media):
        _refuse("tracks", "At most one video and one audio track can be taken.")


def _usable(one: Media) -> Iterator[Codec]:
    """The codecs that can be relayed, by their proper names, in the offer's order."""
    for codec in one.codecs:
        name = _NAMES.get(codec.name.lower(), "")
        # Mode 0 has one NAL unit a packet, and mode 2 interleaves: the same payload cannot serve those who want mode 1.
        if _KINDS.get(name) == one.kind and (name != "H264" or codec.fmtp.get("packetization-mode") == "1"):
            yield replace(codec, name=name)


def _first_of_each(codecs: Iterable[Codec]) -> list[Codec]:
    """The first variant of each codec."""
    found: dict[str, Codec] = {}
    for codec in codecs:
        found.setdefault(codec.name, codec)
    return list(found.values())


def _plainness(codec: Codec) -> bool:
    """Sorts constrained baseline, which every H.264 decoder has, before its other profiles; all else stays in order."""
    return codec.name == "H264" and not codec.fmtp.get("profile-level-id", "").lower().startswith("42e0")


def _agree(one: Media, codecs: list[Codec], feedback: frozenset[str], offer: Offer) -> Media:
    """Our side of a description, its direction apart: what is common of codecs, feedback and header extensions."""
    if not codecs:
        wanted = "H.264 with packetization-mode=1 or VP8" if one.kind == "video" else "Opus"
        _refuse("codec", f"The relay takes {wanted}, and the offer has none.")
    common: list[Codec] = []
    for codec in codecs:
        parameters = {name: value for name, value in codec.fmtp.items() if not name.startswith(_SENDERS_PARAMETERS)}
        if codec.name == "opus":
            parameters["useinbandfec"] = "1"
        common.append(replace(codec, fmtp=parameters, feedback=codec.feedback & feedback))
        if (repair := one.repair_of(codec.pt)) is not None:
            common.append(replace(repair, feedback=frozenset()))
    return Media(
        kind=one.kind,
        mid=one.mid,
        protocol=one.protocol,
        codecs=tuple(common),
        extensions={uri: one.extensions[uri] for uri in _extensions(offer) if uri in one.extensions},
        rtcp_rsize=one.rtcp_rsize,
    )


def _extensions(offer: Offer) -> Iterator[str]:
    """The header extensions that are used.

    A dependency descriptor does not always fit into the one-byte form, and where it is missing once, decoders stall.
    """
    yield from HOP_EXTENSIONS
    yield from (uri for uri in PASSED_EXTENSIONS if uri != DEPENDENCY_DESCRIPTOR or offer.allow_mixed)
