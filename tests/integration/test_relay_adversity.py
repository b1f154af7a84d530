"""What hostile peers do to a worker: it is bounded, counted and said once, and nobody else notices."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from aioice import stun
from aiortc.rtp import RtcpPsfbPacket

from tests.integration.adversity_rig import counted, paced, quiet_relay
from tests.integration.ingest_rig import eventually
from tests.media import Relay
from tests.media_camera import Camera, Pair, filming, new_path, pair, undisturbed
from tests.media_client import H264_CAMERA, HEADER, WINDOW, MediaClient, figures
from tests.services import TestBroker

pytestmark = pytest.mark.integration

VIDEO_TYPE = 96


@pytest_asyncio.fixture
async def relay(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Relay]:
    async with quiet_relay(broker, tmp_path) as one:
        yield one


@pytest_asyncio.fixture
async def healthy(relay: Relay) -> AsyncIterator[Pair]:
    """Somebody else's path; nothing that a test does may reach it."""
    async with pair(relay) as one, undisturbed(one):
        yield one


@pytest_asyncio.fixture
async def attacker(relay: Relay) -> AsyncIterator[Pair]:
    """A path whose publisher or viewer is hostile."""
    async with pair(relay) as one:
        await one.sees(3)
        yield one


def check(name: str, password: str, **attributes: int) -> bytes:
    """A connectivity check."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{name}:stranger"
    request.attributes.update(attributes)
    request.add_message_integrity(password.encode())
    return bytes(request)


def hostile_attribute(name: str, kind: int, value: bytes) -> bytes:
    """A check with an attribute that is too short for what it should hold."""
    body = b""
    for number, data in ((0x0006, f"{name}:stranger".encode()), (kind, value)):
        body += struct.pack("!HH", number, len(data)) + data + bytes(-len(data) % 4)
    return struct.pack("!HHI12s", 1, len(body), 0x2112A442, os.urandom(12)) + body


async def test_floods_of_checks_are_refused_and_counted(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    name = attacker.viewer.remote.ufrag
    checks = [check("nobody", "wrong"), check(name, "wrong" * 5), check(name, "")[:-24]]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", relay.media_port))
        await paced(stranger.send, checks * 2000)
        await counted(relay, "checks_refused_total", 4000)
        # Whoever floods one name keeps nobody from coming.
        flood = asyncio.create_task(paced(stranger.send, checks[1:2] * 3000))
        async with pair(relay) as another:
            await another.sees(5)
        await flood
    await attacker.sees(5)


async def test_checks_with_attributes_that_are_too_short_are_refused(
    relay: Relay, healthy: Pair, attacker: Pair
) -> None:
    before = await figures(relay)
    name = attacker.viewer.remote.ufrag
    known = (0x0009, 0x000C, 0x000D, 0x0020, 0x0024, 0x8028, 0x8029, 0x802A)
    hostile = [hostile_attribute(name, kind, bytes(size)) for kind in known for size in (0, 1, 3)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", relay.media_port))
        await paced(stranger.send, hostile)
    # A fingerprint is read before anybody knows who sent it; all others are nobody's word.
    await counted(relay, "datagrams_malformed_total", before["datagrams_malformed_total"] + 3)
    await counted(relay, "checks_refused_total", before["checks_refused_total"] + 21)


async def test_replayed_and_forged_media_is_rejected(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    publisher = attacker.publisher
    rtp = publisher.protected(HEADER.pack(0x80, VIDEO_TYPE, 1, 1, 0xBAD) + b"x" * 200)
    rtcp = publisher.protected_report(struct.pack("!BBHI", 0x80, 201, 1, 7))
    for datagram in (rtp, rtcp):
        await paced(publisher.way.send, [datagram] * 500)
        forged = [bytes([*datagram[:-1], datagram[-1] ^ 1 << bit]) for bit in range(8)]
        await paced(publisher.way.send, forged * 60)
    await counted(relay, "packets_rejected_total", 1500)
    await attacker.sees(5)


async def test_packets_of_any_size_are_taken_or_counted(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    before = (await figures(relay))["packets_unknown_total"]
    for seq, size in enumerate((1461, 1473, 1500, 2000, 2031, 2032, 2033, 2049, 4000, 9000)):
        attacker.publisher.send(HEADER.pack(0x80, VIDEO_TYPE, seq, 1, 0xBAD) + bytes(size - 12))
    await counted(relay, "packets_unknown_total", before + 3)
    await counted(relay, "packets_rejected_total", 3)
    await attacker.sees(5)
    assert max(map(len, attacker.viewer.tracks["video"].packets.values())) < 1000


HOSTILE_REPORTS = [
    bytes([0x80, 200, 0, 0]),
    bytes([0x9F, 200, 0, 6]) + bytes(24),
    bytes([0x9F, 201, 0, 1]) + bytes(4),
    bytes([0x80, 201, 0xFF, 0xFF]) + bytes(40),
    bytes([0xA0, 201, 0, 1]) + bytes([0, 0, 0, 255]),
    bytes([0x9F, 203, 0, 0]),
    bytes([0x81, 205, 0, 1]) + bytes(4),
    bytes([0x81, 205, 0, 2]) + bytes(8) + bytes([0x80, 200, 0]),
    bytes([0x8F, 206, 0, 3]) + bytes(8) + b"REMB",
    bytes([0x8F, 206, 0, 4]) + bytes(8) + b"REMB" + b"\xff" * 4,
    bytes([0x84, 206, 0, 3]) + bytes(12),
    bytes([0x00, 200, 0, 1]) + bytes(4),
    bytes([0x81, 202, 0, 2]) + bytes(4) + bytes([1, 255, 0, 0]),
    bytes([0x80, 207, 0, 1]) + bytes(4),
    bytes([0x80, 201, 0, 1]) + bytes(4) + bytes([0x81, 205, 0, 0]),
]


async def test_hostile_reports_of_authenticated_peers_are_rejected(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    compounds = [one + two for one in HOSTILE_REPORTS for two in (b"", *HOSTILE_REPORTS)]
    # Whatever a peer's words are about, they may name the right streams.
    ssrc = struct.pack("!I", attacker.camera.video.ssrc)
    named = [one[:4] + ssrc + one[8:] for one in compounds if len(one) >= 8]
    for client in (attacker.publisher, attacker.viewer):
        await paced(client.report, [one.ljust(8, b"\0") for one in compounds + named])
    await counted(relay, "packets_rejected_total", 50)
    await attacker.sees(5)


async def test_repairs_of_garbage_bring_nothing(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    """A repair may close a gap and nothing else: no number, however far ahead, moves the stream."""
    camera, publisher = attacker.camera, attacker.publisher
    repair_type, repair_ssrc = camera.video._rtx or (0, 0)
    seq = iter(range(30_000, 40_000))

    def repair(body: bytes, *, first: int = 0x80) -> None:
        publisher.send(HEADER.pack(first, repair_type, next(seq), 1, repair_ssrc) + body)

    newest = camera.video._sequence
    ahead = [struct.pack("!H", newest + step & 0xFFFF) + b"x" for step in (1, 5, 900, 1100, 30_000, 32_767)]
    behind = [struct.pack("!H", newest - step & 0xFFFF) + b"x" for step in (1, 5, 900, 1100, 30_000)]
    for body in (b"", b"\0", b"\0\0", bytes(1200), os.urandom(1200), *ahead, *behind):
        repair(body)
    # Padding alone, as browsers send it to probe a link (RFC 3550 §5.1): no number is in it.
    for size in (1, 2, 3, 224, 255):
        repair(bytes(size - 1) + bytes([size]), first=0xA0)
    await attacker.sees(15)


async def test_hostile_header_extensions_reach_no_viewer_in_pieces(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    camera, publisher = attacker.camera, attacker.publisher
    bodies = (
        (0xBEDE, b"\xff\xff\xff\xff"), (0xBEDE, b"\x1f" + bytes(3)), (0xBEDE, b"\x0f\x0f\x0f\x0f"),
        (0xBEDE, b""), (0xBEDE, bytes(1000)), (0x1000, b"\x01\xff\x00\x00"), (0x100F, b"\x01" * 4),
        (0x1000, b"\x05"*3 + b"\x05"), (0x0000, b"\x00" * 4), (0xFFFF, b"\xff" * 400), (0xBEDE, b"\x33" * 200),
    )  # fmt: skip
    now = camera.video._timestamp(time.monotonic())
    sent: list[bytes] = []
    for profile, body in bodies:
        for csrcs in (0, 15):
            head = HEADER.pack(0x90 | csrcs, VIDEO_TYPE, camera.video._sequence, now, camera.video.ssrc)
            camera.video._sequence = camera.video._sequence + 1 & 0xFFFF
            mark = f"{profile} {len(sent)}".encode().ljust(40, b"e")
            publisher.send(head + bytes(4 * csrcs) + struct.pack("!HH", profile, len(body) // 4) + body + mark)
            sent.append(mark)

    async def there() -> bool:
        came = {packet[-40:] for packet in attacker.viewer.tracks["video"].packets.values()}
        return came >= set(sent)

    await eventually(there)
    assert attacker.viewer.tracks["video"].alien == 0


async def test_only_what_was_agreed_on_is_forwarded(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    camera, publisher = attacker.camera, attacker.publisher
    before = (await figures(relay))["packets_unknown_total"]
    audio = camera.audio
    assert audio is not None
    for kind in (0, 8, 34, 95, 98, 110, 127, audio._payload_type):
        publisher.send(HEADER.pack(0x80, kind, camera.video._sequence, 1, camera.video.ssrc) + b"alien" * 20)
        camera.video._sequence = camera.video._sequence + 1 & 0xFFFF
    publisher.send(HEADER.pack(0x80, VIDEO_TYPE, audio._sequence, 1, audio.ssrc) + b"alien" * 20)
    await counted(relay, "packets_unknown_total", before + 9)
    await attacker.goes_on(5)
    for track in attacker.viewer.tracks.values():
        assert track.alien == 0
        assert not any(b"alien" in packet for packet in track.packets.values())


async def test_further_sources_do_not_mix_with_a_track(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    """A track has one source as long as that source sends; all else is counted."""
    before = (await figures(relay))["packets_unknown_total"]
    for number in range(40):
        for seq in (number * 1000, number * 1000 + 1):
            attacker.publisher.send(HEADER.pack(0x80, VIDEO_TYPE, seq, seq, 0xA000 + number) + b"\x90\x80\x80\x00\x10")
    await counted(relay, "packets_unknown_total", before + 80)
    await attacker.sees(15)


async def test_a_codec_under_a_foreign_payload_type_shows_nobody_anything(relay: Relay, healthy: Pair) -> None:
    path = new_path()
    async with MediaClient(relay, path, "publish", H264_CAMERA) as publisher:
        liar = Camera(publisher, "VP8")
        async with filming(publisher, liar), MediaClient(relay, path, "play", WINDOW) as viewer:

            async def asked() -> bool:
                return len(liar.keyframes_asked) > 0 and len(liar.pictures) > 30

            await eventually(asked)
            assert not viewer.is_over
            assert len(liar.keyframes_asked) <= 2 * len(liar.pictures) / 25 + 2


async def test_a_viewer_that_never_reads_costs_nobody_else_a_picture(relay: Relay, attacker: Pair) -> None:
    async with MediaClient(relay, attacker.path, "play", WINDOW, repairs=False) as deaf:
        for each in deaf.way._sockets.values():
            asyncio.get_running_loop().remove_reader(each)
        await attacker.sees(50)


async def test_a_viewer_that_asks_for_everything_again_is_served_within_bounds(
    relay: Relay, healthy: Pair, attacker: Pair
) -> None:
    track = attacker.viewer.tracks["video"]
    began_s = time.monotonic()
    fields = b"".join(struct.pack("!HH", track.highest - 17 * n & 0xFFFF, 0xFFFF) for n in range(1, 60))
    nack = struct.pack("!BBHII", 0x81, 205, 2 + len(fields) // 4, 7, track.ssrc) + fields
    await paced(attacker.viewer.report, [nack] * 2000)
    await counted(relay, "repairs_refused_total", 1000)
    passed_s = time.monotonic() - began_s
    assert track.repaired <= 600 * (passed_s + 1)
    await attacker.sees(5)


async def test_a_storm_of_keyframe_requests_is_one_every_half_second(
    relay: Relay, healthy: Pair, attacker: Pair
) -> None:
    ssrc = attacker.viewer.tracks["video"].ssrc
    pli = bytes(RtcpPsfbPacket(fmt=1, ssrc=7, media_ssrc=ssrc))
    asked = attacker.camera.keyframes_asked
    asked.clear()
    began_s = time.monotonic()
    await paced(attacker.viewer.report, [pli] * 15_000)
    passed_s = time.monotonic() - began_s
    assert len(asked) >= 1
    assert len(asked) <= 2 * passed_s + 1
    await attacker.sees(5)


async def test_more_pictures_than_any_screen_shows_end_no_worker(relay: Relay, healthy: Pair, attacker: Pair) -> None:
    camera = attacker.camera

    def packets() -> Iterable[bytes]:
        for _ in range(6000):
            yield HEADER.pack(0x80, 0x80 | VIDEO_TYPE, camera.video._sequence, 1, camera.video.ssrc) + b"\x10\x01"
            camera.video._sequence = camera.video._sequence + 1 & 0xFFFF

    async with httpx2.AsyncClient() as http:

        async def told() -> bool:
            states = (await http.get(f"{relay.url}/api/streams")).json()
            return any(one["did"] == attacker.path and one["fps"] == 1000 for one in states)

        flood = asyncio.create_task(paced(attacker.publisher.send, packets()))
        await eventually(told)
        await flood
