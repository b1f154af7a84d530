"""Media tokens: whoever has the public key can tell a good one from any other, and nobody can make one."""

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError
from joserfc.jwk import OKPKey

from tests.unit.xunlu_platform.test_auth import HandClock
from xunlu_kit.errors import ConfigError
from xunlu_platform.auth.media_tokens import PLAY_LIVE_S, MediaTokens
from xunlu_protocol.media import ALGORITHM, MediaClaims

KEY = OKPKey.generate_key("Ed25519")
PUBLIC = OKPKey.import_key(KEY.as_pem(private=False))


def tokens(key: OKPKey = KEY, *, now_s: float = 1_790_000_000) -> MediaTokens:
    clock = HandClock()
    clock.now_s = now_s
    return MediaTokens(key.as_pem(private=True).decode(), clock, publish_live_s=600)


def test_a_token_names_its_path_its_action_and_its_end() -> None:
    played = jwt.decode(tokens().play("R1", viewing="v1", user="lin"), PUBLIC, algorithms=[ALGORITHM])
    assert played.header == {"alg": ALGORITHM, "typ": "JWT"}
    claims = MediaClaims.parse(played.claims)
    assert (claims.path, claims.act, claims.jti, claims.sub) == ("R1", "play", "v1", "lin")
    assert claims.exp - claims.iat == PLAY_LIVE_S
    published = jwt.decode(tokens().publish("R1", command="c1", user="lin"), PUBLIC, algorithms=[ALGORITHM])
    claims = MediaClaims.parse(published.claims)
    assert (claims.act, claims.jti, claims.exp - claims.iat) == ("publish", "c1", 600)


def test_the_token_of_another_installation_is_refused() -> None:
    foreign = tokens(OKPKey.generate_key("Ed25519")).play("R1", viewing="v1", user="lin")
    with pytest.raises(BadSignatureError):
        jwt.decode(foreign, PUBLIC, algorithms=[ALGORITHM])


def test_a_token_whose_claims_were_changed_is_refused() -> None:
    one, other = (tokens().play(path, viewing="v1", user="lin").split(".") for path in ("R1", "R2"))
    with pytest.raises(BadSignatureError):
        jwt.decode(".".join((one[0], other[1], one[2])), PUBLIC, algorithms=[ALGORITHM])


def test_an_old_token_has_expired() -> None:
    claims = jwt.decode(tokens().play("R1", viewing="v1", user="lin"), PUBLIC, algorithms=[ALGORITHM]).claims
    with pytest.raises(ExpiredTokenError):
        jwt.JWTClaimsRegistry(now=1_790_000_000 + PLAY_LIVE_S + 1).validate(claims)


@pytest.mark.parametrize("text", ["", "secret", OKPKey.generate_key("X25519").as_pem(private=True).decode()])
def test_a_damaged_key_says_what_to_do(text: str) -> None:
    with pytest.raises(ConfigError, match="media-key"):
        MediaTokens(text, HandClock(), publish_live_s=600)
