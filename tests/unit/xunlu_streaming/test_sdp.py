"""Offers of real clients are understood, and no hostile one does harm."""

import contextlib
import dataclasses

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_streaming.captured import PUBLISHERS, VIEWERS, offer_text, without
from xunlu_streaming.errors import SdpError
from xunlu_streaming.sdp import Local, Media, Offer, host_candidates, write_answer
from xunlu_streaming.sdp_fragment import Fragment

LOCAL = Local(
    name="rec-1",
    ufrag="ours",
    password="a" * 24,
    fingerprint=":".join(["AB"] * 32),
    candidates=host_candidates(["192.0.2.1", "2001:db8::1"], 8014),
)


def refusal(text: str) -> SdpError:
    with pytest.raises(SdpError) as caught:
        Offer.parse(text)
    return caught.value


def media_of(name: str, kind: str) -> Media:
    return next(one for one in Offer.parse(offer_text(name)).media if one.kind == kind)


@pytest.mark.parametrize("name", PUBLISHERS + VIEWERS)
def test_ice_dtls_and_codecs_are_what_aiortc_reads(name: str) -> None:
    ours, theirs = Offer.parse(offer_text(name)), SessionDescription.parse(offer_text(name))
    first = theirs.media[0]
    assert first.dtls is not None
    assert first.ice is not None
    assert (ours.ufrag, ours.password) == (first.ice.usernameFragment, first.ice.password)
    assert ours.fingerprints == tuple((one.algorithm, one.value) for one in first.dtls.fingerprints)
    assert ours.setup == {"auto": "actpass", "client": "active", "server": "passive"}[first.dtls.role]
    assert len(ours.candidates) == len(first.ice_candidates)
    assert list(ours.bundle) == theirs.group[0].items
    for one, other in zip(ours.media, theirs.media, strict=True):
        assert (one.kind, one.mid, one.port, one.direction) == (
            other.kind,
            other.rtp.muxId,
            other.port,
            other.direction,
        )
        described = {codec.payloadType: codec for codec in other.rtp.codecs}
        assert [codec.pt for codec in one.codecs] == [pt for pt in other.fmt if pt in described]
        for codec in one.codecs:
            assert described[codec.pt].mimeType == f"{one.kind}/{codec.name}"
            assert described[codec.pt].clockRate == codec.clock_hz
            assert len(described[codec.pt].rtcpFeedback) == len(codec.feedback)
        assert one.extensions == {header.uri: header.id for header in other.rtp.headerExtensions}


def test_retransmissions_are_told_from_media() -> None:
    video = media_of("chromium-publisher", "video")
    assert video.ssrcs == (3901454680,)
    assert video.repairs == {3152633198: 3901454680}
    repair = video.repair_of(102)
    assert repair is not None
    assert repair.pt == 103


def test_simulcast_layers_are_read_in_order() -> None:
    assert media_of("libwebrtc-simulcast", "video").simulcast == ("h", "m", "l")


def test_paused_and_alternative_layers_are_read() -> None:
    text = offer_text("libwebrtc-simulcast").replace("send h;m;l", "send ~h,m;l")
    assert Offer.parse(text).media[0].simulcast == ("h", "l")


def test_a_description_of_a_bundle_may_leave_the_transport_to_the_first() -> None:
    head, audio, video = _parts(offer_text("ffmpeg-active"))
    slim = without(video, "a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup")
    assert Offer.parse(head + audio + slim).ufrag == "c67ac44a"


def test_the_session_may_hold_the_transport_for_all() -> None:
    head, audio, video = _parts(offer_text("ffmpeg-active"))
    shared = [line for line in audio.split("\r\n") if line.startswith(("a=ice-", "a=fingerprint", "a=setup"))]
    lines = ("a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup")
    offer = Offer.parse(head + "\r\n".join(shared) + "\r\n" + without(audio, *lines) + without(video, *lines))
    assert (offer.ufrag, offer.setup) == ("c67ac44a", "active")


def _parts(text: str) -> tuple[str, str, str]:
    head, _, rest = text.partition("m=audio")
    audio, _, video = rest.partition("m=video")
    return head, f"m=audio{audio}", f"m=video{video}"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("v=0", "v=1", "version"),
        ("s=-", "sdp", "line"),
        ("a=mid:0", "a=mid:0\x00", "line"),
        ("a=mid:0", "a=mid:0\ra=evil", "line"),
        ("a=mid:0", "a=mid:0 1", "mid"),
        ("a=mid:0", "a=mid:1", "mid"),
        ("a=ice-ufrag:SJMo", "a=ice-ufrag:S", "ice-ufrag"),
        ("a=ice-pwd:BtTalhyww16ds+QlZ/EDxLOp", "a=ice-pwd:short", "ice-pwd"),
        ("a=fingerprint:sha-256 5F", "a=fingerprint:sha-256 5", "fingerprint"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", "fingerprint"),
        ("a=setup:actpass", "a=setup:holdconn", "setup"),
        ("m=audio 33515", "m=audio many", "media"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus", "rtpmap"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus/0", "rtpmap"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:١١١ opus/48000/2", "rtpmap"),
        ("SAVPF 111 63", "SAVPF 300 63", "formats"),
        ("a=extmap:1 urn", "a=extmap:one urn", "extmap"),
        ("a=ssrc:2547383966 cname", "a=ssrc:99999999999 cname", "ssrc"),
        ("a=ssrc-group:FID 3901454680 3152633198", "a=ssrc-group:FID 1", "ssrc-group"),
        ("a=sendonly", "a=sendonly\r\na=simulcast:send h;m", "simulcast"),
    ],
)
def test_a_malformed_offer_is_refused_by_the_part_that_breaks_it(old: str, new: str, reason: str) -> None:
    text = offer_text("chromium-publisher")
    assert old in text
    error = refusal(text.replace(old, new, 1))
    assert (error.reason, error.malformed) == (reason, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "version"),
        ("v=0\r\n", "media"),
        ("v=0\r\n" + "a=x\r\n" * 3000, "lines"),
        ("v=0\r\na=" + "x" * 3000, "line"),
        ("v=0\r\n" + "x" * 70_000, "size"),
        ("v=0\r\n" + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 17, "media"),
    ],
)
def test_an_offer_that_is_too_much_is_refused_before_it_is_read(text: str, reason: str) -> None:
    assert refusal(text).reason == reason


