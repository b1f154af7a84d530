"""Sessions that begin and end in every wrong way: bounded, forgotten, and nobody else notices."""

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.integration.adversity_rig import paced, quiet_relay
from tests.integration.ingest_rig import eventually
from tests.media import Relay
from tests.media_camera import Camera, Pair, filming, new_path, pair, undisturbed
from tests.media_client import H264_CAMERA, VP8_CAMERA, WINDOW, MediaClient, Wish, figures, offer
from tests.services import TestBroker
from xunlu_edge.media.adapter import RTCP_PSFB_PLI, AnyRtcpPacket, RtcpPsfbPacket
from xunlu_edge.media.way import Credentials

pytestmark = pytest.mark.integration

LOST_S = 30.0
OPENING_MAX = 100
GROUP_KEPT = 60
"""Pictures after which a group is too old to begin with."""


@pytest_asyncio.fixture
async def relay(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    async with quiet_relay(broker, tmp_path, opening_max=OPENING_MAX) as one:
        yield one


@pytest_asyncio.fixture
async def healthy(relay: Relay) -> AsyncIterator[Pair]:
    """Somebody else's path; nothing that a test does may reach it."""
    async with pair(relay) as one, undisturbed(one):
        yield one


async def test_sessions_that_never_send_a_datagram_are_bounded_and_forgotten(relay: Relay, healthy: Pair) -> None:
    text = offer(WINDOW, "recvonly", Credentials(), ":".join(["AB"] * 32))
    async with httpx2.AsyncClient() as http:

        async def post() -> httpx2.Response:
            path = new_path()
            return await http.post(f"{relay.url}/whep/{path}", content=text, headers=relay.headers(path, "play"))

        answers = [await post() for _ in range(OPENING_MAX + 10)]
        refused = [one for one in answers if one.status_code == 503]
        assert {one.status_code for one in answers} == {201, 503}
        assert all(int(one.headers["Retry-After"]) > 0 for one in refused)

        async def again() -> bool:
            return (await post()).status_code == 201

        await eventually(again, timeout_s=LOST_S)


async def test_garbage_among_handshakes_ends_at_most_its_own(relay: Relay, healthy: Pair) -> None:
    path = new_path()
    hello = bytes([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0])
    hostile = [
        bytes([22]),
        hello,
        hello + b"\xff\xff",
        hello + struct.pack("!H", 13) + bytes([1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        hello + struct.pack("!H", 20) + bytes([1, 0, 0, 99, 0, 0, 0, 0, 50, 0, 0, 8]) + bytes(8),
        bytes([23, 254, 253]) + os.urandom(60),
        bytes([20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1]),
        bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 2, 40]),
        bytes([22]) + os.urandom(1400),
    ]
    client = MediaClient(relay, path, "play", WINDOW)
    await client.reach()
    await paced(client.way.send, hostile * 200)
    client.vanish()
    # An attacker without keys can put records on the way of a session that is up; they end nothing.
    async with pair(relay) as one:
        await one.sees(3)
        for end in (one.publisher, one.viewer):
            await paced(end.way.send, hostile)
        await one.sees(5)


async def test_a_publisher_that_vanishes_is_lost_and_its_viewers_wait_for_the_next(relay: Relay) -> None:
    path = new_path()
    async with MediaClient(relay, path, "play", WINDOW) as viewer:
        publisher = MediaClient(relay, path, "publish", VP8_CAMERA)
        await publisher.__aenter__()
        camera = Camera(publisher, "VP8")
        async with filming(publisher, camera):
            await Pair(path, camera, publisher, viewer).sees(5)
        publisher.vanish()
        began_s = time.monotonic()

        async def lost() -> bool:
            return not (await figures(relay))["paths_live"]

        await eventually(lost, timeout_s=LOST_S)
        assert time.monotonic() - began_s > 10
        assert not viewer.is_over
        async with MediaClient(relay, path, "publish", VP8_CAMERA) as again:
            second = Camera(again, "VP8")
            async with filming(again, second):
                highest = viewer.tracks["video"].highest

                async def on() -> bool:
                    return viewer.tracks["video"].highest > highest + 40 and not viewer.tracks["video"].missing()

                await eventually(on)


async def test_a_viewer_begins_though_the_request_for_its_keyframe_is_lost(relay: Relay) -> None:
    async with pair(relay) as one:
        await one.sees(GROUP_KEPT)
        hear, lost = one.publisher.on_report, list[AnyRtcpPacket]()

        def lose_first(packet: AnyRtcpPacket) -> None:
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI and not lost:
                lost.append(packet)
            else:
                hear(packet)

        one.publisher.on_report = lose_first
        async with MediaClient(relay, one.path, "play", WINDOW) as viewer:
            await Pair(one.path, one.camera, one.publisher, viewer).sees(5)
        assert lost


async def test_of_two_publishers_that_begin_at_once_the_first_stays_where_a_second_is_refused(
    broker: TestBroker, tmp_path: Path
) -> None:
    async with quiet_relay(broker, tmp_path, second_publisher="refuse") as relay:
        path = new_path()
        slow = MediaClient(relay, path, "publish", VP8_CAMERA)
        await slow.reach()
        async with (
            MediaClient(relay, path, "publish", VP8_CAMERA) as first,
            MediaClient(relay, path, "play", WINDOW) as viewer,
        ):
            camera = Camera(first, "VP8")
            async with filming(first, camera):
                one = Pair(path, camera, first, viewer)
                await one.sees(3)
                await slow.shake_hands()

                async def refused() -> bool:
                    return slow.is_over

                await eventually(refused)
                await one.sees(5)
                assert not first.is_over
        slow.vanish()


async def test_a_token_plays_in_one_session_at_a_time(relay: Relay) -> None:
    path = new_path()
    text = offer(WINDOW, "recvonly", Credentials(), ":".join(["AB"] * 32))
    url, headers = f"{relay.url}/whep/{path}", relay.headers(path, "play")
    async with httpx2.AsyncClient() as http:
        first = await http.post(url, content=text, headers=headers)
        second = await http.post(url, content=text, headers=headers)
        assert (first.status_code, second.status_code) == (201, 409)
        assert second.json()["type"] == "/problems/token-busy"
        await http.delete(str(httpx2.URL(url).join(first.headers["location"])), headers=headers)
        assert (await http.post(url, content=text, headers=headers)).status_code == 201


async def test_sessions_deleted_at_any_moment_leave_nothing_behind(relay: Relay, healthy: Pair) -> None:
    before = await figures(relay)

    async def come_and_go(number: int) -> None:
        client = MediaClient(
            relay, new_path(), "play" if number % 2 else "publish", WINDOW if number % 2 else VP8_CAMERA
        )
        if number % 3 == 0:
            await client.reach()
        else:
            entering = asyncio.create_task(client.__aenter__())
            while not client.url:  # noqa: ASYNC110  the moment that is wanted has no event
                await asyncio.sleep(0)
            if number % 3 == 1:
                entering.cancel()
            await asyncio.gather(entering, return_exceptions=True)
        assert sorted(await asyncio.gather(client.delete(), client.delete())) in ([200, 404], [404, 404])
        client.vanish()

    for start in range(0, 60, 6):
        await asyncio.gather(*(come_and_go(number) for number in range(start, start + 6)))

    async def as_before() -> bool:
        now = await figures(relay)
        return all(now[name] == before[name] for name in ("viewers", "paths_live", "sessions", "tasks", "names"))

    await eventually(as_before, timeout_s=LOST_S)


async def test_offers_that_are_bombs_are_refused(relay: Relay, healthy: Pair) -> None:
    path = new_path()
    good = offer(WINDOW, "recvonly", Credentials(), ":".join(["AB"] * 32))
    bombs = [
        good + "a=rtpmap:96 VP8/90000\r\n" * 4000,
        good + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 3000,
        good.replace("a=mid:0", "a=mid:" + "0" * 60_000),
        good + "a=extmap:1 urn:x\r\n" * 3000,
        "v=0\r\n" * 10_000,
        good * 20,
        good[:200],
        good + "x" * 2_000_000,
    ]
    async with httpx2.AsyncClient() as http:
        for bomb in bombs:
            answer = await http.post(f"{relay.url}/whep/{path}", content=bomb, headers=relay.headers(path, "play"))
            assert 400 <= answer.status_code < 500, bomb[:100]


@pytest.mark.parametrize("wishes", [(H264_CAMERA, VP8_CAMERA), (VP8_CAMERA, H264_CAMERA)], ids=["VP8", "H264"])
async def test_viewers_stay_when_the_next_publication_has_another_codec(
    relay: Relay, wishes: tuple[Wish, Wish]
) -> None:
    path = new_path()
    async with MediaClient(relay, path, "play", WINDOW) as viewer:
        track = viewer.tracks["video"]
        for wish in wishes:
            async with MediaClient(relay, path, "publish", wish) as publisher:
                camera = Camera(publisher, wish.video[0].name)
                async with filming(publisher, camera):
                    await Pair(path, camera, publisher, viewer).goes_on()
    assert track.alien == 0
    assert not track.missing()
    assert {packet[1] & 0x7F for packet in track.packets.values()} == {one.pt for one in WINDOW.video}


async def test_a_source_that_replaces_a_silent_one_goes_on_in_its_numbers(relay: Relay) -> None:
    path = new_path()
    async with (
        MediaClient(relay, path, "publish", VP8_CAMERA) as publisher,
        MediaClient(relay, path, "play", WINDOW) as viewer,
    ):
        track = viewer.tracks["video"]
        # The sources differ in how many packets their pictures have.
        for packets in (4, 6):
            camera = Camera(publisher, "VP8", packets=packets)

            async def seen(packets: int = packets) -> bool:
                return [len(one) for one in track.pictures()[-5:]] == [packets] * 5

            async with filming(publisher, camera):
                await eventually(seen)
        assert not track.missing()
        assert {len(one) for one in track.pictures()} == {4, 6}
