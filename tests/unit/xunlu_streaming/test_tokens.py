"""Tokens of the platform open what they name, and nothing else opens anything."""

import base64
import contextlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from xunlu_kit.errors import ConfigError
from xunlu_protocol.media import MediaClaims
from xunlu_streaming.errors import TokenError
from xunlu_streaming.tokens import public_key, verify

PLATFORM = OKPKey.generate_key("Ed25519")
KEY = public_key(PLATFORM.as_pem(private=False).decode())
NOW_S = 1_800_000_000


def claims(**changes: Any) -> dict[str, Any]:
    fresh = {
        "aud": "xunlu-streaming",
        "path": "rec-1",
        "act": "play",
        "jti": "v1",
        "sub": "dispatcher",
        "iat": NOW_S,
        "exp": NOW_S + 60,
    }
    return fresh | changes


def token(key: Any = PLATFORM, alg: str = "Ed25519", **changes: Any) -> str:
    return jwt.encode({"alg": alg}, claims(**changes), key, algorithms=[alg])


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def refusal(text: str, *, now_s: float | None = NOW_S) -> str:
    with pytest.raises(TokenError) as caught:
        verify(text, KEY, now_s=now_s, path="rec-1", action="play")
    return caught.value.reason


def test_a_token_of_the_platform_opens_its_path() -> None:
    assert verify(token(), KEY, now_s=NOW_S, path="rec-1", action="play") == MediaClaims.parse(claims())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": "rec-2"}, "path"),
        ({"act": "publish"}, "action"),
        ({"exp": NOW_S - 60}, "expired"),
        ({"aud": "somebody"}, "claims"),
        ({"act": "everything"}, "claims"),
        ({"path": "../etc"}, "claims"),
        ({"exp": "never"}, "claims"),
        ({"jti": ""}, "claims"),
    ],
)
def test_a_token_for_something_else_does_not_open_it(changes: dict[str, Any], reason: str) -> None:
    assert refusal(token(**changes)) == reason


def test_a_session_that_has_begun_outlives_its_token() -> None:
    expired = token(exp=NOW_S - 86_400)
    assert verify(expired, KEY, now_s=None, path="rec-1", action="play").jti == "v1"
    assert refusal(token(path="rec-2"), now_s=None) == "path"


def test_clocks_may_differ_a_little() -> None:
    assert verify(token(exp=NOW_S - 2), KEY, now_s=NOW_S, path="rec-1", action="play").jti == "v1"


def test_nobody_else_can_sign() -> None:
    assert refusal(token(OKPKey.generate_key("Ed25519"))) == "malformed"


def test_the_public_key_is_no_shared_secret() -> None:
    """RFC 8725 §2.1: a verifier that lets the header choose would take the public key for an HMAC key."""
    signed = f"{encoded(json.dumps({'alg': 'HS256'}).encode())}.{encoded(json.dumps(claims()).encode())}"
    forged = hmac.digest(PLATFORM.as_pem(private=False), signed.encode(), "sha256")
    assert refusal(f"{signed}.{encoded(forged)}") == "malformed"


def test_other_algorithms_are_refused() -> None:
    assert refusal(token(ECKey.generate_key("P-256"), "ES256")) == "malformed"
    unsigned = f"{encoded(json.dumps({'alg': 'none'}).encode())}.{encoded(json.dumps(claims()).encode())}."
    assert refusal(unsigned) == "malformed"


def test_a_changed_token_is_refused() -> None:
    head, body, signature = token().split(".")
    padded = body + "=" * (-len(body) % 4)
    forged = base64.urlsafe_b64decode(padded).replace(b"rec-1", b"rec-2")
    assert refusal(f"{head}.{encoded(forged)}.{signature}") == "malformed"


def test_a_token_without_end_is_refused_before_it_is_read() -> None:
    assert refusal("a" * 5000) == "size"


@given(
    st.text(max_size=300)
    | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
    )
)
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(TokenError):
        verify(text, KEY, now_s=NOW_S, path="rec-1", action="play")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda values: (
            st.lists(values, max_size=3)
            | st.dictionaries(
                st.text(max_size=6) | st.sampled_from(["alg", "crit", "b64", "kid", "jwk"]), values, max_size=4
            )
        ),
    )
)
def test_any_header_is_refused(header: object) -> None:
    head = encoded(json.dumps(header).encode())
    with pytest.raises(TokenError):
        verify(f"{head}.e30.e30", KEY, now_s=NOW_S, path="rec-1", action="play")


def test_a_header_without_bottom_is_refused() -> None:
    assert refusal(f"{encoded(b'[' * 1400)}.e30.e30") == "malformed"


@pytest.mark.parametrize(
    "pem",
    ["", "no key", OKPKey.generate_key("X25519").as_pem(private=False).decode()],
    ids=["empty", "text", "another curve"],
)
def test_another_key_stops_the_start_with_a_sentence(pem: str) -> None:
    with pytest.raises(ConfigError, match=r"media-key\.pub"):
        public_key(pem)
