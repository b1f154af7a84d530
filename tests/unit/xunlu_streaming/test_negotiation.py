"""What the relay agrees to with real clients, and why it refuses."""

from dataclasses import dataclass

import pytest

from tests.unit.xunlu_streaming.captured import PUBLISHERS, VIEWERS, offer_text, without
from xunlu_streaming import negotiation
from xunlu_streaming.errors import SdpError
from xunlu_streaming.negotiation import AcceptedViewer, Kind, accept_publisher, accept_viewer
from xunlu_streaming.sdp import Codec, Local, Offer, write_answer


@dataclass(frozen=True, kw_only=True)
class Track:
    ssrc: int
    repair_ssrc: int
    codec: str = ""


def tracks(codec: str = "") -> dict[Kind, Track]:
    return {
        "video": Track(ssrc=1000, repair_ssrc=1001, codec=codec),
        "audio": Track(ssrc=2000, repair_ssrc=2001),
    }


def watch(text: str, codec: str = "") -> AcceptedViewer:
    return accept_viewer(Offer.parse(text), tracks(codec))


def codecs_of(accepted: negotiation.Accepted, kind: str) -> tuple[Codec, ...]:
    return next(one.codecs for one in accepted.media if one.kind == kind)


@pytest.mark.parametrize(
    ("name", "types", "repairs"),
    [
        ("aiortc-publisher", {97: "VP8", 96: "opus"}, {98: 97}),
        ("chromium-publisher", {96: "VP8", 111: "opus"}, {97: 96}),
        ("ffmpeg-active", {106: "H264", 111: "opus"}, {105: 106}),
        ("gstreamer-publisher", {96: "H264", 97: "opus"}, {98: 96, 99: 97}),
        ("libwebrtc-simulcast", {96: "VP8", 111: "opus"}, {97: 96}),
    ],
)
def test_a_publisher_sends_its_first_codec_that_can_be_relayed(
    name: str, types: dict[int, str], repairs: dict[int, int]
) -> None:
    accepted = accept_publisher(Offer.parse(offer_text(name)))
    assert accepted.payload_types == types
    assert accepted.repairs == repairs
    assert accepted.kinds == {"video", "audio"}
    assert {accepted.clocks[pt] for pt, kind in accepted.kinds_of.items() if kind == "video"} == {90_000}
    assert {one.direction for one in accepted.media} == {"recvonly"}


def test_h264_keeps_its_profile_whatever_it_is() -> None:
    text = offer_text("ffmpeg-active").replace("42000c", "640034")
    accepted = accept_publisher(Offer.parse(text))
    assert accepted.parameters[106] == "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640034"


def test_parameters_of_the_senders_own_stream_are_not_sent_back() -> None:
    accepted = accept_publisher(Offer.parse(offer_text("gstreamer-publisher")))
    assert "sprop" not in "".join(accepted.parameters.values())
    assert accepted.parameters[97] == "useinbandfec=1"


def test_feedback_is_what_both_sides_know() -> None:
    chromium = accept_publisher(Offer.parse(offer_text("chromium-publisher")))
    assert codecs_of(chromium, "video")[0].feedback == {"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"}
    assert codecs_of(accept_publisher(Offer.parse(offer_text("ffmpeg-active"))), "video")[0].feedback == {"nack"}


def test_ssrcs_of_a_publisher_and_of_its_retransmissions_are_known() -> None:
    accepted = accept_publisher(Offer.parse(offer_text("ffmpeg-active")))
    assert accepted.video_ssrcs == (2197105521,)
    assert accepted.repair_of == {2197105522: 2197105521}


def test_simulcast_is_accepted_in_the_answer() -> None:
    offer = Offer.parse(offer_text("libwebrtc-simulcast"))
    accepted = accept_publisher(offer)
    assert accepted.rids == ("h", "m", "l")
    local = Local(name="rec-1", ufrag="ours", password="a" * 24, fingerprint="AB", candidates=())
    answer = write_answer(offer, accepted.media, local)
    assert "a=rid:h recv\r\na=rid:m recv\r\na=rid:l recv\r\na=simulcast:recv h;m;l\r\n" in answer


def test_simulcast_that_names_no_layer_in_its_packets_is_not_accepted() -> None:
    text = without(offer_text("libwebrtc-simulcast"), f"a=extmap:10 {negotiation.RID}")
    assert accept_publisher(Offer.parse(text)).rids == ()


def test_one_layer_alone_is_no_simulcast() -> None:
    text = without(offer_text("libwebrtc-simulcast").replace("send h;m;l", "send h"), "a=rid:m", "a=rid:l")
    assert accept_publisher(Offer.parse(text)).rids == ()


@pytest.mark.parametrize("name", PUBLISHERS)
def test_header_extensions_keep_their_ids(name: str) -> None:
    offer = Offer.parse(offer_text(name))
    offered = {uri: number for one in offer.media for uri, number in one.extensions.items()}
    accepted = accept_publisher(offer).extensions
    assert accepted.items() <= offered.items()
    assert offered.keys() - accepted.keys() <= offered.keys() - set(negotiation.HOP_EXTENSIONS)


