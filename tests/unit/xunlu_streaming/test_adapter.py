"""Contract with aiortc 1.16 and pylibsrtp 1: fails when a name that is not public changes its meaning."""

import asyncio
import os

import pytest
from pylibsrtp import Policy, Session

from xunlu_streaming.adapter import (
    Dtls,
    Keys,
    RTCCertificate,
    ffi,
    fingerprint_of,
    new_certificate,
    srtp_protect,
    srtp_protect_rtcp,
    srtp_unprotect,
    srtp_unprotect_rtcp,
)
from xunlu_streaming.fanout import PACKETS_MAX

PACKET = bytes.fromhex("8060000100000e1000001234") + b"picture"
REPORT = bytes.fromhex("81c90001000012340000567800000000000000000000000000000000")


class Pipe:
    """One end of an in-memory way for datagrams."""

    role = "controlled"
    state = "completed"

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.other: Pipe | None = None

    async def _recv(self) -> bytes:
        data = await self.waiting.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        assert self.other is not None
        self.other.waiting.put_nowait(data)


async def handshake(ours: RTCCertificate, theirs: RTCCertificate, told: str) -> tuple[Keys | None, Keys | None]:
    near, far = Pipe(), Pipe()
    near.other, far.other = far, near
    server, client = Dtls(near, ours, "server"), Dtls(far, theirs, "client")
    try:
        async with asyncio.timeout(10):
            return await asyncio.gather(
                server.handshake([("sha-256", told)]), client.handshake([("sha-256", fingerprint_of(ours))])
            )
    finally:
        await server.stop()
        await client.stop()
        near.waiting.put_nowait(None)
        far.waiting.put_nowait(None)


async def keys() -> tuple[Keys, Keys]:
    ours, theirs = new_certificate(), new_certificate()
    server, client = await handshake(ours, theirs, fingerprint_of(theirs))
    assert server is not None
    assert client is not None
    return server, client


async def test_the_server_of_the_handshake_chooses_aes_gcm() -> None:
    server, client = await keys()
    assert server.profile == client.profile == "SRTP_AEAD_AES_256_GCM"
    assert server.tag_bytes == 16


async def test_all_peers_of_a_certificate_share_its_context_and_no_keys() -> None:
    ours, theirs = new_certificate(), new_certificate()
    (one, _), (other, far) = [await handshake(ours, theirs, fingerprint_of(theirs)) for _ in range(2)]
    assert one is not None
    assert other is not None
    assert far is not None
    assert ours._create_ssl_context([]) is ours._create_ssl_context([])
    memory, length = ffi.new("char[]", 200), ffi.new("int *", len(PACKET))
    ffi.memmove(memory, PACKET, len(PACKET))
    assert srtp_protect(one.send, memory, length) == 0
    assert srtp_unprotect(far.receive, memory, length) != 0


async def test_whoever_shows_another_certificate_gets_no_keys() -> None:
    ours, theirs = new_certificate(), new_certificate()
    server, _ = await handshake(ours, theirs, fingerprint_of(new_certificate()))
    assert server is None


async def test_what_one_side_protects_in_place_the_other_reads_in_place() -> None:
    server, client = await keys()
    for protect, unprotect, plain in (
        (srtp_protect, srtp_unprotect, PACKET),
        (srtp_protect_rtcp, srtp_unprotect_rtcp, REPORT),
    ):
        memory, length = ffi.new("char[]", 200), ffi.new("int *")
        ffi.memmove(memory, plain, len(plain))
        length[0] = len(plain)
        assert protect(server.send, memory, length) == 0
        assert length[0] > len(plain)
        assert unprotect(client.receive, memory, length) == 0
        assert bytes(ffi.buffer(memory, length[0])) == plain


async def test_a_forged_and_a_repeated_packet_are_refused() -> None:
    server, client = await keys()
    memory, length = ffi.new("char[]", 200), ffi.new("int *")

    def sent() -> bytes:
        ffi.memmove(memory, PACKET, len(PACKET))
        length[0] = len(PACKET)
        assert srtp_protect(server.send, memory, length) == 0
        return bytes(ffi.buffer(memory, length[0]))

    def received(data: bytes) -> int:
        ffi.memmove(memory, data, len(data))
        length[0] = len(data)
        return int(srtp_unprotect(client.receive, memory, length))

    protected = sent()
    assert received(protected[:-1] + bytes([protected[-1] ^ 1])) != 0
    assert received(protected) == 0
    assert received(protected) != 0


async def test_a_whole_stage_of_packets_may_be_encrypted_newest_first() -> None:
    server, client = await keys()
    memory, length = ffi.new("char[]", 200), ffi.new("int *")
    for seq in range(PACKETS_MAX, 0, -1):
        packet = PACKET[:2] + seq.to_bytes(2) + PACKET[4:]
        ffi.memmove(memory, packet, len(packet))
        length[0] = len(packet)
        assert srtp_protect(server.send, memory, length) == 0
        assert srtp_unprotect(client.receive, memory, length) == 0


@pytest.mark.parametrize("profile", [Policy.SRTP_PROFILE_AEAD_AES_256_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80])
def test_libsrtp_works_in_our_buffer_on_packets_longer_than_its_wrapper_takes(profile: int) -> None:
    key = os.urandom(44 if profile == Policy.SRTP_PROFILE_AEAD_AES_256_GCM else 30)
    session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
    memory, length = ffi.new("char[]", 2000), ffi.new("int *")
    ffi.memmove(memory, PACKET, len(PACKET))
    length[0] = 1480
    assert srtp_protect(session._srtp[0], memory, length) == 0
    assert length[0] in {1490, 1496}
