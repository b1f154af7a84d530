"""The WHIP client and its SDP against a server that says what it is told."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from xunlu_edge.errors import LiveError
from xunlu_edge.media import sdp, whip
from xunlu_edge.media.adapter import RTCCertificate
from xunlu_edge.media.way import Credentials, IceServer
from xunlu_edge.media.whip import RefusalError, WhipClient

SDP = {"Content-Type": "application/sdp"}
FINGERPRINT = RTCCertificate.generateCertificate().getFingerprints()[0]

ANSWER = "\r\n".join(
    [
        "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite", "a=group:BUNDLE 0 1",
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103", "c=IN IP4 0.0.0.0", "a=mid:0", "a=recvonly", "a=rtcp-mux",
        "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901", f"a=fingerprint:sha-256 {FINGERPRINT.value}",
        "a=setup:passive", "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1", "a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=102",
        "a=candidate:1 1 udp 100 192.0.2.7 4000 typ host", "a=candidate:2 1 udp 200 2001:db8::1 4000 typ host",
        "a=candidate:3 1 tcp 300 192.0.2.8 4000 typ host", "a=candidate:4 1 udp 400 relay.local 4000 typ host",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:1", "a=recvonly", "a=rtcp-mux",
        "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901", f"a=fingerprint:sha-256 {FINGERPRINT.value}",
        "a=setup:passive", "a=rtpmap:111 opus/48000/2", "",
    ]
)  # fmt: skip


class Server:
    """Answers each request with the next text; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, OSError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = next((int(line[16:]) for line in head.split("\r\n") if line.startswith("Content-Length: ")), 0)
            self.asked.append(head + (await reader.readexactly(size)).decode())
            if self.answers:
                writer.write(self.answers.pop(0))
                await writer.drain()
            else:
                await reader.read()


def told(status: int, headers: dict[str, str] | None = None, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body]).encode()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = Server()
    listening = await asyncio.start_server(one.answer, "127.0.0.1", 0)
    async with listening:
        one.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/whip/D1"
        yield one


async def test_an_offer_is_posted_and_the_answer_and_its_resource_are_read(server: Server) -> None:
    links = '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="p;x", <stun:a>; rel=x'
    server.answers = [told(201, SDP | {"Location": "../session/7", "Link": links}, "answer")]
    resource = await WhipClient(None).publish(server.url, "secret", "offer")
    assert resource is not None
    assert resource.answer == "answer"
    assert resource.url == server.url.replace("/whip/D1", "/session/7")
    assert resource.ice_servers == (
        IceServer(url="turn:turn.example:3478?transport=udp", username="u", credential="p;x"),
    )
    [asked] = server.asked
    assert asked.startswith("POST /whip/D1 HTTP/1.1\r\n")
    assert asked.endswith("\r\n\r\noffer")
    assert "Authorization: Bearer secret\r\n" in asked
    assert "Content-Type: application/sdp\r\n" in asked


async def test_the_end_is_a_delete_with_the_token(server: Server) -> None:
    server.answers = [told(201, SDP | {"Location": "/session/7"}, "answer"), told(200)]
    client = WhipClient(None)
    resource = await client.publish(server.url, "secret", "offer")
    assert resource is not None
    await client.delete(resource)
    assert server.asked[1].startswith("DELETE /session/7 ")
    assert "Bearer secret" in server.asked[1]


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(400, True), (401, True), (403, True), (404, True), (409, False), (410, True), (429, False), (503, False)],
)
async def test_a_refusal_tells_its_status_its_words_and_whether_it_is_final(
    server: Server, status: int, is_final: bool
) -> None:
    server.answers = [told(status, {"Retry-After": "3"}, "no\n  room")]
    with pytest.raises(RefusalError, match=rf"\({status}: no room\)") as refused:
        await WhipClient(None).publish(server.url, "secret", "offer")
    assert (refused.value.is_final, refused.value.retry_after_s) == (is_final, 3)


@pytest.mark.parametrize("value", ["-1", "soon", "1e3", "٣", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_retry_after_that_is_no_number_of_seconds_is_none(server: Server, value: str) -> None:
    server.answers = [told(503, {"Retry-After": value.encode().decode("latin-1")})]
    with pytest.raises(RefusalError) as refused:
        await WhipClient(None).publish(server.url, "secret", "offer")
    assert refused.value.retry_after_s is None


async def test_a_redirection_in_a_circle_ends(server: Server) -> None:
    server.answers = [told(307, {"Location": server.url})] * 10
    with pytest.raises(LiveError, match="circle"):
        await WhipClient(None).publish(server.url, "secret", "offer")
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        told(201, {"Content-Type": "text/html", "Location": "/x"}, "<html>"),
        told(201, SDP, "answer"),
        told(307),
        told(201, SDP | {"Location": "/x"}, "x" * 70_000),
        b"HTTP/1.1 201 Told\r\n" + b"A: b\r\n" * 500 + b"\r\n",
    ],
)
async def test_a_server_that_speaks_no_whip_is_an_error_with_words(server: Server, answer: bytes) -> None:
    server.answers = [answer]
    with pytest.raises(LiveError, match="relay"):
        await WhipClient(None).publish(server.url, "secret", "offer")


async def test_a_server_that_never_answers_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whip, "TIMEOUT_S", 0.2)
    with pytest.raises(LiveError, match="cannot be reached"):
        await WhipClient(None).publish(server.url, "secret", "offer")


