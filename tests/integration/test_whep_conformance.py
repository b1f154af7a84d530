"""What draft-ietf-wish-whep-04 demands of a server beyond what it shares with WHIP.

The rest is in test_webrtc_http_conformance.py. A path without a publication is waited for, so the draft's 409 (§4.2)
has no place; every offer is answered or refused, so neither have counter-offers (406).
"""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.integration.signalling_rig import Endpoint, answer_lines
from tests.media import Relay, running_relay
from tests.services import Services

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture(scope="module")
async def relay(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relay]:
    async with running_relay(services.test_broker, tmp_path_factory.mktemp("relay")) as one:
        yield one


@pytest_asyncio.fixture
async def endpoint(relay: Relay) -> AsyncIterator[Endpoint]:
    async with httpx2.AsyncClient() as client:
        yield Endpoint(relay=relay, protocol="whep", client=client)


async def test_4_2_the_answer_only_sends(endpoint: Endpoint) -> None:
    for offer in (endpoint.offer, endpoint.offer.replace("a=recvonly", "a=sendrecv")):
        _, media = answer_lines(await endpoint.post(offer))
        assert all("a=sendonly" in lines for lines in media)


async def test_4_2_a_path_without_a_publication_is_waited_for(endpoint: Endpoint) -> None:
    assert (await endpoint.post()).status_code == 201


async def test_4_4_2_all_media_is_of_one_stream_with_one_clock(endpoint: Endpoint) -> None:
    """RFC 8830, RFC 8834 §4.9: one msid and one CNAME, so that sound and picture are played together."""
    _, media = answer_lines(await endpoint.post())
    streams = [line.split()[0] for lines in media for line in lines if line.startswith("a=msid:")]
    assert streams == [f"a=msid:{endpoint.path}"] * 2
    names = {line.partition("cname:")[2] for lines in media for line in lines if line.startswith("a=ssrc:")}
    assert names == {endpoint.path}


async def test_retransmissions_are_announced_with_what_they_repair(endpoint: Endpoint) -> None:
    _, media = answer_lines(await endpoint.post())
    video = next(lines for lines in media if lines[0].startswith("m=video"))
    declared = [line.removeprefix("a=ssrc:").split()[0] for line in video if line.startswith("a=ssrc:")]
    assert f"a=ssrc-group:FID {' '.join(declared)}" in video


async def test_two_viewers_of_a_path_get_the_same_numbering(endpoint: Endpoint) -> None:
    first, second = (await endpoint.post()).text, (await endpoint.again().post()).text
    ours = [[line for line in text.splitlines() if line.startswith("a=ssrc")] for text in (first, second)]
    assert ours[0] == ours[1]


async def test_whatever_may_be_published_can_flow(endpoint: Endpoint) -> None:
    _, media = answer_lines(await endpoint.post())
    video = next(lines for lines in media if lines[0].startswith("m=video"))
    assert {"a=rtpmap:96 VP8/90000", "a=rtpmap:108 H264/90000"} <= set(video)
