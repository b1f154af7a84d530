"""What RFC 9725 (WHIP) and draft-ietf-wish-whep-04 (WHEP) demand of a server alike: one test for each demand.

Sections are those of RFC 9725.
"""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.integration.signalling_rig import FRAGMENT, Endpoint, answer_lines, fragment, problem
from tests.media import Relay, running_relay
from tests.services import Services
from tests.unit.xunlu_streaming.captured import offer_text, without

pytestmark = pytest.mark.integration

CANDIDATE = "1 1 udp 2122260223 192.0.2.1 61764 typ host"


@pytest_asyncio.fixture(scope="module")
async def relay(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relay]:
    folder = tmp_path_factory.mktemp("relay")
    async with running_relay(services.test_broker, folder, media_hosts="127.0.0.1,::1") as one:
        yield one


@pytest_asyncio.fixture(scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient() as one:
        yield one


@pytest.fixture(params=["whip", "whep"])
def endpoint(request: pytest.FixtureRequest, relay: Relay, client: httpx2.AsyncClient) -> Endpoint:
    return Endpoint(relay=relay, protocol=request.param, client=client)


# -- §4.1 HTTP usage --------------------------------------------------------------------------------------------------


async def test_4_1_get_on_endpoint_and_session_succeeds_without_content(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    for url in (endpoint.url, session.url):
        answer = await endpoint.request("GET", url)
        assert (answer.status_code, answer.content) == (204, b"")


async def test_4_1_head_tells_what_is_taken(endpoint: Endpoint) -> None:
    """WHEP §4.1: HEAD SHOULD be 200 with the type of an offer."""
    answer = await endpoint.request("HEAD")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/sdp")


async def test_4_1_errors_are_problem_documents(endpoint: Endpoint) -> None:
    assert problem(await endpoint.post("no offer")) == "offer-version"
    assert problem(await endpoint.request("GET", f"{endpoint.url}/nothing")) == "no-session"
    assert problem(await endpoint.request("GET", f"{endpoint.relay.url}/nowhere")) == "not-found"


async def test_4_1_other_methods_are_refused_with_those_that_are_taken(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    for url, methods, allowed in (
        (endpoint.url, ("PUT", "DELETE", "PATCH"), "GET, HEAD, OPTIONS, POST"),
        (session.url, ("PUT", "POST"), "DELETE, GET, HEAD, OPTIONS, PATCH"),
    ):
        for method in methods:
            answer = await endpoint.request(method, url)
            assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
            assert problem(answer) == "method-not-allowed"


# -- §4.2 ingest session set-up ---------------------------------------------------------------------------------------


async def test_4_2_an_offer_is_answered_201_with_sdp_and_location(endpoint: Endpoint) -> None:
    answer = await endpoint.post()
    assert answer.status_code == 201
    assert answer.headers["content-type"].partition(";")[0] == "application/sdp"
    assert answer.headers["location"].startswith(f"/{endpoint.protocol}/{endpoint.path}/")
    assert answer.text.startswith("v=0\r\n")


async def test_4_2_the_content_type_may_have_parameters(endpoint: Endpoint) -> None:
    assert (await endpoint.post(content_type="Application/SDP; charset=utf-8")).status_code == 201


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", None])
async def test_4_2_another_content_type_is_refused(endpoint: Endpoint, kind: str | None) -> None:
    answer = await endpoint.post(content_type=kind)
    assert (answer.status_code, problem(answer)) == (415, "content-type")


@pytest.mark.parametrize("offer", [b"", b"v=0\r\n", b"\xff\xfe", b"v=0\r\nm=video"])
async def test_4_2_malformed_sdp_is_refused(endpoint: Endpoint, offer: bytes) -> None:
    assert (await endpoint.post(offer)).status_code == 400


async def test_4_2_an_offer_that_is_too_large_is_refused_before_it_is_read(endpoint: Endpoint) -> None:
    answer = await endpoint.post(b"v" * 100_000)
    assert (answer.status_code, problem(answer)) == (413, "content-too-large")


async def test_4_2_a_client_that_may_do_both_is_taken(endpoint: Endpoint) -> None:
    both = endpoint.offer.replace("a=sendonly", "a=sendrecv").replace("a=recvonly", "a=sendrecv")
    assert (await endpoint.post(both)).status_code == 201


async def test_4_2_the_wrong_direction_is_refused(endpoint: Endpoint) -> None:
    for wrong in ("inactive", "recvonly" if endpoint.protocol == "whip" else "sendonly"):
        offer = endpoint.offer.replace("a=sendonly", f"a={wrong}").replace("a=recvonly", f"a={wrong}")
        answer = await endpoint.post(offer)
        assert (answer.status_code, problem(answer)) == (422, "offer-direction")


async def test_4_2_every_session_has_an_address_of_its_own_that_nobody_guesses(endpoint: Endpoint) -> None:
    first, second = await endpoint.begin(), await endpoint.again().begin()
    assert first.url != second.url
    assert all(len(one.url.rpartition("/")[2]) >= 20 for one in (first, second))


async def test_4_2_delete_ends_the_session(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    assert (await session.delete()).status_code == 200
    assert (await session.delete()).status_code == 404
    assert (await endpoint.request("GET", session.url)).status_code == 404


async def test_4_2_options_on_any_address_says_what_is_posted(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    for url in (endpoint.url, session.url):
        answer = await endpoint.request("OPTIONS", url)
        assert (answer.status_code, answer.headers["accept-post"]) == (200, "application/sdp")


async def test_4_2_pages_of_other_origins_are_let_in_without_a_token(endpoint: Endpoint) -> None:
    """Fetch Standard: a preflight carries no token; the answer names methods and headers."""
    session = await endpoint.begin()
    for url, method in ((endpoint.url, "POST"), (session.url, "DELETE"), (session.url, "PATCH")):
        answer = await endpoint.request(
            "OPTIONS",
            url,
            origin="https://desk.example",
            access_control_request_method=method,
            access_control_request_headers="authorization,content-type,if-match",
        )
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert method in answer.headers["access-control-allow-methods"]
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "if-match"))


async def test_4_2_pages_of_other_origins_can_read_what_they_need(endpoint: Endpoint) -> None:
    for answer in (await endpoint.post(origin="https://desk.example"), await endpoint.post("x", origin="https://a.b")):
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert all(name in exposed for name in ("location", "etag", "link"))


# -- §4.3 ICE support -------------------------------------------------------------------------------------------------


async def test_4_3_1_the_session_has_a_strong_entity_tag_of_its_own(endpoint: Endpoint) -> None:
    first, second = await endpoint.begin(), await endpoint.again().begin()
    assert first.tag.startswith('"')
    assert first.tag.endswith('"')
    assert first.tag != second.tag


async def test_4_3_1_a_patch_of_another_type_is_refused(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    answer = await session.patch(fragment(endpoint.offer), content_type="application/sdp")
    assert (answer.status_code, problem(answer)) == (415, "content-type")


@pytest.mark.parametrize("body", ["", "rubbish", "a=candidate:x\r\n", "a=ice-ufrag:!\r\n"])
async def test_4_3_1_a_malformed_fragment_is_refused(endpoint: Endpoint, body: str) -> None:
    assert (await (await endpoint.begin()).patch(body)).status_code == 400


async def test_4_3_1_a_patch_without_if_match_is_refused(endpoint: Endpoint) -> None:
    answer = await (await endpoint.begin()).patch(fragment(endpoint.offer), if_match=None)
    assert (answer.status_code, problem(answer)) == (428, "if-match-missing")


async def test_4_3_1_a_patch_for_another_ice_session_is_refused(endpoint: Endpoint) -> None:
    session, other = await endpoint.begin(), await endpoint.again().begin()
    for tag in (other.tag, '"x"', f"W/{session.tag}", session.tag.strip('"')):
        answer = await session.patch(fragment(endpoint.offer), if_match=tag)
        assert (answer.status_code, problem(answer)) == (412, "if-match")


async def test_4_3_1_delete_ignores_entity_tags(endpoint: Endpoint) -> None:
    assert (await (await endpoint.begin()).delete(if_match='"x"')).status_code == 200


async def test_4_3_2_trickled_candidates_are_taken_without_content_or_tag(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    answer = await session.patch(fragment(endpoint.offer, CANDIDATE))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "etag" not in answer.headers


async def test_4_3_2_one_of_several_entity_tags_is_enough(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    assert (await session.patch(fragment(endpoint.offer), if_match=f'"x", {session.tag}')).status_code == 204


async def test_4_3_2_candidates_of_unknown_transports_are_passed_over(endpoint: Endpoint) -> None:
    tcp = "1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"
    hidden = "1 1 udp 2122260223 0d7ad02f-77ee-4e8a-bd35-fcb5dbc5b9a7.local 61764 typ host"
    answer = await (await endpoint.begin()).patch(fragment(endpoint.offer, tcp, hidden, CANDIDATE))
    assert answer.status_code == 204


async def test_4_3_2_the_answer_has_all_candidates(endpoint: Endpoint) -> None:
    _, media = answer_lines(await endpoint.post())
    port = endpoint.relay.media_port
    for lines in media:
        candidates = [line.split() for line in lines if line.startswith("a=candidate:")]
        assert [(one[2], one[4], one[5]) for one in candidates] == [
            ("udp", "127.0.0.1", str(port)),
            ("udp", "::1", str(port)),
        ]
        assert "a=end-of-candidates" in lines


async def test_4_3_3_an_ice_restart_is_refused_and_the_session_goes_on(endpoint: Endpoint) -> None:
    """§4.3.1: who supports trickling alone answers 422; §4.3.3: a failed restart does not end the session."""
    session = await endpoint.begin()
    restart = fragment(endpoint.offer, CANDIDATE)
    changed = restart.replace(restart.split("\r\n", 1)[0], "a=ice-ufrag:ysXw")
    for body, tag in ((changed, "*"), (changed, session.tag), (restart, "*")):
        answer = await session.patch(body, if_match=tag)
        assert (answer.status_code, problem(answer)) == (422, "ice-restart")
    assert (await session.patch(restart)).status_code == 204


async def test_4_3_3_the_patches_that_are_taken_are_announced(endpoint: Endpoint) -> None:
    """RFC 5789 §3.1."""
    session = await endpoint.begin()
    assert session.answer.headers["accept-patch"] == FRAGMENT
    assert (await endpoint.request("OPTIONS", session.url)).headers["accept-patch"] == FRAGMENT


# -- §4.4 WebRTC constraints ------------------------------------------------------------------------------------------


async def test_4_4_1_everything_is_in_one_bundle(endpoint: Endpoint) -> None:
    session, media = answer_lines(await endpoint.post())
    mids = [line.removeprefix("a=mid:") for lines in media for line in lines if line.startswith("a=mid:")]
    assert f"a=group:BUNDLE {' '.join(mids)}" in session
    assert len(mids) == len(media) == 2


async def test_4_4_1_an_offer_without_bundle_is_refused(endpoint: Endpoint) -> None:
    answer = await endpoint.post(without(endpoint.offer, "a=group"))
    assert (answer.status_code, problem(answer)) == (422, "offer-bundle")


async def test_4_4_1_rtcp_shares_the_port_and_nothing_else_is_meant(endpoint: Endpoint) -> None:
    _, media = answer_lines(await endpoint.post())
    assert all("a=rtcp-mux" in lines and "a=rtcp-mux-only" in lines for lines in media)


async def test_4_4_1_an_offer_with_a_port_for_rtcp_is_refused(endpoint: Endpoint) -> None:
    answer = await endpoint.post(without(endpoint.offer, "a=rtcp-mux"))
    assert (answer.status_code, problem(answer)) == (422, "offer-rtcp-mux")


async def test_4_4_2_two_tracks_of_a_kind_are_refused(endpoint: Endpoint) -> None:
    offer = endpoint.offer.replace("m=audio", "m=video")
    answer = await endpoint.post(offer)
    assert (answer.status_code, problem(answer)) == (422, "offer-tracks")


async def test_4_4_3_an_offer_is_taken_whole_or_not_at_all(endpoint: Endpoint) -> None:
    answer = await endpoint.post(endpoint.offer.replace("opus/48000/2", "PCMU/8000"))
    assert (answer.status_code, problem(answer)) == (422, "offer-codec")


async def test_4_4_3_data_channels_are_refused(endpoint: Endpoint) -> None:
    channel = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=rtcp-mux\r\n"
    answer = await endpoint.post(endpoint.offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + channel)
    assert (answer.status_code, problem(answer)) == (422, "offer-kind")


async def test_4_4_4_the_relay_waits_for_the_handshake(endpoint: Endpoint) -> None:
    for offered in ("actpass", "active"):
        _, media = answer_lines(await endpoint.post(endpoint.offer.replace("a=setup:actpass", f"a=setup:{offered}")))
        assert all("a=setup:passive" in lines for lines in media)


async def test_4_4_4_a_client_that_can_only_wait_is_called(endpoint: Endpoint) -> None:
    """Beyond the standard: FFmpeg's muxer offers `passive`."""
    _, media = answer_lines(await endpoint.post(endpoint.offer.replace("a=setup:actpass", "a=setup:passive")))
    assert all("a=setup:active" in lines for lines in media)


async def test_4_4_5_an_ice_lite_relay_says_so_and_takes_no_lite_client(endpoint: Endpoint) -> None:
    session, _ = answer_lines(await endpoint.post())
    assert "a=ice-lite" in session
    answer = await endpoint.again().post(endpoint.offer.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n"))
    assert (answer.status_code, problem(answer)) == (422, "offer-ice-lite")


# -- §4.5 load, §4.6 ICE servers --------------------------------------------------------------------------------------


async def test_4_5_floods_are_told_to_wait(endpoint: Endpoint) -> None:
    """§5: rate limits for POST, PATCH and DELETE; another address is not concerned."""
    mine, others = ("192.0.2.77", "192.0.2.78") if endpoint.protocol == "whip" else ("2001:db8::77", "2001:db8::78")
    answers = [await endpoint.post("x", x_forwarded_for=mine) for _ in range(260)]
    assert {answer.status_code for answer in answers} == {400, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert problem(refused) == "too-many-requests"
    assert (await endpoint.post("x", x_forwarded_for=others)).status_code == 400


async def test_4_6_without_turn_no_ice_server_is_told(endpoint: Endpoint) -> None:
    assert "link" not in (await endpoint.post()).headers


# -- §4.7 authentication ----------------------------------------------------------------------------------------------


async def test_4_7_without_a_token_nothing_begins(endpoint: Endpoint) -> None:
    for header in (None, "", "Bearer", "Basic YTpi", endpoint.token):
        answer = await endpoint.post(authorization=header)
        assert (answer.status_code, problem(answer)) == (401, "token-missing")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_4_7_a_token_that_is_none_begins_nothing(endpoint: Endpoint) -> None:
    answer = await endpoint.post(authorization=f"Bearer {endpoint.token[:-8]}AAAAAAAA")
    assert (answer.status_code, problem(answer)) == (401, "token-malformed")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_4_7_a_token_for_another_path_or_action_begins_nothing(endpoint: Endpoint) -> None:
    other = endpoint.relay.token("another", endpoint.action)
    answer = await endpoint.post(authorization=f"Bearer {other}")
    assert (answer.status_code, problem(answer)) == (403, "token-path")
    other = endpoint.relay.token(endpoint.path, "play" if endpoint.action == "publish" else "publish")
    answer = await endpoint.post(authorization=f"Bearer {other}")
    assert (answer.status_code, problem(answer)) == (403, "token-action")


async def test_4_7_only_the_token_that_began_a_session_governs_it(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    assert (await endpoint.request("DELETE", session.url)).status_code == 401
    endpoint.token = endpoint.relay.token(endpoint.path, endpoint.action)
    assert (await session.delete()).status_code == 404
    assert (await session.patch(fragment(endpoint.offer))).status_code == 404
    assert (await endpoint.request("GET", session.url)).status_code == 204


async def test_4_7_a_session_of_the_other_protocol_is_none_here(endpoint: Endpoint) -> None:
    session = await endpoint.begin()
    other = "whep" if endpoint.protocol == "whip" else "whip"
    url = session.url.replace(f"/{endpoint.protocol}/", f"/{other}/")
    assert (await endpoint.request("GET", url)).status_code == 404


async def test_a_name_that_no_path_can_have_is_not_found(endpoint: Endpoint) -> None:
    for name in ("a%20b", "%2e%2e", "x" * 65, "ä"):
        answer = await endpoint.client.post(f"{endpoint.relay.url}/{endpoint.protocol}/{name}")
        assert answer.status_code == 404


async def test_refusals_are_counted_by_name(endpoint: Endpoint) -> None:
    await endpoint.post("x")
    metrics = (await endpoint.request("GET", f"{endpoint.relay.url}/metrics")).text
    assert 'xunlu_streaming_refusals_total{problem="offer-version"}' in metrics


async def test_offers_of_every_client_we_know_are_answered(endpoint: Endpoint) -> None:
    names = {
        "whip": ("aiortc-publisher", "ffmpeg-active", "ffmpeg-passive", "gstreamer-publisher", "libwebrtc-simulcast"),
        "whep": ("gstreamer-viewer", "libwebrtc-viewer"),
    }
    for name in names[endpoint.protocol]:
        assert (await endpoint.again().post(offer_text(name))).status_code == 201