async def test_a_closed_port_is_an_error_with_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/whip/D1"
        with pytest.raises(LiveError, match="cannot be reached"):
            await WhipClient(None).publish(url, "secret", "offer")


async def test_an_offer_that_is_not_wanted_any_more_is_not_made(server: Server) -> None:
    assert await WhipClient(None).publish(server.url, "secret", "offer", is_wanted=lambda: False) is None
    assert server.asked == []


@pytest.mark.parametrize("url", ["ftp://relay/x", "http://", "https://[::1", "http://relay:99999/x"])
async def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(LiveError, match="no address"):
        await WhipClient(None).publish(url, "secret", "offer")


async def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="certificate authority"):
        await WhipClient(tmp_path / "none.pem").publish("https://127.0.0.1:1/x", "secret", "offer")


async def test_only_a_certificate_that_the_authority_vouches_for_is_believed(tmp_path: Path) -> None:
    file, server = certificate(tmp_path), Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0, ssl=context) as listening:
        url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/whip/D1"
        server.answers = [told(201, SDP | {"Location": "/x"}, "answer")]
        with pytest.raises(LiveError, match="cannot be reached") as refused:
            await WhipClient(None).publish(url, "secret", "offer")
        assert isinstance(refused.value.__cause__, ssl.SSLCertVerificationError)
        assert await WhipClient(file).publish(url, "secret", "offer") is not None


async def test_a_token_never_leaves_tls(tmp_path: Path) -> None:
    file, server = certificate(tmp_path), Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0, ssl=context) as listening:
        url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/whip/D1"
        server.answers = [told(307, {"Location": "http://127.0.0.1:9/whip/D1"})]
        with pytest.raises(LiveError, match="redirects to a place"):
            await WhipClient(file).publish(url, "secret", "offer")


def certificate(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "relay.pem"
    file.write_bytes(key.private_bytes(encoding, form, plain) + made.public_bytes(encoding))
    return file


# -- SDP --------------------------------------------------------------------------------------------------------------


def offered(*, audio: bool = True, candidates: tuple[str, ...] = ()) -> str:
    return sdp.offer(Credentials(), FINGERPRINT, sdp.Sources.drawn(audio=audio), candidates)


def test_an_offer_is_one_bundle_that_only_sends() -> None:
    lines = offered().split("\r\n")
    assert "a=group:BUNDLE 0 1" in lines
    assert lines.count("a=sendonly") == lines.count("a=setup:actpass") == lines.count("a=rtcp-mux-only") == 2
    assert "a=ice-options:trickle" in lines
    assert any("packetization-mode=1;profile-level-id=42e01f" in line for line in lines)


def test_without_a_microphone_nothing_is_offered_for_sound() -> None:
    assert "m=audio" not in offered(audio=False)
    assert "a=group:BUNDLE 0\r\n" in offered(audio=False)


def test_candidates_that_are_known_are_offered_and_complete() -> None:
    text = offered(candidates=("1 1 udp 2130706431 192.0.2.1 5000 typ host",))
    assert text.count("a=candidate:1 1 udp") == text.count("a=end-of-candidates") == 2
    assert "trickle" not in text


def test_sources_are_all_different() -> None:
    sources = sdp.Sources.drawn(audio=True)
    assert len({sources.video, sources.rtx, sources.audio}) == 3


def test_an_answer_says_where_to_send_and_what() -> None:
    answer = sdp.read_answer(ANSWER)
    assert answer.remote.addresses == (("2001:db8::1", 4000), ("192.0.2.7", 4000))
    assert (answer.video_type, answer.rtx_type, answer.audio_type) == (102, 103, 111)
    assert answer.extensions == ((1, sdp.MID),)
    assert answer.remote.is_client
    assert not sdp.read_answer(ANSWER.replace("setup:passive", "setup:active")).remote.is_client
    assert answer.remote.credentials.ufrag == "abcd"


def test_what_the_relay_does_not_want_is_not_sent() -> None:
    assert sdp.read_answer(ANSWER.replace("m=audio 9", "m=audio 0")).audio_type is None
    without = ANSWER.replace("a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n", "")
    assert sdp.read_answer(without).rtx_type is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ANSWER.replace("H264", "VP8"), "H.264"),
        (ANSWER.replace("m=video 9", "m=video 0"), "H.264"),
        (ANSWER.replace("a=ice-ufrag:abcd\r\n", ""), "credentials"),
        (ANSWER.replace(" udp ", " tcp "), "address"),
        ("", "H.264"),
        ("v=0\r\nm=video", "understood"),
        (ANSWER.replace("a=fmtp:102 ", "a=fmtp:99 "), "understood"),
    ],
)
def test_an_answer_of_no_use_is_an_error_with_words(text: str, why: str) -> None:
    with pytest.raises(LiveError, match=why):
        sdp.read_answer(text)


@given(st.data())
@example(None)
def test_an_answer_that_was_damaged_is_understood_or_refused(data: st.DataObject | None) -> None:
    text = ANSWER
    if data is not None:
        begin = data.draw(st.integers(0, len(ANSWER)))
        end = data.draw(st.integers(begin, min(len(ANSWER), begin + 40)))
        text = ANSWER[:begin] + data.draw(st.text(max_size=20)) + ANSWER[end:]
    with contextlib.suppress(LiveError):
        sdp.read_answer(text)
