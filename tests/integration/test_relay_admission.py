"""Whom a worker of the relay sends elsewhere or asks to come later, and who may see the list of streams."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.integration.ingest_rig import eventually
from tests.integration.signalling_rig import Endpoint, problem
from tests.media import running_relay
from tests.services import TestBroker
from xunlu_protocol.media import worker_of

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient() as one:
        yield one


@pytest.mark.parametrize("protocol", ["whip", "whep"])
async def test_a_path_of_another_worker_is_redirected_with_307(
    broker: TestBroker, tmp_path: Path, client: httpx2.AsyncClient, protocol: str
) -> None:
    """RFC 9725 §4.5: 307 keeps the method and the body; 301 and 302 must not be used."""
    urls = ("http://127.0.0.1:1", "https://relay-2.example/media/")
    async with running_relay(broker, tmp_path, workers=",".join(urls), number=1) as relay:
        names = [f"D{number}" for number in range(40)]
        for name in names:
            address = f"{relay.url}/{protocol}/{name}?a=1&b=2"
            answer = await client.post(address, content="x", headers={"Content-Type": "application/sdp"})
            if worker_of(name, urls) == 0:
                assert answer.status_code == 401
            else:
                assert answer.status_code == 307
                assert answer.headers["location"] == f"https://relay-2.example/media/{protocol}/{name}?a=1&b=2"
        assert {worker_of(name, urls) for name in names} == {0, 1}


@pytest.mark.parametrize("protocol", ["whip", "whep"])
async def test_a_full_worker_says_when_to_come_again(
    broker: TestBroker, tmp_path: Path, client: httpx2.AsyncClient, protocol: str
) -> None:
    """RFC 9725 §4.5; a session that ends makes room."""
    async with running_relay(broker, tmp_path, publishers_max=1, viewers_max=1) as relay:
        first = Endpoint(relay=relay, protocol=protocol, client=client)  # type: ignore[arg-type]  # a literal above
        session = await first.begin()
        second = Endpoint(relay=relay, protocol=protocol, client=client)  # type: ignore[arg-type]
        answer = await second.post()
        assert (answer.status_code, problem(answer)) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
        await session.delete()

        async def admitted() -> bool:
            return (await second.post()).status_code == 201

        await eventually(admitted)


async def test_clients_are_told_the_turn_server_of_the_installation(
    broker: TestBroker, tmp_path: Path, client: httpx2.AsyncClient
) -> None:
    """RFC 9725 §4.6; never to a preflight."""
    (broker.secrets / "turn-password").write_text('pass"word', "utf-8")
    settings = {"turn_url": "turn:turn.example:3478?transport=udp", "turn_username": "xunlu"}
    async with running_relay(broker, tmp_path, **settings) as relay:
        endpoint = Endpoint(relay=relay, protocol="whep", client=client)
        assert (await endpoint.post()).headers["link"] == (
            '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="xunlu"; '
            'credential="pass\\"word"; credential-type="password"'
        )
        assert "link" not in (await endpoint.request("OPTIONS", access_control_request_method="POST")).headers


async def test_this_machine_sees_all_streams_and_others_their_own(
    broker: TestBroker, tmp_path: Path, client: httpx2.AsyncClient
) -> None:
    async with running_relay(broker, tmp_path) as relay:
        url = f"{relay.url}/api/streams"
        mine = Endpoint(relay=relay, protocol="whep", client=client)
        others = Endpoint(relay=relay, protocol="whep", client=client)
        for endpoint in (mine, others):
            await endpoint.begin()
        listed = (await client.get(url)).json()
        assert {stream["did"] for stream in listed} == {mine.path, others.path}
        assert all(stream["viewers"] == 1 and not stream["live"] for stream in listed)

        far = {"X-Forwarded-For": "192.0.2.1"}
        answer = await client.get(url, headers=far)
        assert (answer.status_code, problem(answer)) == (401, "token-missing")
        seen = (await client.get(url, headers={**far, **mine.bearer})).json()
        assert [stream["did"] for stream in seen] == [mine.path]
