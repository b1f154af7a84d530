"""What bad networks do to pictures: loss, reordering, outages, other addresses; and that sound stays with them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from aiortc.rtp import RtcpByePacket, RtcpPsfbPacket, RtcpSrPacket

from tests.integration.ingest_rig import eventually
from tests.media import Relay, running_relay
from tests.media_camera import CNAME, FPS, Camera, Pair, filming, new_path, pair
from tests.media_client import HEADER, VP8_CAMERA, WINDOW, MediaClient, figures, payload
from tests.services import TestBroker
from xunlu_edge.media.adapter import AnyRtcpPacket, RtcpSdesPacket
from xunlu_sim.udp_impairment import UdpLink, UdpOptions, impaired_udp

pytestmark = pytest.mark.integration

MOBILE = UdpOptions(loss=0.1, delay_s=0.025)
LIP_SYNC_S = 0.001


@pytest_asyncio.fixture
async def relay(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(broker, tmp_path) as one:
        yield one


@contextlib.asynccontextmanager
async def impaired_pair(relay: Relay, options: UdpOptions) -> AsyncIterator[tuple[Pair, UdpLink, UdpLink]]:
    """A publication that is watched, each end behind a network of its own."""
    path = new_path()
    async with (
        impaired_udp("127.0.0.1", relay.media_port, options) as up,
        impaired_udp("127.0.0.1", relay.media_port, options) as down,
        MediaClient(relay, path, "publish", VP8_CAMERA, address=("127.0.0.1", up.port)) as publisher,
    ):
        camera = Camera(publisher, "VP8")
        async with (
            filming(publisher, camera),
            MediaClient(relay, path, "play", WINDOW, address=("127.0.0.1", down.port)) as viewer,
        ):
            yield Pair(path, camera, publisher, viewer), up, down


def seen_numbers(one: Pair) -> list[int]:
    """Which of the camera's pictures have come whole, in the order of the viewer."""
    numbers = {first: number for number, (first, *_) in enumerate(one.camera.pictures)}
    seen = one.viewer.tracks["video"].pictures()
    assert all(picture == one.camera.pictures[numbers[picture[0]]] for picture in seen)
    return [numbers[first] for first, *_ in seen]


async def test_ten_percent_of_loss_on_both_legs_cost_hardly_a_picture(relay: Relay) -> None:
    async with impaired_pair(relay, MOBILE) as (one, up, down):
        await one.goes_on(150, timeout_s=60)
        # Of the newest ones, repairs are on their way.
        numbers = seen_numbers(one)[:-15]
        assert up.dropped > 50
        assert down.dropped > 50
        assert one.viewer.tracks["video"].repaired > 20
        assert one.camera.video.resent > 20
        assert all(a < b for a, b in pairwise(numbers))
        assert len(numbers) >= 0.985 * (numbers[-1] - numbers[0] + 1)


async def test_reordering_and_jitter_lose_nothing(relay: Relay) -> None:
    async with impaired_pair(relay, UdpOptions(delay_s=0.01, jitter_s=0.02, reorder=0.1)) as (one, _, _):
        await one.sees(75, timeout_s=30)


async def test_after_an_outage_of_the_uplink_pictures_go_on_in_order(relay: Relay) -> None:
    async with impaired_pair(relay, UdpOptions(delay_s=0.01)) as (one, up, _):
        await one.sees(10)
        up.lose()
        gone = len(one.camera.pictures)

        async def a_second_later() -> bool:
            return len(one.camera.pictures) >= gone + FPS

        await eventually(a_second_later)
        up.find()
        await one.goes_on(20)
        numbers = seen_numbers(one)
        assert all(a < b for a, b in pairwise(numbers))
        assert set(range(numbers[0], gone - 2)) <= set(numbers)
        assert not one.publisher.is_over


@pytest.mark.parametrize("end", ["publisher", "viewer"])
async def test_who_changes_the_address_keeps_the_session_and_every_picture(relay: Relay, end: str) -> None:
    async with impaired_pair(relay, UdpOptions()) as (one, up, down):
        link = up if end == "publisher" else down
        for _ in range(3):
            await one.sees(10)
            link.change_address()
        await one.sees(30)


@pytest.mark.parametrize("hosts", ["::1", "127.0.0.1,::1"])
async def test_either_family_of_addresses_carries_media(broker: TestBroker, tmp_path: Path, hosts: str) -> None:
    async with running_relay(broker, tmp_path, media_hosts=hosts) as relay:
        path = new_path()
        port = relay.media_port
        addresses = [(host, port) for host in hosts.split(",")]
        async with MediaClient(relay, path, "publish", VP8_CAMERA, address=addresses[0]) as publisher:
            assert [(one.ip, one.port) for one in publisher.answer.media[0].ice_candidates] == addresses
            camera = Camera(publisher, "VP8")
            async with (
                filming(publisher, camera),
                MediaClient(relay, path, "play", WINDOW, address=addresses[-1]) as viewer,
            ):
                await Pair(path, camera, publisher, viewer).sees(30)


