"""A publication in several sizes: each viewer gets what its link carries, and sees one stream without a seam."""

import contextlib
import struct
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from aiortc.rtp import RtcpPsfbPacket, RtcpSrPacket, pack_remb_fci

from tests.integration.ingest_rig import eventually
from tests.integration.test_media_interop import Browser
from tests.media import Relay, running_relay
from tests.media_camera import Camera, distances, filming, new_path
from tests.media_client import HEADER, VP8_CAMERA, WINDOW, Format, MediaClient, Wish, payload
from tests.services import TestBroker
from xunlu_sim.udp_impairment import UdpOptions, impaired_udp

pytestmark = pytest.mark.integration

RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
LAYERS = {"q": 2, "h": 4, "f": 8}
"""Packets of a picture: 360, 720 and 1,440 kbit/s."""
SIMULCAST = Wish(video=[Format("VP8", 96, 97)], audio=[Format("opus", 111)], extensions={4: RID}, rids=[*LAYERS])
NARROW_BPS, WIDE_BPS = 400_000, 5_000_000
SWITCH_S = 30.0
LIP_SYNC_S = 0.001


@pytest_asyncio.fixture
async def relay(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(broker, tmp_path) as one:
        yield one


class Shown(NamedTuple):
    """A whole picture as it came."""

    rid: str
    number: int
    picture_id: int
    keyframe: bool


def shown(client: MediaClient) -> list[Shown]:
    """All that came whole, in order."""
    return [read(first) for first, *_ in client.tracks["video"].pictures()]


def read(first: bytes) -> Shown:
    """A picture by its first payload."""
    [picture_id], keyframe = struct.unpack_from("!H", first, 2), not first[4] & 1
    at = 14 if keyframe else 7
    [number] = struct.unpack_from("!I", first, at)
    return Shown(first[at + 6 :].split(b"@", 1)[0].decode(), number, picture_id & 0x7FFF, keyframe)


def carries(client: MediaClient, bitrate_bps: int) -> None:
    """What a browser says of its downlink."""
    ssrc = client.tracks["video"].ssrc
    client.report(bytes(RtcpPsfbPacket(fmt=15, ssrc=7, media_ssrc=0, fci=pack_remb_fci(bitrate_bps, [ssrc]))))


async def gets(client: MediaClient, rid: str, pictures: int = 10) -> None:
    """Wait until so many of the last pictures were of a layer."""

    async def there() -> bool:
        last = shown(client)[-pictures:]
        return len(last) == pictures and {one.rid for one in last} == {rid}

    await eventually(there, timeout_s=SWITCH_S)


def assert_seamless(client: MediaClient) -> None:
    """Numbers without a gap, times that rise, picture ids that count, and a keyframe wherever the layer changes."""
    track = client.tracks["video"]
    assert not track.missing()
    assert track.alien == 0
    assert all(step >= 0 for step in distances(track.stamps(), 32))
    pictures = shown(client)
    assert pictures[0].keyframe
    assert set(distances([one.picture_id for one in pictures], 15)) == {1}
    assert all(after.keyframe for before, after in pairwise(pictures) if before.rid != after.rid)


@contextlib.asynccontextmanager
async def simulcast(relay: Relay, path: str) -> AsyncIterator[dict[str, Camera]]:
    """All layers of a publication."""
    async with MediaClient(relay, path, "publish", SIMULCAST) as publisher:
        cameras = {rid: Camera(publisher, "VP8", packets=packets, rid=rid) for rid, packets in LAYERS.items()}
        async with filming(publisher, *cameras.values()):
            yield cameras


async def test_viewers_get_the_layer_that_their_links_carry(relay: Relay) -> None:
    path = new_path()
    async with (
        simulcast(relay, path),
        MediaClient(relay, path, "play", WINDOW) as narrow,
        MediaClient(relay, path, "play", WINDOW) as wide,
    ):
        await gets(wide, "f")
        carries(narrow, NARROW_BPS)
        await gets(narrow, "q")
        await gets(wide, "f")
        carries(narrow, WIDE_BPS)
        await gets(narrow, "f")
        for client in (narrow, wide):
            await settled(client)
            assert_seamless(client)
        assert {one.rid for one in shown(narrow)} >= {"q", "f"}


async def settled(client: MediaClient) -> None:
    """Nothing is missing at this moment."""

    async def whole() -> bool:
        return not client.tracks["video"].missing()

    await eventually(whole)


async def test_repairs_are_found_on_either_side_of_a_switch(relay: Relay) -> None:
    path = new_path()
    async with (
        simulcast(relay, path),
        impaired_udp("127.0.0.1", relay.media_port, UdpOptions(loss=0.1, delay_s=0.01)) as link,
        MediaClient(relay, path, "play", WINDOW, address=("127.0.0.1", link.port)) as viewer,
    ):
        for bitrate_bps, rid in ((NARROW_BPS, "q"), (WIDE_BPS, "f"), (NARROW_BPS, "q")):
            # What is lost once is said again.
            for _ in range(5):
                carries(viewer, bitrate_bps)
            await gets(viewer, rid)
        link.options = UdpOptions()
        await settled(viewer)
        assert viewer.tracks["video"].repaired > 10
        assert_seamless(viewer)


async def test_a_layer_that_falls_silent_is_replaced(relay: Relay) -> None:
    path = new_path()
    async with simulcast(relay, path) as cameras, MediaClient(relay, path, "play", WINDOW) as viewer:
        await gets(viewer, "f")
        cameras["f"].shoot = lambda: None  # type: ignore[method-assign]  # what libwebrtc does on a narrow uplink
        await gets(viewer, "h")
        await settled(viewer)
        assert_seamless(viewer)


async def test_a_viewer_stays_whether_the_next_publication_has_layers_or_not(relay: Relay) -> None:
    path = new_path()
    async with MediaClient(relay, path, "play", WINDOW) as viewer:
        track = viewer.tracks["video"]
        for several in (False, True, True, False, True):
            if several:
                async with simulcast(relay, path):
                    await gets(viewer, "f")
            else:
                async with MediaClient(relay, path, "publish", VP8_CAMERA) as publisher:
                    camera = Camera(publisher, "VP8")
                    async with filming(publisher, camera):
                        await gets(viewer, "")
        await settled(viewer)
        assert all(step >= 0 for step in distances(track.stamps(), 32))
        assert track.alien == 0


async def test_sender_reports_of_a_switched_viewer_are_of_its_own_stream(relay: Relay) -> None:
    path = new_path()
    async with simulcast(relay, path) as cameras, MediaClient(relay, path, "play", WINDOW) as viewer:
        await gets(viewer, "f")
        carries(viewer, NARROW_BPS)
        await gets(viewer, "q")
        track = viewer.tracks["video"]
        viewer.reports.clear()

        async def reported() -> list[RtcpSrPacket]:
            return [one for one in viewer.reports if isinstance(one, RtcpSrPacket) and one.ssrc == track.ssrc]

        [report, *_] = await eventually(reported)
        came = len(track.packets)
        assert 0 <= came - report.sender_info.packet_count <= 100
        # The picture that came last was sent at the same moment by both reports.
        first = viewer.tracks["video"].pictures()[-1][0]
        ours = next(HEADER.unpack_from(one)[3] for one in track.packets.values() if payload(one) == first)
        theirs = next(
            at
            for one, at in cameras["q"].stamps.items()
            if one[:1] == b"\x90" and read(one).number == read(first).number
        )
        ntp, published = cameras["q"].reports["video"]
        apart_s = (ours - report.sender_info.rtp_timestamp - theirs + published) / 90_000
        assert abs(apart_s - (ntp - report.sender_info.ntp_timestamp) / 2**32) <= LIP_SYNC_S


async def test_layers_of_libwebrtc_are_switched_without_a_seam(relay: Relay) -> None:
    path = new_path()
    async with Browser(relay, path, "publish") as publisher, MediaClient(relay, path, "play", WINDOW) as viewer:
        await publisher.publish(1, 4)
        track = viewer.tracks["video"]

        async def wide() -> bool:
            return len(track.pictures()) > 20

        await eventually(wide, timeout_s=SWITCH_S)
        sizes: set[tuple[int, int]] = set()
        for bitrate_bps in (60_000, WIDE_BPS):
            carries(viewer, bitrate_bps)

            async def switched() -> bool:
                sizes.update(size for size in map(size_of, (one[0] for one in track.pictures())) if size)
                return len(sizes) > 1

            await eventually(switched, timeout_s=SWITCH_S)
        await settled(viewer)
        assert all(step >= 0 for step in distances(track.stamps(), 32))


def size_of(first: bytes) -> tuple[int, int] | None:
    """Of a VP8 keyframe (RFC 6386 §9.1)."""
    at = first.find(b"\x9d\x01\x2a", 0, 16)
    return None if at < 0 else struct.unpack_from("<HH", first, at + 3)