@pytest.mark.parametrize(
    ("line", "count", "reason"),
    [
        ("a=candidate:1 1 udp 1 192.0.2.1 9 typ host", 65, "candidate"),
        ("a=fingerprint:sha-256 " + ":".join(["AB"] * 32), 9, "fingerprint"),
        ("a=rtpmap:111 opus/48000/2", 129, "rtpmap"),
    ],
)
def test_a_part_that_repeats_without_end_is_refused(line: str, count: int, reason: str) -> None:
    text = offer_text("chromium-publisher").replace("a=mid:0\r\n", "a=mid:0\r\n" + f"{line}\r\n" * count)
    assert refusal(text).reason == reason


@given(
    st.sampled_from(PUBLISHERS + VIEWERS).map(offer_text),
    st.lists(st.tuples(st.integers(0, 7000), st.integers(0, 40), st.text(max_size=40)), min_size=1, max_size=6),
)
def test_a_damaged_offer_is_read_or_refused_and_nothing_else(text: str, damages: list[tuple[int, int, str]]) -> None:
    for at, removed, inserted in damages:
        text = text[:at] + inserted + text[at + removed :]
    with contextlib.suppress(SdpError):
        offer = Offer.parse(text)
        answer = write_answer(offer, offer.media, LOCAL)
        assert answer.count("\r\n") == answer.count("\n") == len(answer.splitlines())


@given(st.text(max_size=400).map(lambda text: f"v=0\nm=video 9 UDP/TLS/RTP/SAVPF 96\n{text}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SdpError):
        Offer.parse(text)


@pytest.mark.parametrize("name", PUBLISHERS + VIEWERS)
def test_what_we_write_is_what_we_read(name: str) -> None:
    offer = Offer.parse(offer_text(name))
    media = tuple(dataclasses.replace(one, direction="sendonly", simulcast=(), msid=None) for one in offer.media)
    again = Offer.parse(write_answer(offer, media, LOCAL))
    assert (again.ufrag, again.password, again.lite) == (LOCAL.ufrag, LOCAL.password, True)
    assert again.candidates == LOCAL.candidates
    assert again.bundle == offer.bundle
    plain = tuple(dataclasses.replace(one, port=9, bundle_only=False) for one in media)
    assert tuple(dataclasses.replace(one, msid=None) for one in again.media) == plain


def test_who_waits_for_the_handshake_is_called() -> None:
    passive, active = Offer.parse(offer_text("ffmpeg-passive")), Offer.parse(offer_text("ffmpeg-active"))
    assert "a=setup:active\r\n" in write_answer(passive, passive.media, LOCAL)
    assert "a=setup:passive\r\n" in write_answer(active, active.media, LOCAL)


def test_candidates_prefer_the_first_address() -> None:
    first, second = LOCAL.candidates
    assert first == "1 1 udp 2130706431 192.0.2.1 8014 typ host"
    assert second == "2 1 udp 2130706175 2001:db8::1 8014 typ host"


FRAGMENT = (
    "a=ice-ufrag:SJMo\r\na=ice-pwd:BtTalhyww16ds+QlZ/EDxLOp\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
)


def test_a_fragment_says_whose_candidates_it_brings() -> None:
    fragment = Fragment.parse(FRAGMENT)
    assert fragment == Fragment(ufrag="SJMo", candidates=("1 1 udp 2122260223 192.0.2.1 61764 typ host",))
    assert Fragment.parse("a=end-of-candidates\r\n") == Fragment(ufrag=None, candidates=())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("typ host", "host"),
        ("a=ice-pwd:BtTalhyww16ds+QlZ/EDxLOp", "a=ice-pwd:x"),
        ("SJMo", "S"),
        ("m=audio", "media"),
    ],
)
def test_a_malformed_fragment_is_refused(old: str, new: str) -> None:
    with pytest.raises(SdpError):
        Fragment.parse(FRAGMENT.replace(old, new))


def test_an_empty_fragment_is_refused() -> None:
    with pytest.raises(SdpError):
        Fragment.parse("")


@given(st.text(max_size=300))
def test_any_text_is_a_fragment_or_refused(text: str) -> None:
    with contextlib.suppress(SdpError):
        Fragment.parse(text)
