"""Media tokens (RFC 7519, RFC 8725): the platform signs them, the relay believes nothing else."""

from typing import TypeVar

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from xunlu_kit.errors import ConfigError
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.media import ALGORITHM, Action, MediaClaims
from xunlu_protocol.talk import TalkClaims
from xunlu_streaming.errors import TokenError

Claims = TypeVar("Claims", MediaClaims, TalkClaims)

TOKEN_CHARACTERS_MAX = 2000
CLOCK_SKEW_S = 5
"""How far the clocks of platform and relay may differ."""


def public_key(pem: str) -> OKPKey:
    """The key of the platform's signatures.

    Args:
        pem: Ed25519 public key (RFC 8410).

    Raises:
        ConfigError: it is no such key.
    """
    try:
        key = OKPKey.import_key(pem)
    except (JoseError, ValueError) as error:
        raise ConfigError("The secret media-key.pub is no Ed25519 public key: copy the platform's.") from error
    if key.curve_name != "Ed25519":
        raise ConfigError(f"The secret media-key.pub is a key for {key.curve_name}: copy the platform's Ed25519 key.")
    return key


def verify(
    token: str, key: OKPKey, *, now_s: float | None, path: str | None = None, action: Action | None = None
) -> MediaClaims:
    """Read a token for live video that somebody shows.

    Args:
        token: as it came.
        key: the platform's public key; one algorithm, so that no header can choose another (RFC 8725 §3.1).
        now_s: UTC seconds; None where a session has begun already, which outlives its token.
        path: that is asked for; None for any.
        action: that is asked for; None for any.

    Raises:
        TokenError: reason `size`, `malformed` (signature included), `claims`, `expired`, `path` or `action`.
    """
    claims = _read(token, key, MediaClaims, now_s)
    if path is not None and claims.path != path:
        raise TokenError("path", "The media token is for another path. Ask for one for this path.")
    if action is not None and claims.act != action:
        raise TokenError("action", f"The media token does not allow to {action}. Ask for one that does.")
    return claims


def has_expired(claims: MediaClaims | TalkClaims, now_s: float) -> bool:
    """Whether a token is good for nothing any more, `now_s` being UTC seconds."""
    return now_s > claims.exp + CLOCK_SKEW_S


def verify_talk(token: str, key: OKPKey, *, now_s: float, sub: str | None = None) -> TalkClaims:
    """Read a token for the radio net; another audience is none of its claims (RFC 8725 §3.9).

    Args:
        token: as it came.
        key: the platform's public key.
        now_s: UTC seconds.
        sub: participant that it must be of; None for any.

    Raises:
        TokenError: reason `size`, `malformed` (signature included), `claims`, `expired` or `participant`.
    """
    claims = _read(token, key, TalkClaims, now_s)
    if sub is not None and claims.sub != sub:
        raise TokenError("participant", "The token is of another participant. Ask for one of your own.")
    return claims


def _read(token: str, key: OKPKey, kind: type[Claims], now_s: float | None) -> Claims:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise TokenError("size", f"A media token has at most {TOKEN_CHARACTERS_MAX} characters. Ask for a new one.")
    try:
        claims = kind.parse(jwt.decode(token, key, algorithms=[ALGORITHM]).claims)
    except ProtocolError as error:
        raise TokenError("claims", f"The media token does not say what it is for: {error}") from error
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        # Types and depths of a hostile header are not the library's concern.
        raise TokenError("malformed", "The media token is not from our platform. Ask for a new one.") from error
    if now_s is not None and has_expired(claims, now_s):
        raise TokenError("expired", "The media token has expired. Ask for a new one.")
    return claims