def test_a_dependency_descriptor_needs_headers_of_both_forms() -> None:
    text = offer_text("libwebrtc-simulcast")
    assert negotiation.DEPENDENCY_DESCRIPTOR in accept_publisher(Offer.parse(text)).extensions
    single = Offer.parse(without(text, "a=extmap-allow-mixed"))
    assert negotiation.DEPENDENCY_DESCRIPTOR not in accept_publisher(single).extensions


def test_a_viewer_gets_one_payload_type_of_every_codec_there_may_be() -> None:
    accepted = watch(offer_text("chromium-viewer"))
    assert accepted.payload_types == {"H264": 108, "VP8": 96, "opus": 111}
    assert accepted.repair_types == {"H264": 109, "VP8": 97}
    assert {one.direction for one in accepted.media} == {"sendonly"}
    video = next(one for one in accepted.media if one.kind == "video")
    assert (video.ssrcs, video.repairs) == ((1000,), {1001: 1000})


def test_a_viewer_of_a_running_publication_sees_its_codec_first() -> None:
    assert codecs_of(watch(offer_text("chromium-viewer"), "VP8"), "video")[0].name == "VP8"
    assert codecs_of(watch(offer_text("chromium-viewer"), "H264"), "video")[0].name == "H264"


def test_a_viewer_without_h264_gets_vp8_alone() -> None:
    assert watch(offer_text("libwebrtc-viewer")).payload_types == {"VP8": 96, "opus": 111}


def test_a_viewer_without_retransmissions_is_promised_none() -> None:
    accepted = watch(offer_text("gstreamer-viewer"))
    assert accepted.repair_types == {}
    assert not any(one.repairs for one in accepted.media)


@pytest.mark.parametrize("name", VIEWERS)
def test_viewers_get_nothing_that_is_about_the_way_to_us(name: str) -> None:
    accepted = watch(offer_text(name))
    assert not set(negotiation.HOP_EXTENSIONS) & set(accepted.extensions)
    assert not any("transport-cc" in codec.feedback for one in accepted.media for codec in one.codecs)


def test_sound_alone_can_be_published_and_watched() -> None:
    head, _, rest = offer_text("chromium-publisher").partition("m=audio")
    audio = head.replace("BUNDLE 0 1", "BUNDLE 0") + "m=audio" + rest.partition("m=video")[0]
    assert accept_publisher(Offer.parse(audio)).kinds == {"audio"}
    assert watch(audio.replace("sendonly", "recvonly")).kinds == {"audio"}


def test_a_client_that_could_do_both_is_welcome() -> None:
    both = offer_text("chromium-publisher").replace("a=sendonly", "a=sendrecv")
    assert {one.direction for one in accept_publisher(Offer.parse(both)).media} == {"recvonly"}
    assert {one.direction for one in watch(both).media} == {"sendonly"}


DATA_CHANNEL = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=rtcp-mux\r\na=sendrecv\r\n"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"a=sendonly": "a=recvonly"}, "direction"),
        ({"a=sendonly": "a=inactive"}, "direction"),
        ({"m=video 9": "m=video 0"}, "direction"),
        ({"a=group:BUNDLE 0 1": "a=group:BUNDLE 0"}, "bundle"),
        ({"a=group:BUNDLE 0 1": "a=tool:x"}, "bundle"),
        ({"a=rtcp-mux\r\n": "\r\n"}, "rtcp-mux"),
        ({"UDP/TLS/RTP/SAVPF": "RTP/AVP"}, "protocol"),
        ({"m=video": "m=audio"}, "tracks"),
        ({"packetization-mode=1": "packetization-mode=0"}, "codec"),
        ({"H264/90000": "H265/90000"}, "codec"),
        ({"opus/48000/2": "PCMU/8000"}, "codec"),
        ({"s=FFmpegPublishSession\r\n": "s=-\r\na=ice-lite\r\n"}, "ice-lite"),
        ({"BUNDLE 0 1": "BUNDLE 0 1 2", "a=ssrc:2197105521 msid:FFmpeg video\r\n": DATA_CHANNEL}, "kind"),
    ],
)
def test_an_offer_that_cannot_be_taken_whole_is_refused(changes: dict[str, str], reason: str) -> None:
    text = offer_text("ffmpeg-active")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(SdpError) as caught:
        accept_publisher(Offer.parse(text))
    assert (caught.value.reason, caught.value.malformed) == (reason, False)


def test_who_publishes_cannot_watch_and_the_other_way_round() -> None:
    with pytest.raises(SdpError, match="recvonly"):
        watch(offer_text("ffmpeg-active"))
    with pytest.raises(SdpError, match="sendonly"):
        accept_publisher(Offer.parse(offer_text("chromium-viewer")))
