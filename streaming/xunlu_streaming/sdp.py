"""Session descriptions (RFC 8866) as far as a relay needs them: offers are read, answers are written.

What an offer holds is bounded in number; what is not understood is left out where the standard says so, or refused with
a word that can be counted.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from xunlu_streaming.sdp_lines import NUMBER, PASSWORD, UFRAG, Inherited, Section, numbered, refuse, sections

MEDIA_MAX = 16
CODECS_MAX = 128
CANDIDATES_MAX = 64
FINGERPRINTS_MAX = 8
SSRCS_MAX = 64
RIDS_MAX = 8

Direction = Literal["sendonly", "recvonly", "sendrecv", "inactive"]
Setup = Literal["actpass", "active", "passive"]

_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")  # RFC 8866 §9
_RID = re.compile(r"[A-Za-z0-9_-]{1,16}")  # RFC 8852 §3: what the header extension carries
_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19,63}")
_MEDIA = re.compile(r"(audio|video|application|text|message|image) ([0-9]{1,5})(?:/[0-9]+)? ([A-Za-z0-9/-]{1,40}) (.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Codec:
    """A payload type and what it means.

    Attributes:
        pt: payload type, 0 to 127.
        name: encoding name as it was written.
        clock_hz: of RTP time.
        channels: of audio; 1 where nothing is said.
        fmtp: format parameters in their order; "" for one without a value.
        feedback: RTCP feedback (RFC 4585 §4.2), such as `nack pli`.
    """

    pt: int
    name: str
    clock_hz: int
    channels: int = 1
    fmtp: Mapping[str, str] = field(default_factory=dict)
    feedback: frozenset[str] = frozenset()

    @property
    def apt(self) -> int | None:
        """The payload type that a retransmission (RFC 4588 §8.6) repairs; None for all else."""
        value = self.fmtp.get("apt", "") if self.name.lower() == "rtx" else ""
        return int(value) if NUMBER.fullmatch(value) else None

    @property
    def parameters(self) -> str:
        """The format parameters as they are written."""
        return ";".join(f"{name}={value}" if value else name for name, value in self.fmtp.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A media description: theirs in an offer, ours in an answer.

    Attributes:
        kind: `audio`, `video`, or what else there is.
        mid: its name (RFC 5888).
        port: 0 without `bundle_only` says that it is not wanted.
        bundle_only: whether it exists in a bundle alone (RFC 9143 §6).
        protocol: such as `UDP/TLS/RTP/SAVPF`.
        direction: as its writer sees it.
        codecs: in order of preference; retransmission formats are among them.
        extensions: RTP header extension ids by URI (RFC 8285).
        ssrcs: of the streams that its writer sends, where it says so; those of retransmissions are left out.
        repairs: SSRC of each retransmission stream → SSRC that it repairs (RFC 5576 §4.2, FID).
        simulcast: RIDs of the layers that are sent (RFC 8853), first alternatives.
        msid: MediaStream and track (RFC 8830).
        rtcp_mux: whether RTCP shares the port (RFC 5761).
        rtcp_rsize: whether reduced-size RTCP is understood (RFC 5506).
    """

    kind: str
    mid: str
    port: int = 9
    bundle_only: bool = False
    protocol: str = "UDP/TLS/RTP/SAVPF"
    direction: Direction = "sendrecv"
    codecs: tuple[Codec, ...] = ()
    extensions: Mapping[str, int] = field(default_factory=dict)
    ssrcs: tuple[int, ...] = ()
    repairs: Mapping[int, int] = field(default_factory=dict)
    simulcast: tuple[str, ...] = ()
    msid: str | None = None
    rtcp_mux: bool = True
    rtcp_rsize: bool = True

    def repair_of(self, pt: int) -> Codec | None:
        """The retransmission format of a payload type."""
        return next((codec for codec in self.codecs if codec.apt == pt), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """An offer.

    Attributes:
        ufrag: ICE user name fragment of the offerer.
        password: its ICE password.
        lite: whether it is ICE-lite, too.
        ice_options: such as `trickle`, `ice2`.
        candidates: values of its candidate attributes (RFC 8839 §5.1), unread.
        fingerprints: algorithm and value of every certificate that it may show (RFC 8122).
        setup: its DTLS role (RFC 5763 §5).
        bundle: mids of its first bundle.
        allow_mixed: whether one-byte and two-byte header extensions may mix (RFC 8285 §6).
        media: what it is about.
    """

    ufrag: str
    password: str
    lite: bool
    ice_options: frozenset[str]
    candidates: tuple[str, ...]
    fingerprints: tuple[tuple[str, str], ...]
    setup: Setup
    bundle: tuple[str, ...]
    allow_mixed: bool
    media: tuple[Media, ...]

    @classmethod
    def parse(cls, text: str) -> "Offer":
        """Read an offer.

        Raises:
            SdpError: too large, or malformed; `reason` names the part.
        """
        if not text.startswith("v=0"):
            refuse("version", "An offer begins with v=0.")
        session, *parts = sections(text)
        if not 0 < len(parts) <= MEDIA_MAX:
            refuse("media", f"An offer has 1 to {MEDIA_MAX} media descriptions.")
        media = tuple(_media(part, session) for part in parts)
        if len({one.mid for one in media}) < len(media):
            refuse("mid", "Every media description needs a mid of its own.")
        bundle = next((one for one in _bundles(session)), ())
        # The transport is the one of the bundle's first description (RFC 9143 §7.2.1).
        tagged = next((part for part, one in zip(parts, media, strict=True) if one.mid in bundle[:1]), parts[0])
        transport = Inherited(tagged, session)
        return cls(
            ufrag=transport.match("ice-ufrag", UFRAG),
            password=transport.match("ice-pwd", PASSWORD),
            lite=session.has("ice-lite"),
            ice_options=frozenset(transport.first("ice-options").split()),
            candidates=tuple(tagged.all("candidate", CANDIDATES_MAX)),
            fingerprints=_fingerprints(transport),
            setup=_setup(transport),
            bundle=bundle,
            allow_mixed=session.has("extmap-allow-mixed") or all(part.has("extmap-allow-mixed") for part in parts),
            media=media,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Local:
    """Our end of a session, below the media.

    Attributes:
        name: of what is sent: MediaStream and CNAME; a token.
        ufrag: our ICE user name fragment.
        password: our ICE password.
        fingerprint: SHA-256 of our certificate.
        candidates: values of candidate attributes, all there will ever be.
        lite: whether we are ICE-lite (RFC 8445 §2.5).
    """

    name: str
    ufrag: str
    password: str
    fingerprint: str
    candidates: tuple[str, ...]
    lite: bool = True


def host_candidates(addresses: Iterable[str], port: int) -> tuple[str, ...]:
    """Host candidates of one UDP port, the first address preferred (RFC 8445 §5.1.2.1).

    Args:
        addresses: IPv4 and IPv6 addresses that clients reach us by.
        port: of all of them.
    """
    return tuple(
        f"{number + 1} 1 udp {126 << 24 | (65_535 - number) << 8 | 255} {address} {port} typ host"
        for number, address in enumerate(addresses)
    )


def write_answer(offer: Offer, media: Sequence[Media], local: Local) -> str:
    """Write the answer (RFC 9429 §5.3.1).

    Args:
        offer: that is answered.
        media: our side of every description of the offer, in its order.
        local: our end below.
    """
    lines = ["v=0", f"o=- {secrets.randbits(62)} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if offer.bundle:
        lines.append(f"a=group:BUNDLE {' '.join(one.mid for one in media)}")
    if offer.allow_mixed:
        lines.append("a=extmap-allow-mixed")
    lines += ["a=ice-lite", "a=ice-options:ice2 trickle"] if local.lite else ["a=ice-options:trickle"]
    lines.append("a=msid-semantic: WMS *")
    setup = "active" if offer.setup == "passive" else "passive"
    for one in media:
        lines += _description(one)
        lines += [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}"]
        lines += [f"a=fingerprint:sha-256 {local.fingerprint}", f"a=setup:{setup}"]
        lines += [f"a=candidate:{candidate}" for candidate in local.candidates]
        lines.append("a=end-of-candidates")
        if one.direction in ("sendonly", "sendrecv"):
            lines += _sources(one, local.name)
    return "\r\n".join(lines) + "\r\n"


def _description(one: Media) -> Iterator[str]:
    yield f"m={one.kind} 9 {one.protocol} {' '.join(str(codec.pt) for codec in one.codecs)}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{one.mid}"
    yield f"a={one.direction}"
    yield "a=rtcp-mux"
    yield "a=rtcp-mux-only"  # RFC 9725 §4.4.1, RFC 8858 §3
    if one.rtcp_rsize:
        yield "a=rtcp-rsize"
    for codec in one.codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        yield f"a=rtpmap:{codec.pt} {codec.name}/{codec.clock_hz}{channels}"
        if codec.fmtp:
            yield f"a=fmtp:{codec.pt} {codec.parameters}"
        for feedback in sorted(codec.feedback):
            yield f"a=rtcp-fb:{codec.pt} {feedback}"
    for uri, number in one.extensions.items():
        yield f"a=extmap:{number} {uri}"
    if one.simulcast:  # RFC 8853 §5.3.2
        for rid in one.simulcast:
            yield f"a=rid:{rid} recv"
        yield f"a=simulcast:recv {';'.join(one.simulcast)}"


def _sources(one: Media, name: str) -> Iterator[str]:
    """What we send, and by which SSRC (RFC 5576)."""
    yield f"a=msid:{name} {name}-{one.kind}"
    for repair, repaired in one.repairs.items():
        yield f"a=ssrc-group:FID {repaired} {repair}"
    for ssrc in (*one.ssrcs, *one.repairs):
        yield f"a=ssrc:{ssrc} cname:{name}"


def _bundles(session: Section) -> Iterator[tuple[str, ...]]:
    for value in session.all("group", MEDIA_MAX):
        semantics, _, mids = value.partition(" ")
        if semantics == "BUNDLE":
            yield tuple(mids.split())


def _fingerprints(transport: Inherited) -> tuple[tuple[str, str], ...]:
    found = []
    for value in transport.all("fingerprint", FINGERPRINTS_MAX):
        algorithm, _, digest = value.partition(" ")
        if not _DIGEST.fullmatch(digest):
            refuse("fingerprint", "A fingerprint is an algorithm and pairs of hexadecimal digits (RFC 8122 §5).")
        if algorithm.lower() in {"sha-256", "sha-384", "sha-512"}:
            found.append((algorithm.lower(), digest.upper()))
    if not found:
        refuse("fingerprint", "The offer needs the SHA-256 fingerprint of a certificate: media is always encrypted.")
    return tuple(found)


def _setup(transport: Inherited) -> Setup:
    value = transport.first("setup")
    if value not in get_args(Setup):
        refuse("setup", "The offer needs setup:actpass (RFC 8842), active or passive.")
    return cast("Setup", value)


def _media(part: Section, session: Section) -> Media:
    match = _MEDIA.fullmatch(part.head)
    if match is None:
        refuse("media", "A media description names kind, port, protocol and formats.")
    kind, port, protocol, formats = match.groups()
    mid = part.first("mid")
    if not _TOKEN.fullmatch(mid):
        refuse("mid", "Every media description needs a mid (RFC 5888).")
    repairs = dict(_repairs(part))
    return Media(
        kind=kind,
        mid=mid,
        port=int(port),
        bundle_only=part.has("bundle-only"),
        protocol=protocol,
        direction=_direction(part, session),
        codecs=tuple(_codecs(part, formats.split())) if kind in {"audio", "video"} else (),
        extensions=_extensions(part),
        ssrcs=tuple(ssrc for ssrc in _ssrcs(part) if ssrc not in repairs),
        repairs=repairs,
        simulcast=_simulcast(part),
        msid=part.first("msid") or None,
        rtcp_mux=part.has("rtcp-mux"),
        rtcp_rsize=part.has("rtcp-rsize"),
    )


def _direction(part: Section, session: Section) -> Direction:
    for section in (part, session):
        for direction in get_args(Direction):
            if section.has(direction):
                return cast("Direction", direction)
    return "sendrecv"


def _codecs(part: Section, formats: Sequence[str]) -> Iterator[Codec]:
    """The codecs that are described, in the offer's order; static payload types that are not are left out."""
    maps = dict(numbered(part.all("rtpmap", CODECS_MAX), "rtpmap", 127))
    parameters = dict(numbered(part.all("fmtp", CODECS_MAX), "fmtp", 127))
    feedback: dict[str, set[str]] = {}
    for value in part.all("rtcp-fb", 16 * CODECS_MAX):
        whose, _, what = value.partition(" ")
        feedback.setdefault(whose, set()).add(what.strip())
    for pt in dict.fromkeys(pt for pt, _ in numbered(formats, "formats", 127)):
        if pt not in maps:
            continue
        name, _, rate = maps[pt].partition("/")
        clock, _, channels = rate.partition("/")
        if not _TOKEN.fullmatch(name) or not NUMBER.fullmatch(clock) or not 0 < int(clock) <= 1_000_000:
            refuse("rtpmap", "rtpmap needs a name and a clock rate.")
        yield Codec(
            pt=pt,
            name=name,
            clock_hz=int(clock),
            channels=int(channels) if re.fullmatch("[1-9]", channels) else 1,
            fmtp=_parameters(parameters.get(pt, "")),
            feedback=frozenset(feedback.get(str(pt), set()) | feedback.get("*", set())),
        )


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name.lower(): value for name, _, value in pairs if name}


def _extensions(part: Section) -> dict[str, int]:
    """Header extensions with an id; the ids from 4096 on stand for none (RFC 8285 §7)."""
    extensions: dict[str, int] = {}
    for value in part.all("extmap", 256):
        number, _, rest = value.partition(" ")
        digits = number.partition("/")[0]
        uri = rest.split(" ")[0]
        if not NUMBER.fullmatch(digits) or not uri:
            refuse("extmap", "extmap needs an id and a URI.")
        if 1 <= int(digits) <= 255 and int(digits) not in extensions.values():
            extensions.setdefault(uri, int(digits))
    return extensions


def _ssrcs(part: Section) -> list[int]:
    ssrcs = dict.fromkeys(ssrc for ssrc, _ in numbered(part.all("ssrc", 8 * SSRCS_MAX), "ssrc", 0xFFFF_FFFF))
    if len(ssrcs) > SSRCS_MAX:
        refuse("ssrc", f"A media description has at most {SSRCS_MAX} SSRCs.")
    return list(ssrcs)


def _repairs(part: Section) -> Iterator[tuple[int, int]]:
    for value in part.all("ssrc-group", SSRCS_MAX):
        semantics, _, members = value.partition(" ")
        if semantics != "FID":
            continue
        ssrcs = [int(one) for one in members.split() if NUMBER.fullmatch(one)]
        if len(ssrcs) != 2 or max(ssrcs) > 0xFFFF_FFFF:
            refuse("ssrc-group", "The group FID has two SSRCs.")
        yield ssrcs[1], ssrcs[0]


def _simulcast(part: Section) -> tuple[str, ...]:
    """RIDs of the layers: of each the first alternative, whether it begins paused (`~`) or not (RFC 8853 §5.1)."""
    sent = {value.split(" ")[0] for value in part.all("rid", 2 * RIDS_MAX) if value.split(" ")[1:2] == ["send"]}
    words = part.first("simulcast").split()
    directions = dict(zip(words[::2], words[1::2], strict=False))
    layers = [layer.split(",")[0].lstrip("~") for layer in directions.get("send", "").split(";") if layer]
    if len(layers) > RIDS_MAX or not all(_RID.fullmatch(rid) and rid in sent for rid in layers):
        refuse("simulcast", f"simulcast names at most {RIDS_MAX} RIDs, each with a line rid:NAME send.")
    return tuple(dict.fromkeys(layers))