async def test_a_viewer_that_joins_where_numbers_wrap_sees_every_picture(relay: Relay) -> None:
    path = new_path()
    async with MediaClient(relay, path, "publish", VP8_CAMERA) as publisher:
        camera = Camera(publisher, "VP8")
        # Numbers of a path begin below 2^13; two leaps that SRTP bears bring them near their first wrap.
        async with filming(publisher, camera), MediaClient(relay, path, "play", WINDOW) as first:
            one = Pair(path, camera, publisher, first)
            track = first.tracks["video"]
            await one.goes_on(3)
            for _ in range(2):
                ahead = (0xFFFF - 60 - track.highest) & 0xFFFF
                camera.video._sequence = camera.video._sequence + min(30_000, ahead) & 0xFFFF
                await one.goes_on(3)
            while track.highest & 0xFFFF > 1000:
                camera.hear(pli(camera))
                async with MediaClient(relay, path, "play", WINDOW) as late:
                    await Pair(path, camera, publisher, late).sees(3)


def pli(camera: Camera) -> AnyRtcpPacket:
    """What a relay would say to it."""
    return RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=camera.video.ssrc)


async def test_sender_reports_keep_sound_with_pictures_and_count_what_was_sent(relay: Relay) -> None:
    async with pair(relay) as one:
        viewer = one.viewer
        counts: list[tuple[int, int]] = []
        heard: dict[int, RtcpSrPacket] = {}
        names: set[bytes] = set()
        kinds = {track.ssrc: kind for kind, track in viewer.tracks.items()}

        def hear(packet: AnyRtcpPacket) -> None:
            match packet:
                case RtcpSrPacket():
                    came = viewer.tracks[kinds[packet.ssrc]].packets.values()
                    octets = sum(len(payload(each)) for each in came)
                    counts.append(
                        (packet.sender_info.packet_count - len(came), packet.sender_info.octet_count - octets)
                    )
                    heard[packet.ssrc] = packet
                case RtcpSdesPacket():
                    names.update(data for chunk in packet.chunks for _, data in chunk.items)

        viewer.on_report = hear
        await one.sees(3 * FPS)
        assert len(counts) >= 4
        # What came again is counted once, and what is on its way comes in order.
        assert set(counts) == {(0, 0)}
        assert len(names) == 1
        assert CNAME.encode() not in names
        offsets_s = {kind: offset_s(one, kind, heard[ssrc]) for ssrc, kind in kinds.items()}
        assert max(map(abs, offsets_s.values())) <= LIP_SYNC_S


def offset_s(one: Pair, kind: str, report: RtcpSrPacket) -> float:
    """How far apart are the moments that publisher and viewer take for those of the same packet."""
    clock_hz = 90_000 if kind == "video" else 48_000
    ntp, stamp = one.camera.reports[kind]
    track = one.viewer.tracks[kind]
    packet = track.packets[track.highest]

    def moment(ntp: int, stamp: int, at: int) -> float:
        return ntp + ((at - stamp + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000) / clock_hz * 2**32

    published = moment(ntp, stamp, one.camera.stamps[payload(packet)])
    info = report.sender_info
    return (moment(info.ntp_timestamp, info.rtp_timestamp, HEADER.unpack_from(packet)[3]) - published) / 2**32


async def test_the_end_of_the_worker_is_said_to_viewers(relay: Relay) -> None:
    async with pair(relay) as one:
        await one.sees(3)
        os.kill(relay.pid, signal.SIGTERM)

        async def said() -> bool:
            farewells = [each for each in one.viewer.reports if isinstance(each, RtcpByePacket)]
            ssrcs = {ssrc for each in farewells for ssrc in each.sources}
            return ssrcs == {track.ssrc for track in one.viewer.tracks.values()} and one.viewer.is_over

        await eventually(said)


@pytest.mark.timeout(180)
async def test_joins_and_leaves_by_the_hundred_leave_nothing_behind(relay: Relay) -> None:
    names = ("sessions", "viewers", "names", "addresses", "tasks", "paths")
    async with pair(relay) as one:
        await one.sees(3)
        before = await figures(relay)

        async def come_and_go() -> None:
            async with MediaClient(relay, one.path, "play", WINDOW, repairs=False) as viewer:
                await viewer.delete()

        for _ in range(60):
            await asyncio.gather(*(come_and_go() for _ in range(5)))

        async def as_before() -> bool:
            now = await figures(relay)
            return all(now[name] == before[name] for name in names)

        await eventually(as_before, timeout_s=30)
        await one.sees(5)
        assert (await figures(relay))["viewers_opened_total"] == before["viewers_opened_total"] + 300
