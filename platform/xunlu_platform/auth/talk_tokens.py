"""Tokens for the talk server: who somebody is there, how urgent their word is, and what else they may do."""

import secrets
import zlib
from collections.abc import Mapping

from xunlu_kit.clock import Clock
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.roles import Role
from xunlu_platform.auth.signer import Signer
from xunlu_platform.store.store import Row
from xunlu_protocol.talk import Right, TalkClaims

PERSON_LIVE_S = 3600
"""A browser asks again halfway, on the session that is open; an account that was disabled talks no longer than that."""
RECORDER_LIVE_S = 24 * 3600
RENEW_S = 6 * 3600
"""A recorder's token has always 18 hours left: it may be away for a night."""

OFFICER_PRIORITY = 100
_DESK_RIGHTS: tuple[Right, ...] = ("barge", "take_down", "listen_in", "emergency", "broadcast")
_OFFICER_RIGHTS: tuple[Right, ...] = ("emergency",)

RIGHTS: Mapping[Role, tuple[int, tuple[Right, ...]]] = {
    "administrator": (220, _DESK_RIGHTS),
    "supervisor": (220, _DESK_RIGHTS),
    "dispatcher": (200, _DESK_RIGHTS),
    "officer": (OFFICER_PRIORITY, _OFFICER_RIGHTS),
}
"""Priority and rights of the roles that have the permission `talk`; a recorder has those of an officer."""


class TalkTokens:
    """Signs with the installation's private key."""

    def __init__(self, private_key: str, clock: Clock) -> None:
        """Take the key.

        Args:
            private_key: PEM (PKCS 8) of an Ed25519 key.
            clock: its wall time is used.

        Raises:
            ConfigError: it is no such key.
        """
        self._signer = Signer(private_key)
        self._clock = clock

    def person(self, caller: Caller, person: Row) -> str:
        """A token for whoever is signed in.

        Args:
            caller: a role with the permission `talk`.
            person: `person`, `name`, `number`, `did` as in `talk_person`.
        """
        now_s = self._clock.time_ms() // 1000
        priority, rights = RIGHTS[caller.role]
        return self._signer.sign(
            TalkClaims(
                sub=person["person"],
                jti=secrets.token_urlsafe(9),
                name=person["name"],
                number=person["number"],
                did=person["did"],
                priority=priority,
                rights=rights,
                path=None if caller.role == "officer" else caller.unit_path,
                iat=now_s,
                exp=now_s + PERSON_LIVE_S,
            )
        )

    def recorder_claims(self, did: str, name: str, number: str | None) -> TalkClaims:
        """What a recorder's token says now: the same for `RENEW_S`, so that it is published once in that time.

        The hours of renewal differ from device to device: a fleet must not be told all at once.
        """
        now_s, offset_s = self._clock.time_ms() // 1000, zlib.crc32(did.encode()) % RENEW_S
        issued_s = max(0, now_s - (now_s - offset_s) % RENEW_S)
        return TalkClaims(
            sub=did,
            jti=f"talk-{issued_s}",
            name=name,
            number=number,
            did=did,
            priority=OFFICER_PRIORITY,
            rights=_OFFICER_RIGHTS,
            iat=issued_s,
            exp=issued_s + RECORDER_LIVE_S,
        )

    def sign(self, claims: TalkClaims) -> str:
        """A token that says `claims`; the same claims make the same token."""
        return self._signer.sign(claims)
