"""What RFC 9725 demands of a WHIP server beyond what it shares with WHEP; see test_webrtc_http_conformance.py."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.integration.signalling_rig import Endpoint, answer_lines
from tests.media import Relay, running_relay
from tests.services import Services
from tests.unit.xunlu_streaming.captured import offer_text

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture(scope="module")
async def relay(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relay]:
    async with running_relay(services.test_broker, tmp_path_factory.mktemp("relay")) as one:
        yield one


@pytest_asyncio.fixture
async def endpoint(relay: Relay) -> AsyncIterator[Endpoint]:
    async with httpx2.AsyncClient() as client:
        yield Endpoint(relay=relay, protocol="whip", client=client)


async def test_4_2_the_answer_only_receives(endpoint: Endpoint) -> None:
    for offer in (endpoint.offer, endpoint.offer.replace("a=sendonly", "a=sendrecv")):
        _, media = answer_lines(await endpoint.post(offer))
        assert all("a=recvonly" in lines for lines in media)


async def test_4_2_the_answer_describes_no_streams_of_ours(endpoint: Endpoint) -> None:
    answer = await endpoint.post()
    assert "a=ssrc" not in answer.text
    assert "a=msid:" not in answer.text


async def test_4_8_simulcast_is_answered_layer_by_layer(endpoint: Endpoint) -> None:
    """RFC 8853 §5.3.2: the direction turned around, the layers as they were offered."""
    _, media = answer_lines(await endpoint.post(offer_text("libwebrtc-simulcast")))
    video = next(lines for lines in media if lines[0].startswith("m=video"))
    assert [line for line in video if line.startswith(("a=rid", "a=simulcast"))] == [
        "a=rid:h recv",
        "a=rid:m recv",
        "a=rid:l recv",
        "a=simulcast:recv h;m;l",
    ]


async def test_4_9_no_extension_is_needed_or_announced(endpoint: Endpoint) -> None:
    assert "urn:ietf:params:whip:ext" not in (await endpoint.post()).headers.get("link", "")


async def test_one_codec_of_each_kind_is_chosen_so_that_none_changes_on_the_way(endpoint: Endpoint) -> None:
    _, media = answer_lines(await endpoint.post())
    assert sorted(lines[0] for lines in media) == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
    ]
